"""Images from noise and captions by a trained generator."""

from __future__ import annotations

from collections.abc import Iterator

from torch import Tensor

from gan_lab.algorithms.noise_sampler import NoiseSampler
from gan_lab.data.batch import Batch
from gan_lab.errors import ConfigError
from gan_lab.sampling.request import Request
from gan_lab.sampling.sampler import all_images
from gan_lab.sampling.space import Space


class CaptionSampler(NoiseSampler):
    """A generator in evaluation mode, asked by tokens; each image has its caption and its latent."""

    SHOWN = 3  # images of each caption in a panel

    def __init__(self, *given: object) -> None:
        super().__init__(*given)  # type: ignore[arg-type]
        self.takes = frozenset(("codes", "truncation", "caption"))

    def space(self, truncation: float | None = None) -> Space:
        raise ConfigError(
            "run: this generator makes its images from captions, and no command moves its latents beside one; gan-lab "
            "sample text='a red heart' makes images"
        )

    def drawn(self, request: Request) -> Iterator[Tensor]:
        return super().drawn(request._replace(label=request.caption))  # what the network is told

    def panel(self, shown: Batch, seed: int) -> dict[str, Tensor]:
        """The real images, and beside each some of its caption: a column shares its latent."""
        assert shown.caption is not None
        count = len(shown.image)
        codes = self.codes(self.SHOWN, seed)
        columns = {"real": shown.image}
        for number, code in enumerate(codes, 1):
            request = Request(count, seed, caption=shown.caption, codes=code.expand(count, -1))
            columns[str(number)] = all_images(self, request)
        return columns
