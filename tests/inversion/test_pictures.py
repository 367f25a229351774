"""Pictures that are given, in the size of a run's."""

from __future__ import annotations

import logging
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from torch.testing import assert_close

from gan_lab.errors import ConfigError
from gan_lab.inversion.pictures import fitted, read_pictures


def test_the_middle_is_taken_and_resized() -> None:
    picture = torch.zeros(1, 1, 8, 16)
    picture[..., :4], picture[..., 12:] = -1, 1
    assert_close(fitted(picture, (1, 4, 4)), torch.zeros(1, 1, 4, 4))
    assert torch.equal(fitted(picture, (1, 8, 16)), picture)
    assert fitted(picture, (3, 4, 8)).shape == (1, 3, 4, 8)
    red = torch.tensor([1.0, -1.0, -1.0]).view(1, 3, 1, 1).expand(-1, -1, 4, 4)
    assert_close(fitted(red, (1, 4, 4)), torch.full((1, 1, 4, 4), 2 * 0.299 - 1))
    assert fitted(torch.randn(1, 1, 31, 17), (1, 16, 16)).abs().max() <= 1


def test_what_cannot_be_read_is_left_out(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    Image.fromarray(np.full((20, 30), 255, np.uint8)).save(tmp_path / "b.png")
    Image.fromarray(np.zeros((16, 16, 3), np.uint8)).save(tmp_path / "a.png")
    (tmp_path / "c.png").write_bytes(b"none")
    caplog.set_level(logging.INFO)
    given = read_pictures(tmp_path, (1, 16, 16))
    assert given.names == ["a", "b"]
    assert_close(given.images, torch.stack([-torch.ones(1, 16, 16), torch.ones(1, 16, 16)]), rtol=0, atol=1e-5)
    assert "left out, cannot be read: c.png (" in caplog.text
    assert "pictures of 30x20 are cut around their middle and resized to 16x16" in caplog.text


@pytest.mark.parametrize("name", ["c.png", ""])
def test_nothing_to_read(tmp_path: Path, name: str) -> None:
    (tmp_path / "c.png").write_bytes(b"none")
    (tmp_path / "d.png").write_bytes(b"none")
    with pytest.raises(ConfigError, match="input: "):
        read_pictures(tmp_path / name, (1, 16, 16))


def test_a_folder_without_pictures(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="input: there are no pictures in"):
        read_pictures(tmp_path, (1, 16, 16))
