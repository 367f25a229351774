"""The generator learns from its better images only (Sinha et al. 2020, arXiv:2002.06224)."""

from __future__ import annotations

from collections.abc import Callable

from torch import Tensor

from gan_lab.distributed.world import world
from gan_lab.losses.adversarial import AdversarialLoss


class TopK(AdversarialLoss):
    """The loss that `build()` makes; for the generator, on the `fraction` of its images that score highest.

    A sample's score is the mean of its scores. Where the loss reads real scores, those at the same places are kept. The
    discriminator's loss is untouched, and so is everything at `fraction` 1. The number of images kept is a whole number
    of at least 1 that only `fraction` decides: it may be scheduled (the paper goes from 1 to 0.5). Where batches are
    accumulated, it is the best of each piece that are kept. Raises ValueError for a `fraction` outside (0, 1].
    """

    def __init__(self, build: Callable[[], AdversarialLoss], fraction: float = 1.0) -> None:
        if not 0.0 < fraction <= 1.0:
            raise ValueError(f"fraction must lie in (0, 1], not {fraction}")
        self.inner = build()
        self.needs_real, self.pays_generator = self.inner.needs_real, self.inner.pays_generator  # type: ignore[misc]
        self.fraction = fraction
        self._seen: set[int] = set()  # of how many images the better ones were asked for

    def discriminator(self, real: Tensor, fake: Tensor) -> Tensor:
        return self.inner.discriminator(real, fake)

    def generator(self, fake: Tensor, real: Tensor | None = None) -> Tensor:
        fake, real = world().gather(fake), None if real is None else world().gather(real)  # the best of all processes
        self._seen.add(len(fake))
        kept = self.kept(len(fake))
        if kept == len(fake):
            return self.inner.generator(fake, real)
        best = fake.detach().flatten(1).mean(1) if fake.dim() > 1 else fake.detach()
        places = best.topk(kept).indices
        return self.inner.generator(fake[places], None if real is None else real[places])

    def in_effect(self) -> tuple[int, ...]:
        """What `fraction` comes to: how many images are kept of each number of images that there was."""
        return tuple(map(self.kept, sorted(self._seen)))

    def kept(self, n: int) -> int:
        """How many of `n` images count."""
        return max(1, min(n, round(self.fraction * n)))
