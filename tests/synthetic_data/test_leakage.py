"""Test images that a generator or a classifier has seen are refused, or left out."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from gan_lab.data.packing import pack
from gan_lab.data.store import Store
from gan_lab.errors import ConfigError
from gan_lab.synthetic_data.leakage import checksums_of, strangers
from tests.data.conftest import Array


def stored(root: Path, name: str, seed: int, count: int = 40, taken: Store | None = None, twins: int = 0) -> Store:
    """Random images, the last `twins` of which are those of another store."""
    source = Array(count, (1, 4, 4), seed)
    if taken is not None:
        source.images[count - twins :] = taken.images[:twins]
    return pack(source, (1, 4, 4), "crop", root / f"{name}-4x4x1-0", name)


def test_checksums_of_streams() -> None:
    assert checksums_of(None) == set()
    assert checksums_of({"sha256": "a", "epoch": 0}) == {"a"}
    assert checksums_of({"image": {"sha256": "a"}, "input": {"sha256": "b"}}) == {"a", "b"}


def test_strangers(root: Path, caplog: pytest.LogCaptureFixture) -> None:
    train, other = stored(root, "train", 0), stored(root, "other", 1)
    test = stored(root, "test", 2)
    assert strangers(test, [train, other], {train.sha256}).tolist() == list(range(40))
    assert not caplog.messages
    few = stored(root, "few", 3, taken=other, twins=2)  # 1 of 20 may be there by accident
    assert strangers(few, [train, other], {train.sha256}).tolist() == list(range(38))
    assert "2 of 40 images are among those of training, too; they are left out" in caplog.text
    many = stored(root, "many", 4, taken=train, twins=3)
    with pytest.raises(ConfigError, match="test: 3 of 40 images are among those that the generator or the classifiers"):
        strangers(many, [train], set())
    with pytest.raises(ConfigError, match="test: the generator was trained on these very images"):
        strangers(test, [train], {test.sha256})
    assert np.array_equal(strangers(test, [train], {"another"}), np.arange(40))
