"""From latents to maps: which map excites which, how many channels there are, and what a doubling is made of."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor
from torch.nn.functional import glu, interpolate
from torch.testing import assert_close

from gan_lab.models.fastgan_trunk import Trunk, channels_of, initialise


@pytest.mark.parametrize(
    ("size", "excited"),
    [(16, {2: 0}), (32, {3: 0}), (64, {4: 0}), (256, {4: 0, 5: 1, 6: 2}), (1024, {4: 0, 5: 1, 6: 2, 7: 3})],
)
def test_a_map_is_excited_by_the_one_of_a_16th(size: int, excited: dict[int, int]) -> None:
    with torch.device("meta"):
        trunk = Trunk((3, size, size), 6, 16, lambda step: False)
    assert {int(step): int(step) - trunk.reach for step in trunk.excitations} == excited
    assert trunk.channels == channels_of(16, len(trunk.blocks))[-1]


def test_the_papers_channels() -> None:
    assert channels_of(64, 8) == [1024, 512, 256, 128, 128, 64, 32, 16, 8]
    assert channels_of(1, 8)[-1] == 1


def test_by_hand() -> None:
    """Doubled by nearest neighbours, one convolution, BatchNorm and GLU; the last of them excited by the first."""
    torch.manual_seed(0)
    trunk, latent = Trunk((1, 16, 16), 6, 2, lambda step: False).double(), torch.randn(3, 6, dtype=torch.float64)

    def grown(maps: Tensor, step: int) -> Tensor:
        _, convolution, norm, _ = trunk.blocks[step]  # type: ignore[misc]
        return glu(norm(convolution(interpolate(maps, scale_factor=2.0))), 1)

    first = trunk.first(latent.view(3, 6, 1, 1))
    assert first.shape == (3, 32, 4, 4)
    expected = trunk.excitations["2"](first, grown(grown(first, 0), 1))
    assert_close(trunk.largest(latent), expected)


def test_weights_at_the_start() -> None:
    torch.manual_seed(0)
    trunk = Trunk((1, 16, 16), 64, 32, lambda step: True).apply(initialise)
    assert_close(trunk.blocks[0][1].weight.std().item(), 0.02, rtol=0.02, atol=0)  # type: ignore[index]
    scales = trunk.first[1].weight  # type: ignore[index]
    assert_close([scales.mean().item(), scales.std().item()], [1.0, 0.02], rtol=0.1, atol=0.002)


def test_refusals() -> None:
    with pytest.raises(ValueError, match="width must be at least 1, not 0"):
        channels_of(0, 2)
    with pytest.raises(ValueError, match="an image of 9 doublings is larger than the largest known, of 8"):
        channels_of(8, 9)
