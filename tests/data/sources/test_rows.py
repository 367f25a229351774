from __future__ import annotations

import logging
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

from gan_lab.data.sources.rows import Rows
from gan_lab.errors import GanLabError
from tests.data.conftest import encoded, noise


class Table(Rows):
    """Given cells, labelled by their place."""

    def __init__(self, *cells: Any, max_corrupt: int = 0) -> None:
        self.cells = cells
        self.max_corrupt = max_corrupt

    @property
    def identity(self) -> str:
        return "table"

    def describe(self) -> str:
        return "a table"

    def __len__(self) -> int:
        return len(self.cells)

    def rows(self) -> Iterator[tuple[Any, int | None]]:
        return ((cell, place) for place, cell in enumerate(self.cells))


GRAY, COLOUR = encoded(noise(4, 4, "L")), encoded(noise(5, 4))


def test_bytes_and_structs_are_decoded() -> None:
    samples = list(Table(COLOUR, {"bytes": GRAY, "path": "x.png"}, memoryview(COLOUR)))
    np.testing.assert_array_equal(np.asarray(samples[0][1]), np.asarray(noise(5, 4)))
    np.testing.assert_array_equal(np.asarray(samples[1][1]), np.asarray(noise(4, 4, "L")))
    assert [label for _, _, label in samples] == [0, 1, 2]


def test_channels_are_told_from_the_headers() -> None:
    assert Table(GRAY, b"damaged", None, GRAY).channels == 1
    assert Table(GRAY, COLOUR).channels == 3


def test_what_cannot_be_read_is_counted(caplog: pytest.LogCaptureFixture) -> None:
    cells = (COLOUR, b"damaged", None, {"path": "x.png", "bytes": None}, GRAY)
    with pytest.raises(GanLabError) as caught:
        list(Table(*cells, max_corrupt=2))
    assert str(caught.value) == (
        "a table: 3 of 5 rows cannot be read as images (row 1: not an image, row 2: no bytes, row 3: only the name of "
        "a file (x.png), no bytes); store the bytes of each file beside it, or leave them out with "
        "dataset.max_corrupt=3; nothing was packed"
    )
    with caplog.at_level(logging.WARNING):
        assert [label for _, _, label in Table(*cells, max_corrupt=3)] == [0, 4]
    assert "3 of 5 rows cannot be read as images and are left out" in caplog.text
