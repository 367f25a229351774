"""Style and content in closed form: colours by their moments, edges whatever the colours are."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
import torch
from torch import Tensor

from gan_lab.data.batch import Batch
from gan_lab.errors import GanLabError
from gan_lab.metrics.base import Part
from gan_lab.metrics.style import ContentCorrelation, OfStyles, StyleDistance


def figure(measure: OfStyles, images: Tensor, style: Tensor, content: Tensor | None = None) -> float:
    """Of bytes."""
    accumulator = measure.begin(len(images))
    image, input = (None if each is None else each.float() / 127.5 - 1 for each in (style, content))
    assert image is not None
    accumulator.add(Part(images.byte(), torch.empty(0), None, None, Batch(image, input=input)))
    (value,) = accumulator.values(None)  # type: ignore[arg-type]
    assert (value.name, value.lower_is_better) == (measure.name, measure.lower_is_better)
    return value.value


def checks(low: float, high: float) -> Tensor:
    """A checkerboard of 8x8 in colour: mean (low + high) / 2, unbiased deviation (high - low) / 2 sqrt(64 / 63)."""
    places = torch.arange(8)
    return torch.where((places + places[:, None]) % 2 == 0, low, high).expand(1, 3, 8, 8).clone()


def test_style_is_means_and_deviations() -> None:
    """Where an edge lies has no part in it."""
    style = checks(20.0, 100.0)
    assert figure(StyleDistance(), style.flip(3), style) == 0
    assert figure(StyleDistance(), style + 10, style) == pytest.approx((10**2 / 2) ** 0.5)
    wide = checks(0.0, 120.0)
    assert figure(StyleDistance(), wide, style) == pytest.approx(20 * ((64 / 63) / 2) ** 0.5, abs=1e-4)
    one = style.clone()
    one[:, 0] += 30  # of one channel in three
    assert figure(StyleDistance(), one, style) == pytest.approx((30**2 / 6) ** 0.5)
    both = torch.cat((style, style + 10))
    assert figure(StyleDistance(), both, torch.cat((style, style))) == pytest.approx(50**0.5 / 2)


def test_content_is_where_it_is_brighter() -> None:
    """Whatever the contrast, and whatever the style."""
    content, style = checks(50.0, 200.0), torch.full((1, 3, 8, 8), 9.0)
    of = ContentCorrelation()
    assert figure(of, content, style, content) == pytest.approx(1)
    assert figure(of, checks(100.0, 110.0), style, content) == pytest.approx(1)
    assert figure(of, 255 - content, style, content) == pytest.approx(-1)
    halves = torch.where(torch.arange(8) < 4, 50.0, 200.0).expand(1, 3, 8, 8)
    assert figure(of, halves, style, content) == pytest.approx(0, abs=1e-9)
    assert figure(of, torch.cat((content, style)), torch.cat((style, style)), torch.cat((content, content))) == 1


def test_what_is_refused() -> None:
    images = torch.zeros(1, 3, 8, 8)
    with pytest.raises(GanLabError, match=r"^metrics.content_correlation: the data has no inputs"):
        figure(ContentCorrelation(), images, images)
    with pytest.raises(GanLabError, match=r"^metrics.content_correlation: inputs of 3x4x4 beside images of 3x8x8"):
        figure(ContentCorrelation(), images, images, torch.zeros(1, 3, 4, 4))


@pytest.mark.parametrize("paired", [True, False])
def test_which_data_it_can_be_taken_of(paired: bool) -> None:
    """Pairs and sets that do not belong together; not of images alone, nor of points."""

    def reference(inputs: Any, dtype: str = "uint8") -> Any:
        data = SimpleNamespace(inputs=inputs, store=SimpleNamespace(dtype=dtype))
        return SimpleNamespace(data=data, inputs=SimpleNamespace(paired=paired, image_shape=(3, 8, 8)))

    assert StyleDistance().why_not(reference(object())) is None
    assert StyleDistance().why_not(reference(object(), "float32")) == "the data is points"
    assert (StyleDistance().why_not(reference(None)) is None) == paired
    assert StyleDistance().about_of(reference(None)) == "rgb"
    assert ContentCorrelation().about_of(reference(None)) == "luma"
