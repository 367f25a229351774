"""PNGs of 16 bits: any reader reads them."""

from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image

from gan_lab.pictures import png
from gan_lab.pictures.png import encode_sixteen


def test_others_read_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """The gray of 16 bits that Pillow reads whole, the upper byte of colours, and the text; over many parts, too."""
    values = np.random.default_rng(0).integers(0, 65536, (40, 7, 3), np.uint16)
    one = encode_sixteen(values, {"Title": "a b", "Comment": "ü"})
    monkeypatch.setattr(png, "PART", 100)
    for data in (one, encode_sixteen(values, {"Title": "a b", "Comment": "ü"})):
        with Image.open(io.BytesIO(data)) as image:
            assert (image.mode, image.size) == ("RGB", (7, 40))
            assert np.array_equal(np.asarray(image), values >> 8)
            assert image.text == {"Title": "a b", "Comment": "ü"}  # type: ignore[attr-defined]
    with Image.open(io.BytesIO(encode_sixteen(values[..., :1], {}))) as image:
        assert np.array_equal(np.asarray(image), values[..., 0])
    assert encode_sixteen(values.transpose(1, 0, 2), {}) == encode_sixteen(values.transpose(1, 0, 2).copy(), {})
