"""The strength of patterns of period two, in closed form."""

from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor

from gan_lab.health.checkerboard import SMALLEST, amplitude

ROWS, COLUMNS = torch.meshgrid(torch.arange(12), torch.arange(16), indexing="ij")
BOARD = 1.0 - 2.0 * ((ROWS + COLUMNS) % 2)
STRIPES = 1.0 - 2.0 * (COLUMNS % 2)
EDGE = (COLUMNS > 7).float()
NOISE = torch.randn(64, 3, 32, 32, generator=torch.Generator().manual_seed(0))

PATTERNS = {
    "none": (torch.zeros(12, 16), 0.0),
    "a ramp": (0.1 * ROWS - 0.3 * COLUMNS, 0.0),
    "an edge": (EDGE, 0.0),
    "a checkerboard": (0.3 * BOARD, 0.3),
    "stripes": (0.3 * STRIPES, 0.3 / math.sqrt(2)),
    "a checkerboard on a ramp": (0.3 * BOARD + 0.2 * ROWS, 0.3),
    "period three": (torch.cos(2 * math.pi * COLUMNS / 3), math.sqrt(max(0.75**2 * math.cos(8 * math.pi / 3), 0) / 4)),
}


@pytest.mark.parametrize("pattern", PATTERNS)
def test_amplitude(pattern: str) -> None:
    image, expected = PATTERNS[pattern]
    torch.testing.assert_close(float(amplitude(image[None, None].float())), expected, rtol=1e-5, atol=1e-6)


def test_noise_has_none() -> None:
    """Its root mean square is 1; a pattern of a tenth of that is found in it."""
    assert float(amplitude(NOISE)) < 0.03
    board: Tensor = 0.1 * (1.0 - 2.0 * ((torch.arange(32)[:, None] + torch.arange(32)) % 2))
    assert float(amplitude(NOISE + board)) == pytest.approx(0.1, abs=0.01)


def test_the_smallest_image_shows_it() -> None:
    assert float(amplitude(BOARD[None, None, :SMALLEST, :SMALLEST])) == 1.0
