"""Tables of named columns: places, sizes, colours, names."""

from __future__ import annotations

import pytest
import torch
from PIL import ImageFont
from torch import Tensor

from gan_lab.pictures.grid import grid
from gan_lab.pictures.panel import APART, HEADER, panel


def flat(rows: int, shade: float, side: int, channels: int = 1) -> Tensor:
    return torch.full((rows, channels, side, side), shade)


def test_a_row_is_a_sample_and_columns_stand_in_their_order() -> None:
    """Every picture of two columns of different sizes lies where it should, whole and in its own shade."""
    small = torch.stack([flat(1, -1.0, 2)[0], flat(1, -0.5, 2)[0]])
    large = torch.stack([flat(1, 0.0, 8)[0], flat(1, 0.5, 8)[0]])
    picture = panel({"input": small, "target": large}, tile=8, gap=1)
    assert picture.shape == (3, HEADER + 2 * 9 + 1, 2 * 9 + 1)
    assert picture.dtype == torch.uint8
    for row, column, shade in ((0, 0, 0), (1, 0, 64), (0, 1, 128), (1, 1, 191)):
        top, left = HEADER + 1 + row * 9, 1 + column * 9
        assert picture[:, top : top + 8, left : left + 8].unique().tolist() == [shade]
        assert (picture[:, top - 1, left : left + 8] == 255).all()
        assert (picture[:, top : top + 8, left - 1] == 255).all()


def test_enlarged_by_the_nearest_pixel() -> None:
    checks = torch.tensor([[-1.0, 1.0], [1.0, -1.0]]).view(1, 1, 2, 2)
    picture = panel({"input": checks, "target": flat(1, 0.0, 6)}, tile=12, gap=0)[0, HEADER:, :12]
    expected = ((checks + 1) * 127.5)[0, 0].repeat_interleave(6, 0).repeat_interleave(6, 1)
    assert torch.equal(picture.float(), expected)


def test_sides_stay_in_proportion() -> None:
    picture = panel({"wide": torch.zeros(1, 1, 4, 8), "high": torch.zeros(1, 1, 16, 8)}, tile=16, gap=0)
    assert picture.shape == (3, HEADER + 16, 32 + 8)


def test_gray_stands_beside_colour_and_more_channels_are_left_out() -> None:
    red = torch.tensor([1.0, -1.0, -1.0, 0.3]).view(1, 4, 1, 1).expand(1, 4, 8, 8)
    two = torch.tensor([0.0, 1.0]).view(1, 2, 1, 1).expand(1, 2, 8, 8)
    picture = panel({"gray": flat(1, 0.0, 8), "masked": red, "two": two}, tile=8, gap=0)
    below = picture[:, HEADER]
    assert [below[:, place].tolist() for place in (0, 8, 16)] == [[128] * 3, [255, 0, 0], [128] * 3]


def test_names_stand_above_their_columns() -> None:
    """A name leaves ink above its own column and nowhere else; one that is too long ends in dots inside of it."""
    columns = {"a": flat(1, 0.0, 64), "": flat(1, 0.0, 64), "i" * 200: flat(1, 0.0, 64)}
    ink = panel(columns)[0, :HEADER] < 200
    assert [bool(ink[:, left : left + 66].any()) for left in (1, 67, 133)] == [True, False, True]
    written = ink[:, 133:].any(0).nonzero().flatten()
    assert written.max() < 66
    assert len(written) > 15
    assert not torch.equal(panel({"a": columns["a"], "b": columns["a"]}), panel({"b": columns["a"], "a": columns["a"]}))


def test_a_font_without_unicode(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where Pillow was built without FreeType its font knows Latin alone."""
    plain = ImageFont.load_default_imagefont()
    monkeypatch.setattr(ImageFont, "load_default", lambda: plain)
    assert (panel({"猫": flat(1, 0.0, 64), "b": flat(1, 0.0, 64)})[0, :HEADER, :66] < 200).any()


def test_one_column_is_a_near_square_grid() -> None:
    images = torch.rand(7, 1, 8, 8) * 2 - 1
    assert torch.equal(panel({"samples": images}), grid(images))


def test_a_long_table_is_parted_into_stacks() -> None:
    """Row after row runs down each stack, every stack has the names; a short one stays whole."""
    shades = torch.linspace(-1, 1, 32)
    rows = shades.view(32, 1, 1, 1).expand(32, 1, 8, 8)
    picture = panel({"a": rows, "b": rows}, tile=8, gap=0)
    stacks, each, width = 4, 8, 16
    assert picture.shape == (3, HEADER + each * 8, stacks * (width + APART) - APART)
    found = [picture[0, HEADER + row * 8, stack * (width + APART)] for stack in range(stacks) for row in range(each)]
    assert torch.equal(torch.stack(found).float(), ((shades + 1) * 127.5).round())
    assert all((picture[0, :HEADER, stack * (width + APART) :][:, :width] < 200).any() for stack in range(stacks))
    assert panel({"a": rows[:7], "b": rows[:7]}, tile=8, gap=0).shape[2] == width


def test_what_is_refused() -> None:
    for columns in ({}, {"a": flat(2, 0.0, 4), "b": flat(3, 0.0, 4)}):
        with pytest.raises(ValueError, match="columns of one length"):
            panel(columns)
