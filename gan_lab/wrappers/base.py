"""What every wrapper of a discriminator has in common."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

import torch
from torch import Tensor, nn

from gan_lab.layers.critique import Critique, of

Build = Callable[..., nn.Module]


class Wrapper(nn.Module):
    """A discriminator around another one, `inside`: images (N, C, H, W) and what is told of them to a Critique: labels
    (N,), or what they were made from.

    `num_classes` is that of what is inside (0: it takes no labels), `condition_shape` that of one image's input, None:
    it is told none; `images_per_score` is 1 unless images are packed. What is inside may return plain scores.
    """

    def __init__(self, inside: nn.Module) -> None:
        super().__init__()
        self.inside = inside
        self.num_classes = int(getattr(inside, "num_classes", 0) or 0)
        self.condition_shape: tuple[int, ...] | None = getattr(inside, "condition_shape", None)
        self.images_per_score = int(getattr(inside, "images_per_score", 1))

    @property
    def embed(self) -> Callable[[Tensor], Tensor] | None:
        """What makes an embedding of captions, where that which is inside reads any."""
        return getattr(self.inside, "embed", None)

    def forward(self, images: Tensor, condition: Tensor | None = None) -> Critique:
        return of(self.inside(images, condition))


def probe(discriminator: nn.Module, image_shape: Sequence[int]) -> Critique:
    """What a discriminator says about one blank image (or one pack of them), leaving it and the random state alone.

    One that says by `image_shape` which images it takes, those of a level of a pyramid, is shown such. Raises
    ValueError when it does not take images of this shape.
    """
    shape = getattr(discriminator, "image_shape", image_shape)
    images = torch.zeros(getattr(discriminator, "images_per_score", 1), *shape)
    condition = None
    if getattr(discriminator, "num_classes", 0):
        condition = torch.zeros(len(images), dtype=torch.int64)
    elif (told := getattr(discriminator, "condition_shape", None)) is not None:
        condition = torch.zeros(len(images), *told)
    with evaluating(discriminator), torch.no_grad(), torch.random.fork_rng(devices=[]):
        try:
            return of(discriminator(images, condition))
        except RuntimeError as error:
            reason = " ".join(str(error).split())[:160]
            raise ValueError(
                f"the discriminator inside does not take images of shape {list(shape)}: {reason}"
            ) from error


@contextmanager
def evaluating(network: nn.Module) -> Iterator[None]:
    """Every part in evaluation mode, and back in the mode it was in: statistics and power iterations do not move."""
    before = {module: module.training for module in network.modules()}
    network.eval()
    try:
        yield
    finally:
        for module, training in before.items():
            module.training = training
