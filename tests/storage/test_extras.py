from __future__ import annotations

import json
import sys

import pytest

from gan_lab.errors import GanLabError
from gan_lab.storage.extras import import_extra


def test_a_package_that_is_there() -> None:
    assert import_extra("json", "none") is json


def test_a_missing_package_is_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    monkeypatch.setitem(sys.modules, "pyarrow.parquet", None)
    with pytest.raises(GanLabError) as caught:
        import_extra("pyarrow.parquet", "parquet")
    assert str(caught.value) == "this dataset needs the package pyarrow: pip install 'gan-lab[parquet]'"
