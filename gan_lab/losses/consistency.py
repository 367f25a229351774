"""A discriminator whose scores do not move when an image is moved a little (CR-GAN and bCR-GAN)."""

from __future__ import annotations

from torch import Tensor, nn

from gan_lab.losses.regularizers import Regularizer, Turn

IMAGES = ("real", "fake")


class Consistency(Regularizer):
    """E[(D(x) - D(T(x)))^2], T being `transform` drawn anew; a map of scores counts as its mean square.

    On real images: consistency regularization (Zhang et al. 2019, arXiv:1910.12027). On both, as two terms:
    the balanced one (Zhao et al. 2020, arXiv:2002.04724). Both papers' weight is 10. Gradient flows
    through both scores. Raises ValueError when `images` is neither real nor fake.
    """

    def __init__(self, transform: nn.Module, weight: float = 10.0, every: int = 1, images: str = "real") -> None:
        super().__init__(weight, every)
        if images not in IMAGES:
            raise ValueError(f"images must be one of {', '.join(IMAGES)}, not {images!r}")
        self.transform = transform
        self.images = images

    def __call__(self, turn: Turn) -> Tensor:
        images = turn.real if self.images == "real" else turn.fake
        scores = turn.real_scores if self.images == "real" else turn.fake_scores
        plain = turn.critic(images) if scores is None else scores
        return (plain - turn.critic(self.transform(images))).square().mean()
