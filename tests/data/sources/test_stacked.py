from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from gan_lab.data.sources.digits import Digits
from gan_lab.data.sources.folder import Folder
from gan_lab.data.sources.stacked import Stacked
from gan_lab.errors import ConfigError
from tests.data.conftest import Array, encoded, mnist_like, noise, write_tree


def test_every_channel_is_a_digit_and_the_label_is_their_number() -> None:
    digits = {image.tobytes(): label for _, image, label in Digits()}
    source = Stacked(Digits(), count=300)
    samples = list(source)
    assert len(source) == len(samples) == 300
    for _, image, label in samples:
        assert image.shape == (3, 8, 8)
        a, b, c = (digits[channel.tobytes()] for channel in image)
        assert label == 100 * a + 10 * b + c
    assert source.classes is not None
    assert len(source.classes) == 1000
    assert (source.classes[0], source.classes[42], source.classes[999]) == ("000", "042", "999")
    assert source.channels == 3


def test_the_draw_is_even_and_seeded() -> None:
    labels = np.array([label for _, _, label in Stacked(Digits(), count=30_000)])
    counts = np.bincount(np.array([Digits()._load()[1]]).ravel(), minlength=10)
    for digit in (labels // 100, labels // 10 % 10, labels % 10):
        expected = 30_000 * counts / counts.sum()
        np.testing.assert_allclose(np.bincount(digit, minlength=10), expected, atol=5 * np.sqrt(expected.max()))
    for seed in (0, 1):
        again = [label for _, _, label in Stacked(Digits(), count=50, seed=seed)]
        assert (again == labels[:50].tolist()) is (seed == 0)


def test_images_of_the_users_are_stacked_too(tmp_path: Path) -> None:
    folder = Folder(write_tree(tmp_path / "mnist", mnist_like()))
    source = Stacked(Digits(), count=20, seed=1).replaced_by(folder)
    assert isinstance(source, Stacked)
    assert (source.count, source.seed) == (20, 1)
    assert [image.shape for _, image, _ in source] == [(3, 28, 28)] * 20
    assert source.classes is not None
    assert source.classes[7] == "007"
    assert folder.identity in source.identity


def test_colours_become_gray_and_sizes_the_first(tmp_path: Path) -> None:
    members = {f"{name}/{i}.png": encoded(noise(6 + i, 5, seed=i)) for name in ("cat", "dog") for i in (0, 1)}
    source = Stacked(Folder(write_tree(tmp_path / "pets", members)), count=9)
    assert {image.shape for _, image, _ in source} == {(3, 5, 6)}
    assert source.classes is not None
    assert (len(source.classes), source.classes[5]) == (8, "dog/cat/dog")


def test_labels_without_names_are_numbered() -> None:
    array = Array(6, (1, 4, 4))
    array.classes = None  # type: ignore[assignment]
    source = Stacked(array, count=3)
    list(source)
    assert source.classes is not None
    assert source.classes[5] == "012"


def test_what_cannot_be_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"^count=0: must be at least 1$"):
        Stacked(Digits(), count=0)
    flat = Folder(write_tree(tmp_path / "flat", {"a.png": encoded(noise(4, 4))}))
    with pytest.raises(ConfigError, match=r"^dataset: a\.png of folder .* has no label; stacking needs one for each$"):
        list(Stacked(flat))
    with pytest.raises(ConfigError, match=r"^dataset: random images 0 has no images$"):
        list(Stacked(Array(0)))
