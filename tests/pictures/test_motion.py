"""Films, and what is refused."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from gan_lab.errors import ConfigError
from gan_lab.pictures import motion


def frames(count: int, height: int, width: int) -> torch.Tensor:
    """Each of one colour."""
    colours = torch.arange(count * 3, dtype=torch.uint8).view(count, 3, 1, 1) * 20
    return colours.expand(count, 3, height, width).contiguous()


def test_a_webp_has_every_frame_as_it_is(tmp_path: Path) -> None:
    made = frames(4, 30, 21)
    motion.write_webp(tmp_path / "film.webp", made, 20, "synthetic image")
    with Image.open(tmp_path / "film.webp") as film:
        assert (film.n_frames, film.size, film.info["loop"]) == (4, (21 * 9, 30 * 9), 0)  # to 256 pixels or more
        assert film.getexif()[motion.DESCRIPTION] == "synthetic image"
        for number, frame in enumerate(made):
            film.seek(number)
            film.load()
            assert film.info["duration"] == 50
            assert np.array_equal(np.asarray(film.convert("RGB"))[0, 0], frame[:, 0, 0].numpy())


def test_large_frames_stay_as_they_are() -> None:
    assert motion.enlarged(frames(1, 10, 256)).shape == (1, 3, 10, 256)
    assert motion.enlarged(frames(1, 10, 255)).shape == (1, 3, 20, 510)


def test_sides_become_even_by_white() -> None:
    made = motion.even(frames(1, 3, 4))
    assert made.shape == (1, 3, 4, 4)
    assert (made[0, :, 3] == 255).all()
    assert torch.equal(made[:, :, :3], frames(1, 3, 4))


def test_an_mp4(tmp_path: Path) -> None:
    av = pytest.importorskip("av")
    motion.write_mp4(tmp_path / "film.mp4", frames(5, 301, 300), 25, "synthetic image")
    with av.open(str(tmp_path / "film.mp4")) as film:
        stream = film.streams.video[0]
        assert (stream.width, stream.height, stream.pix_fmt, stream.average_rate) == (300, 302, "yuv420p", 25)
        assert len(list(film.decode(stream))) == 5


def test_without_av(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "av", None)
    with pytest.raises(ConfigError, match=r"mp4: writing it takes PyAV: pip install 'gan-lab\[video\]'"):
        motion.require_av()
