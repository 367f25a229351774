"""Images from images by a trained generator."""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import Tensor, nn

from gan_lab.data.batch import Batch
from gan_lab.engine.engine import Engine
from gan_lab.engine.seeding import generator_of
from gan_lab.engine.tf32 import without_tf32
from gan_lab.errors import ConfigError
from gan_lab.layers.dropout import drawing
from gan_lab.sampling.label_space import label_space
from gan_lab.sampling.request import Request
from gan_lab.sampling.sampler import REFUSED, Sampler, all_images


class InputSampler(Sampler):
    """A generator in evaluation mode that is given an image, and a label where it takes one. Dropout that is its noise
    goes on, as the seed and the number of each sample say. A number that overflowed is nan in what comes out: nobody
    takes it for white."""

    def __init__(self, generator: nn.Module, engine: Engine) -> None:
        self.network = generator
        self.engine = engine
        self.label_space = label_space(generator)
        self.takes = frozenset(("input", *(("label",) if self.num_classes else ())))

    @torch.no_grad()
    def drawn(self, request: Request) -> Iterator[Tensor]:
        assert request.input is not None
        device = self.engine.device
        label = self.each_in_turn(request.n) if request.label is None else request.label
        self.network.eval()
        for start in range(0, request.n, self.AT_ONCE):
            part = slice(start, start + self.AT_ONCE)
            condition = None if label is None else label[part].to(device)
            numbers = range(request.n)[part]
            random = [generator_of(f"{request.seed} {number} dropout") for number in numbers]
            with without_tf32(), drawing(self.network, random):
                images = self.network(request.input[part].to(device), condition)
            images = images.float().cpu().contiguous()
            yield images.masked_fill(images.isinf(), torch.nan).clamp(-1, 1)

    def codes(self, n: int, seed: int, truncation: float | None = None) -> Tensor:
        raise ConfigError(f"codes: this generator {REFUSED['codes']}")

    def panel(self, shown: Batch, seed: int) -> dict[str, Tensor]:
        """What was given, what was made of it, and what was wanted."""
        assert shown.input is not None
        made = all_images(self, self.request_for(shown, seed))
        return {"input": shown.input.cpu(), "made": made, "target": shown.image.cpu()}
