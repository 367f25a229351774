"""Ways between codes, in closed form."""

from __future__ import annotations

import math

import pytest
import torch
from torch.testing import assert_close

from gan_lab.algorithms.latents import Normal, Signs, Uniform
from gan_lab.editing.paths import Path, lerp, slerp
from gan_lab.errors import ConfigError


def test_slerp_has_its_ends_and_turns_evenly() -> None:
    """Of two vectors at a right angle: a third of the way is 30 degrees, and the norm a third on from 2 to 5."""
    start, end = torch.tensor([2.0, 0.0, 0.0]), torch.tensor([0.0, 5.0, 0.0])
    at = slerp(start, end, 1 / 3)
    assert_close(at, 3 * torch.tensor([math.cos(math.pi / 6), math.sin(math.pi / 6), 0.0]))
    assert_close(slerp(start, end, 0.0), start)
    assert_close(slerp(start, end, 1.0), end)


def test_slerp_keeps_the_norm_that_lerp_loses() -> None:
    start, end = Normal(512).drawn(100, 0), Normal(512).drawn(100, 1)
    sizes = (start.norm(dim=1) + end.norm(dim=1)) / 2
    assert_close(slerp(start, end, 0.5).norm(dim=1), sizes)
    assert_close(lerp(start, end, 0.5).norm(dim=1).mean(), sizes.mean() / math.sqrt(2), rtol=0.02, atol=0)


@pytest.mark.parametrize("factor", [1.0, 3.0, -2.0, 0.0])
def test_slerp_of_parallel_codes_is_straight(factor: float) -> None:
    start = torch.tensor([[1.0, 2.0, 3.0]])
    assert_close(slerp(start, factor * start, 0.25), lerp(start, factor * start, 0.25))


def test_slerp_is_that_of_each_code() -> None:
    """Styles `(N, layers, D)` turn one by one."""
    start, end = torch.randn(2, 3, 4), torch.randn(2, 3, 4)
    assert_close(slerp(start, end, 0.3)[1, 2], slerp(start[1, 2], end[1, 2], 0.3))


@pytest.mark.parametrize("curve", ["lerp", "slerp"])
def test_a_loop_closes(curve: str) -> None:
    keys = torch.randn(3, 2, 8)
    loop = Path(keys, curve, loop=True)
    assert (loop.legs, len(loop.places(5))) == (3, 15)
    for number, key in enumerate((*keys, keys[0])):
        assert_close(loop.at(number), key)
    assert_close(loop.at(2.999999), keys[0], rtol=0, atol=1e-4)
    assert max(loop.places(5)) == 2.8  # the first is not there twice


def test_an_open_way_ends_at_its_last_key() -> None:
    keys = torch.randn(3, 2, 8)
    way = Path(keys, "lerp", loop=False)
    assert [way.places(2)[at] for at in (0, -1)] == [0.0, 2.0]
    assert_close(way.at(2.0), keys[2])
    assert_close(way.at(1.5), (keys[1] + keys[2]) / 2)


def test_what_is_no_way() -> None:
    with pytest.raises(ConfigError, match="kind: 'spline' is not one of auto, lerp, slerp"):
        Path(torch.randn(2, 1, 4), "spline", loop=False)
    with pytest.raises(ConfigError, match="seeds: one is no way"):
        Path(torch.randn(1, 1, 4), "lerp", loop=True)


def test_the_curve_is_that_of_the_prior() -> None:
    assert [prior(4).curve for prior in (Normal, Uniform, Signs)] == ["slerp", "lerp", "lerp"]
