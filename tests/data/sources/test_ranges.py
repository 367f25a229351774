from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from gan_lab.data.sources import ranges
from gan_lab.errors import ConfigError


@pytest.mark.parametrize(
    ("shape", "found"),
    [
        ((9, 28, 28), "NHW"),
        ((9, 28, 1), "NHW"),
        ((9, 28, 30, 1), "NHWC"),
        ((9, 28, 30, 3), "NHWC"),
        ((9, 28, 30, 4), "NHWC"),
        ((9, 1, 28, 30), "NCHW"),
        ((9, 3, 28, 30), "NCHW"),
    ],
)
def test_the_axes_are_told_from_the_shape(shape: tuple[int, ...], found: str) -> None:
    assert ranges.layout(shape, None, "x") == found
    assert ranges.layout(shape, found, "x") == found


@pytest.mark.parametrize("shape", [(9, 3, 28, 3), (9, 1, 1, 1), (9, 28, 28, 28), (28, 28, 3), (9, 28, 28, 2)])
def test_axes_that_could_be_two_things_are_asked_for(shape: tuple[int, ...]) -> None:
    with pytest.raises(
        ConfigError, match=r"^x: its shape \[.*\] does not tell where the channels are; say dataset\.rea"
    ):
        ranges.layout(shape, None, "x")


def test_a_given_layout_stands_where_it_fits() -> None:
    assert ranges.layout((9, 3, 28, 3), "NHWC", "x") == "NHWC"
    assert ranges.layout((28, 28, 3), "NHW", "x") == "NHW"
    for shape, given in (((9, 28, 28), "NHWC"), ((9, 28, 28, 3), "NCHW"), ((9, 28, 28, 3), "NHW"), ((9,), "NHW")):
        with pytest.raises(ConfigError, match=rf"^x: its shape \[.*\] is not {given} \(dataset\.reader\.layout\)$"):
            ranges.layout(shape, given, "x")
    for shape in ((9, 784), (9,), (1, 2, 3, 4, 3)):
        with pytest.raises(ConfigError, match="is no stack of images"):
            ranges.layout(shape, None, "x")


@pytest.mark.parametrize(
    ("values", "dtype", "found"),
    [
        ([3, 4], np.uint8, (0, 255)),
        ([False, True], bool, (0, 1)),
        ([0, 65535], np.uint16, (0, 65535)),
        ([0, 32768], np.uint16, (0, 65535)),
        ([0.0, 0.51], np.float32, (0, 1)),
        ([0.2, 1.00001], np.float64, (0, 1)),
        ([-0.51, 0.51], np.float32, (-1, 1)),
        ([-1, 1], np.float16, (-1, 1)),
    ],
)
def test_black_and_white_are_told_where_they_can_be(values: list[Any], dtype: Any, found: tuple[float, float]) -> None:
    assert ranges.black_and_white(np.array(values, dtype), None, "x") == found


@pytest.mark.parametrize(
    ("values", "dtype"),
    [
        ([0, 255], np.uint16),  # 8 bits in 16
        ([0, 4095], np.uint16),  # 12 bits
        ([0, 255], np.int64),
        ([0, 255], np.float32),
        ([0, 0.5], np.float32),
        ([-0.5, 0.5], np.float32),
        ([-0.6, 0.4], np.float32),
        ([-1.1, 1], np.float32),
        ([-0.001, 1], np.float32),
        ([0, 0], np.float32),
    ],
)
def test_what_is_ambiguous_is_asked_for(values: list[Any], dtype: Any) -> None:
    with pytest.raises(
        ConfigError, match=r"^x: .* does not tell what is black and what is white; say dataset\.reader\."
    ):
        ranges.black_and_white(np.array(values, dtype), None, "x")


def test_a_given_range_stands_and_must_hold() -> None:
    assert ranges.black_and_white(np.array([0, 4000], np.uint16), [0, 4095], "x") == (0, 4095)
    with pytest.raises(
        ConfigError, match=r"^x: its values go from 0 to 4096, beyond dataset\.reader\.range=\[0, 4095\]"
    ):
        ranges.black_and_white(np.array([0, 4096], np.uint16), [0, 4095], "x")
    for odd in ([1, 0], [0], 3, ["a", "b"]):
        with pytest.raises(ConfigError, match=r"^dataset\.reader\.range=.*two numbers, the first the smaller$"):
            ranges.black_and_white(np.zeros(2, np.uint16), odd, "x")  # type: ignore[arg-type]
    with pytest.raises(ConfigError, match=r"^x: holds values that are not finite$"):
        ranges.black_and_white(np.array([0, 1, np.nan], np.float32), [0, 1], "x")


def test_bytes_are_the_inverse_of_how_a_batch_is_read() -> None:
    every = np.arange(256, dtype=np.uint8)
    np.testing.assert_array_equal(ranges.to_bytes(every, 0, 255), every)
    np.testing.assert_array_equal(ranges.to_bytes((every / 127.5 - 1).astype(np.float32), -1, 1), every)
    np.testing.assert_array_equal(ranges.to_bytes((every / 255).astype(np.float32), 0, 1), every)
    np.testing.assert_array_equal(ranges.to_bytes(every.astype(np.uint16) * 257, 0, 65535), every)
    np.testing.assert_array_equal(ranges.to_bytes(np.array([False, True]), 0, 1), [0, 255])
    np.testing.assert_array_equal(ranges.to_bytes(np.array([-1.00005, 1.00005]), -1, 1), [0, 255])


def test_chunks_are_the_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    values = np.arange(7 * 6, dtype=np.uint16).reshape(7, 3, 2)
    monkeypatch.setattr(ranges, "CHUNK_BYTES", 30)
    parts = list(ranges.chunks(values))
    assert [len(part) for part in parts] == [2, 2, 2, 1]
    np.testing.assert_array_equal(np.concatenate(parts), values)
