"""One picture of noise a sample, the same in all channels."""

from __future__ import annotations

import pytest
import torch
from torch import nn
from torch.testing import assert_close

from gan_lab.layers.noise import Noise


def test_what_is_added() -> None:
    """strength times gain times N(0, 1), another one for each sample and pass; stored in evaluation."""
    torch.manual_seed(0)
    noise = Noise(40, 50)
    assert torch.equal(noise(torch.ones(2, 3, 40, 50)), torch.ones(2, 3, 40, 50))  # it starts without strength
    nn.init.constant_(noise.strength, 0.5)
    added = noise(torch.zeros(2, 3, 40, 50), gain=3.0)
    assert torch.equal(added[:, 0], added[:, 2])
    assert (added[0] != added[1]).any()
    assert_close(added.var(), torch.tensor(2.25), rtol=0.1, atol=0)
    assert_close(noise.eval()(torch.zeros(2, 3, 40, 50)), 0.5 * noise.picture.expand(2, 3, 40, 50))


def test_kinds() -> None:
    const = Noise(4, 5, "const")
    nn.init.constant_(const.strength, 1.0)
    assert_close(const(torch.zeros(2, 3, 4, 5)), const.picture.expand(2, 3, 4, 5))
    none = Noise(4, 5, "none")
    assert not none.state_dict()
    assert not none(torch.zeros(2, 3, 4, 5)).any()
    with pytest.raises(ValueError, match="noise must be one of random, const, none, not 'white'"):
        Noise(4, 5, "white")


def test_maps_keep_their_precision() -> None:
    noise = Noise(4, 5)
    nn.init.constant_(noise.strength, 1.0)
    assert noise(torch.zeros(2, 3, 4, 5, dtype=torch.bfloat16)).dtype == torch.bfloat16
    assert noise.double()(torch.zeros(2, 3, 4, 5, dtype=torch.float64)).dtype == torch.float64


def test_a_strength_for_each_channel() -> None:
    noise = Noise(4, 5, channels=3)
    assert torch.equal(noise(torch.ones(2, 3, 4, 5)), torch.ones(2, 3, 4, 5))
    with torch.no_grad():
        noise.strength.copy_(torch.tensor([0.0, 1.0, 2.0])[:, None, None])
    added = noise(torch.zeros(2, 3, 4, 5))
    assert not added[:, 0].any()
    assert torch.equal(added[:, 2], 2 * added[:, 1])
    assert torch.equal(noise.eval()(torch.zeros(1, 3, 4, 5))[0, 1], noise.picture)
