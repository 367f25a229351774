"""PSNR of what was missing: the known pixels have no part in it."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from gan_lab.data.batch import Batch
from gan_lab.errors import GanLabError
from gan_lab.metrics.base import Part
from gan_lab.metrics.hole import HolePeakSignalToNoise


def figure(images: Tensor, targets: Tensor, mask: Tensor, border: int = 0) -> tuple[float, float | None]:
    measure = HolePeakSignalToNoise(border)
    accumulator = measure.begin(len(images))
    wanted = targets.float() / 127.5 - 1
    accumulator.add(Part(images, torch.empty(0), None, None, Batch(wanted, input=torch.cat((wanted, mask), 1))))
    (value,) = accumulator.values(None)  # type: ignore[arg-type]
    assert (value.name, value.lower_is_better) == ("psnr_hole", False)
    return value.value, value.spread


def test_only_the_hole_counts() -> None:
    """One level too bright in the hole, black outside of it."""
    targets = torch.full((2, 3, 8, 12), 100, dtype=torch.uint8)
    mask = torch.zeros(2, 1, 8, 12)
    mask[0, :, 2:4, 3:9] = 1
    mask[1, :, :, :1] = 1
    images = torch.where(mask > 0, targets + 1, 0).to(torch.uint8)
    value, spread = figure(images, targets, mask)
    assert value == pytest.approx(48.1308, abs=1e-4)  # 20 log10 255
    assert spread == pytest.approx(0, abs=1e-9)
    assert figure(images, targets, mask, border=1)[0] == pytest.approx(48.1308, abs=1e-4)


def test_an_image_without_a_hole_does_not_count() -> None:
    targets = torch.full((3, 1, 4, 4), 100, dtype=torch.uint8)
    mask = torch.zeros(3, 1, 4, 4)
    mask[0, 0, 0, 0] = 1
    mask[1, 0, :2] = 1
    images = targets.clone()
    images[0] += 10
    images[1] += 1
    images[2] += 100
    assert figure(images, targets, mask)[0] == pytest.approx((28.1308 + 48.1308) / 2, abs=1e-4)


def test_without_a_mask_it_is_refused() -> None:
    images = torch.zeros(1, 3, 4, 4, dtype=torch.uint8)
    with pytest.raises(GanLabError, match=r"^metrics.psnr_hole: without a mask nothing is missing"):
        figure(images, images, torch.zeros(1, 0, 4, 4))
