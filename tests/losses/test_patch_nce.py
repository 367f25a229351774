"""The contrast of patches in closed form, and to what it says nothing."""

from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor
from torch.nn.functional import normalize
from torch.testing import assert_close

from gan_lab.errors import ConfigError
from gan_lab.losses.patch_nce import PatchNCE, contrast
from gan_lab.losses.regularizers import Turn

TAU = 0.07


def basis(n: int, places: int) -> Tensor:
    """Orthonormal vectors at every place of every image."""
    return torch.eye(places, dtype=torch.float64).expand(n, -1, -1)


def turn(**patches: list[tuple[Tensor, Tensor]]) -> Turn:
    image = torch.zeros(2, 1, 4, 4)
    return Turn(image, image, lambda images: images, patches=patches)


@pytest.mark.parametrize("tau", [TAU, 1.0])
@pytest.mark.parametrize("places", [2, 5])
def test_orthonormal_patches_at_their_own_places(places: int, tau: float) -> None:
    """-log [e^(1/tau) / (e^(1/tau) + P - 1)], with the e^(-10/tau) of the authors' code to be seen nowhere."""
    patches = basis(3, places)
    expected = -math.log(math.exp(1 / tau) / (math.exp(1 / tau) + places - 1))
    assert_close(contrast(patches, patches, tau), torch.tensor(expected), atol=1e-6, rtol=1e-6)
    theirs = -math.log(math.exp(1 / TAU) / (math.exp(1 / TAU) + places - 1 + math.exp(-10 / TAU)))
    assert theirs == -math.log(math.exp(1 / TAU) / (math.exp(1 / TAU) + places - 1))


def test_orthonormal_patches_elsewhere() -> None:
    """Every patch has moved by one place: -log [1 / (e^(1/tau) + P - 1)]."""
    patches = basis(2, 4)
    expected = math.log(math.exp(1 / TAU) + 3)
    assert_close(contrast(patches, patches.roll(1, 1), TAU), torch.tensor(expected), atol=1e-5, rtol=1e-6)


def test_negatives_are_of_the_same_image_and_nobodys_else() -> None:
    """Each image alone is the same as all together, whatever the others are."""
    torch.manual_seed(0)
    made, given = (normalize(torch.randn(3, 6, 8), dim=-1) for _ in range(2))
    apart = torch.stack([contrast(made[i : i + 1], given[i : i + 1], TAU) for i in range(3)])
    assert_close(contrast(made, given, TAU), apart.mean())


def test_keys_receive_no_gradient() -> None:
    made, given = (torch.randn(2, 3, 4, requires_grad=True) for _ in range(2))
    contrast(made, given, TAU).backward()
    assert made.grad is not None
    assert made.grad.abs().sum() > 0
    assert given.grad is None


def test_it_is_the_mean_over_maps_of_its_own_pair() -> None:
    maps = [(basis(2, n).float(), basis(2, n).roll(n - 3, 1).float()) for n in (3, 4)]
    far = [(basis(2, 3).float(), basis(2, 3).roll(1, 1).float())]
    expected = torch.stack([contrast(*each, TAU) for each in maps]).mean()
    assert_close(PatchNCE("source")(turn(source=maps, identity=far)), expected)
    assert_close(PatchNCE("identity")(turn(source=maps, identity=far)), contrast(*far[0], TAU))
    assert_close(PatchNCE("source", temperature=1.0)(turn(source=far)), contrast(*far[0], 1.0))


def test_it_is_taken_in_fp32_whatever_the_precision() -> None:
    torch.manual_seed(0)
    made, given = (normalize(torch.randn(2, 6, 8), dim=-1) for _ in range(2))
    with torch.autocast("cpu", dtype=torch.bfloat16):
        found = contrast(made, given, TAU)
    assert torch.equal(found, contrast(made, given, TAU))


def test_refusals() -> None:
    with pytest.raises(ConfigError, match=r"patches of the pair 'source' .* \(model=cut\)"):
        PatchNCE("source")(turn())
    for value in (0.0, -1.0, math.inf):
        with pytest.raises(ValueError, match="temperature must be a positive number"):
            PatchNCE("source", temperature=value)
