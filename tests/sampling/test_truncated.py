"""All images of a sampler truncated."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import torch
from torch import Tensor, nn

from gan_lab.errors import ConfigError
from gan_lab.sampling.request import Request
from gan_lab.sampling.sampler import Sampler, all_images
from gan_lab.sampling.truncated import Truncated
from tests.sampling.stand_ins import Converter


class Told(Converter):
    """Images of the truncation that was asked for."""

    takes = frozenset({"truncation", "label"})

    def drawn(self, request: Request) -> Iterator[Tensor]:
        assert request.truncation is not None
        yield torch.full((request.n, 1, 2, 2), request.truncation)


def test_every_request_is_truncated_and_nothing_else() -> None:
    sampler: Sampler = Truncated(Told(nn.Identity()), 0.5)
    assert torch.equal(all_images(sampler, Request(3)), torch.full((3, 1, 2, 2), 0.5))
    assert sampler.takes == {"truncation", "label"}


def test_what_has_no_latents_is_refused() -> None:
    with pytest.raises(ConfigError, match="truncation: this generator has no latents that could be truncated"):
        Truncated(Converter(nn.Identity()), 0.5)
