"""A sampler that makes images from inputs, as a trained one would, of any network."""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import Tensor, nn

from gan_lab.data.batch import Batch
from gan_lab.errors import ConfigError
from gan_lab.sampling.request import Request
from gan_lab.sampling.sampler import Sampler, all_images


class Converter(Sampler):
    """Each image is what `network` makes of its input, `at_once` of them at a time. `asked` remembers their shapes."""

    takes = frozenset({"input"})

    def __init__(self, network: nn.Module, at_once: int = 64) -> None:
        self.network, self.at_once = network, at_once
        self.asked: list[tuple[int, ...]] = []

    @torch.no_grad()
    def drawn(self, request: Request) -> Iterator[Tensor]:
        assert request.input is not None
        for part in request.input.split(self.at_once):
            self.asked.append(tuple(part.shape))
            yield self.network(part).clamp(-1, 1)

    def codes(self, n: int, seed: int, truncation: float | None = None) -> Tensor:
        raise ConfigError("codes: this generator has no latents")

    def panel(self, shown: Batch, seed: int) -> dict[str, Tensor]:
        assert shown.input is not None
        made = all_images(self, self.request_for(shown, seed))
        return {"input": shown.input, "made": made, "target": shown.image}


class Noisy(Converter):
    """Adds the codes of a request to what is made: one number an image, which the seed decides unless it is given."""

    takes = frozenset({"input", "codes", "truncation"})

    def codes(self, n: int, seed: int, truncation: float | None = None) -> Tensor:
        return torch.rand(n, 1, generator=torch.Generator().manual_seed(seed)) / 4

    @torch.no_grad()
    def drawn(self, request: Request) -> Iterator[Tensor]:
        assert request.input is not None
        self.asked.append(tuple(request.input.shape))
        codes = self.codes(request.n, request.seed) if request.codes is None else request.codes
        yield self.network(request.input) + codes[..., None, None]
