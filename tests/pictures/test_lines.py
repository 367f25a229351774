"""Curves as a picture."""

from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor

from gan_lab.pictures.lines import COLOURS, decades, lines, ticks


def of_colour(picture: Tensor, colour: tuple[int, int, int]) -> Tensor:
    """The places `(n, 2)` (row, column) of a colour, below where names stand."""
    return (picture[:, 28:] == torch.tensor(colour)[:, None, None]).all(0).nonzero()


def test_a_line_rises_and_another_falls() -> None:
    up, down = [(0.0, 0.0), (10.0, 1.0)], [(0.0, 1.0), (10.0, 0.0)]
    picture = lines({"up": up, "down": down}, "distance", "steps")
    assert picture.shape == (3, 400, 640)
    rising, falling = (of_colour(picture, colour) for colour in COLOURS[:2])
    assert rising[rising[:, 1].argmin()][0] > rising[rising[:, 1].argmax()][0]
    assert falling[falling[:, 1].argmin()][0] < falling[falling[:, 1].argmax()][0]


def test_decades_lie_evenly() -> None:
    """10^-x is a straight line where y is logarithmic; what is 0 is left out."""
    points = [(float(x), 10.0**-x) for x in range(5)] + [(9.0, 0.0)]
    places = of_colour(lines({"y": points}, "", "x", logarithmic=True), COLOURS[0]).float()
    slopes = (places[:, 0] - places[0, 0]) / (places[:, 1] - places[0, 1]).clamp(min=1)
    far = places[:, 1] > places[0, 1] + 100
    assert slopes[far].std() < 0.05


def test_ticks_are_round() -> None:
    assert ticks(0, 1) == [0, 0.2, 0.4, 0.6, 0.8, 1.0]
    assert ticks(3, 47) == [10, 20, 30, 40]
    assert ticks(2, 2) == [2]
    assert decades(-1.2, 0.1) == pytest.approx([math.log10(each) for each in (0.1, 0.2, 0.5, 1)])
    assert decades(-5.5, 0) == [-5, -4, -3, -2, -1, 0]
    assert decades(0.4, 0.5) == [0.4]


def test_no_point() -> None:
    with pytest.raises(ValueError, match="there is no point to draw"):
        lines({"y": [(0.0, 0.0)]}, "", "", logarithmic=True)
    assert lines({"y": [(1.0, 3.0)]}, "", "").shape == (3, 400, 640)
