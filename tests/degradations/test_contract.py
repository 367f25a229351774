"""What every degradation keeps, as its YAML has it: shapes, range, no word to the host, draws of its own."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor, nn

from gan_lab.config import build
from gan_lab.degradations.base import Degradation, Span, levels
from gan_lab.errors import ConfigError
from tests.compose import choices, composed
from tests.device import DEVICE, contentless

NAMES = [name for name in choices("degradation") if name != "none"]
DRAWING = {"noise", "blur", "mask", "jpeg", "real_esrgan"}


def made(name: str, **more: Any) -> Degradation:
    degradation: Degradation = build({**composed(f"degradation={name}")["degradation"], **more}, "degradation")
    return degradation


@pytest.fixture
def images() -> Tensor:
    """Levels of files, as a store has them."""
    return torch.randint(256, (3, 3, 24, 16), generator=torch.Generator().manual_seed(0)).float() / 127.5 - 1


def test_none_is_none() -> None:
    assert composed()["degradation"] == {}


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("name", NAMES)
def test_inputs_have_the_shape_and_range_that_is_told(name: str, channels: int, images: Tensor) -> None:
    degradation = made(name)
    before = images.clone()
    found = degradation(images[:, :channels])
    assert found.dtype == torch.float32
    assert tuple(found.shape[1:]) == degradation.shape((channels, 24, 16))
    assert found.abs().max() <= 1
    assert found.std() > 0
    assert torch.equal(images, before)


@pytest.mark.parametrize("name", NAMES)
def test_layout_changes_no_input(name: str, images: Tensor) -> None:
    degradation = made(name)
    found = []
    for layout in (torch.contiguous_format, torch.channels_last):
        torch.manual_seed(0)
        found.append(degradation(images.contiguous(memory_format=layout)))
    torch.testing.assert_close(*found, atol=1e-6, rtol=0)


@pytest.mark.parametrize("name", NAMES)
def test_every_image_is_degraded_on_its_own(name: str, images: Tensor) -> None:
    """Two images alike differ where something is drawn, and only there; the same seed draws the same."""
    degradation = made(name)
    torch.manual_seed(0)
    twins = degradation(images[:1].repeat(2, 1, 1, 1))
    assert torch.equal(twins[0], twins[1]) == (name not in DRAWING)
    torch.manual_seed(0)
    assert torch.equal(degradation(images[:1].repeat(2, 1, 1, 1)), twins)
    if name not in DRAWING:
        torch.testing.assert_close(degradation(images)[1:2], degradation(images[1:2]), atol=1e-6, rtol=0)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("more", [{}, {"kind": "both"}])
def test_a_degradation_never_waits_for_the_device(name: str, more: dict[str, str]) -> None:
    if more and name != "mask":
        pytest.skip("has no kinds")
    degradation = made(name, **more)
    with contentless():
        degradation = _moved(degradation)
        found = degradation(torch.empty(2, 3, 24, 16, device=DEVICE))
    assert found.device.type == "meta"


def _moved(module: Degradation) -> Degradation:
    for part in module.modules():
        for name, buffer in part._buffers.items():
            part._buffers[name] = torch.empty(buffer.shape, device=DEVICE)  # type: ignore[union-attr]
    return module


@pytest.mark.parametrize("name", NAMES)
def test_a_degradation_learns_nothing_and_is_stored_nowhere(name: str) -> None:
    degradation = made(name)
    assert isinstance(degradation, nn.Module)
    assert not list(degradation.parameters())
    assert not degradation.state_dict()


@pytest.mark.parametrize("given", [-1, [2, 1], [1], "2", [0, 300], True, [None, 1]])
def test_spans_that_cannot_be(given: Any) -> None:
    with pytest.raises(
        ConfigError, match=r"^degradation \(gan_lab\.degradations\.noise\.Noise\): sigma=.*: a number fr"
    ):
        made("noise", sigma=given)


def test_a_span_is_uniform() -> None:
    torch.manual_seed(0)
    drawn = Span([2, 6], "it").draw(torch.empty(4000, 1, 1, 1))
    assert drawn.shape == (4000, 1, 1, 1)
    assert 2 <= drawn.min() < 2.01
    assert 5.99 < drawn.max() <= 6
    assert drawn.mean() == pytest.approx(4, abs=0.1)
    assert torch.equal(Span(3, "it").draw(torch.empty(2, 1)), torch.full((2, 1, 1, 1), 3.0))


def test_levels_are_those_of_the_store() -> None:
    stored = torch.arange(256, dtype=torch.uint8)
    assert torch.equal(levels(stored.float() / 127.5 - 1), stored.double())
