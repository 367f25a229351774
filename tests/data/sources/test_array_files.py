"""Files of arrays as what holds arrays by name; what else may be wrong with them is in test_arrays."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from gan_lab.data.sources.array_files import opened
from gan_lab.errors import ConfigError
from tests.data.sources.test_arrays import KINDS, write


@pytest.mark.parametrize("kind", KINDS)
def test_arrays_by_name(kind: str, tmp_path: Path) -> None:
    with opened(write(tmp_path / f"a.{kind}", x=np.arange(3), train__y=np.eye(2)), "dataset.path") as arrays:
        assert sorted(arrays) == ["train/y", "x"]
        assert np.asarray(arrays["x"][()]).tolist() == [0, 1, 2]


def test_an_npy_has_no_name_and_is_mapped(tmp_path: Path) -> None:
    np.save(tmp_path / "a.npy", np.arange(4))
    with opened(tmp_path / "a.npy", "dataset.path") as arrays:
        assert list(arrays) == [""]
        assert isinstance(arrays[""], np.memmap)


def test_another_kind_of_file(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("0")
    with pytest.raises(ConfigError, match=r"^from: .*a\.txt is not an array file"), opened(tmp_path / "a.txt", "from"):
        pass
