"""The table as a picture."""

from __future__ import annotations

from pathlib import Path

import pytest

pytest.importorskip("matplotlib")
from PIL import Image

from gan_lab.ablation.jobs import Variant
from gan_lab.ablation.picture import draw
from gan_lab.ablation.table import tabulate
from tests.ablation.test_table import JOBS


def test_the_picture(tmp_path: Path) -> None:
    assert draw(tmp_path / "table.png", tabulate(JOBS, None)) == tmp_path / "table.png"
    with Image.open(tmp_path / "table.png") as image:
        assert image.width > image.height > 200
    assert draw(tmp_path / "none.png", tabulate([Variant("none", 0)], None)) is None
