"""Which image sizes a halving network takes, and what it says about the others."""

from __future__ import annotations

import pytest

from gan_lab.layers.first_map import FirstMap, check_image_shape, first_map


@pytest.mark.parametrize(
    ("size", "expected"),
    [
        ((8, 8), (1, 4, 4)),
        ((16, 16), (2, 4, 4)),
        ((28, 28), (2, 7, 7)),
        ((32, 32), (3, 4, 4)),
        ((48, 48), (3, 6, 6)),
        ((64, 64), (4, 4, 4)),
        ((128, 128), (5, 4, 4)),
        ((256, 256), (6, 4, 4)),
        ((96, 64), (4, 6, 4)),
        ((28, 20), (2, 7, 5)),
        ((64, 128), (4, 4, 8)),
    ],
)
def test_sizes_that_work(size: tuple[int, int], expected: tuple[int, int, int]) -> None:
    assert first_map((3, *size)) == FirstMap(*expected)


@pytest.mark.parametrize(
    ("shape", "named"),
    [
        ((3, 89, 109), "image_shape 3x89x109 .* 96x112 or 80x96 .*=\\[3,96,112\\]"),
        ((1, 30, 30), "image_shape 1x30x30 .* 32x32 or 28x28 .*=\\[1,32,32\\]"),
        ((3, 100, 100), "112x112 or 96x96"),
        ((3, 7, 7), "nearest sizes that work: 8x8 "),
        ((3, 4, 4), "nearest sizes that work: 8x8 "),
        ((3, 32, 33), "32x40 or 32x32"),
    ],
)
def test_sizes_that_do_not(shape: tuple[int, int, int], named: str) -> None:
    with pytest.raises(ValueError, match=named) as error:
        first_map(shape)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("shape", [(c, h, w) for c in (1, 3) for h in range(9, 140, 13) for w in range(5, 140, 17)])
def test_every_size_named_works(shape: tuple[int, int, int]) -> None:
    """Whatever is refused, what is offered instead is accepted."""
    try:
        first_map(shape)
    except ValueError as error:
        offered = str(error).split("work: ")[1].split(" (")[0].split(" or ")
        for size in offered:
            height, width = map(int, size.split("x"))
            assert first_map((3, height, width)).blocks >= 1


@pytest.mark.parametrize("shape", [(3, 32), (3, 0, 32), (-1, 32, 32), ()])
def test_not_an_image_shape(shape: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match=r"image_shape must be \[channels, height, width\]"):
        check_image_shape(shape)
