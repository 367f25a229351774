"""A run of 0.4.1 goes on: `stored/run-0.4.1.zip`, cgan on digits, 4 steps, LeCam, instance noise, a linear rate."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from gan_lab.config import RENAMED, check_targets, with_current_targets
from gan_lab.sampling.trained import load
from gan_lab.storage import checkpoint

STORED = Path(__file__).parent / "stored" / "run-0.4.1.zip"


@pytest.fixture
def old_run(here: Path) -> Path:
    with zipfile.ZipFile(STORED) as archive:
        archive.extractall(here)
    return here / "run041"


def test_it_resumes(old_run: Path, gan_lab: Callable[..., int]) -> None:
    assert gan_lab("train", f"resume={old_run}", "trainer.max_steps=6") == 0
    assert json.loads((old_run / "summary.json").read_text())["state"] == "finished"
    state = checkpoint.load(old_run / "checkpoints" / "last.pt")
    assert state["step"] == 6
    assert int(state["algorithm"]["regularizers"]["lecam"]["turns"]) == 6
    check_targets({key: value for key, value in state["config"].items() if key not in ("choices", "overrides")})


def test_it_samples(old_run: Path, gan_lab: Callable[..., int]) -> None:
    assert gan_lab("sample", f"run={old_run}", "n=4", "label=3", "out=pictures") == 0
    assert len(list(Path("pictures").glob("*.png"))) == 5
    assert load(old_run).classes == [str(digit) for digit in range(10)]


def test_it_is_evaluated(old_run: Path, gan_lab: Callable[..., int]) -> None:
    before = json.loads((old_run / "summary.json").read_text())["metrics"]
    assert gan_lab("evaluate", f"run={old_run}", "n=16", "metrics=[fid]", "extractor=pixels") == 0
    after = json.loads((old_run / "summary.json").read_text())["metrics"]
    assert set(before) <= set(after)


def test_every_renamed_class_is_there() -> None:
    """What a name begins with leads to a module or a class that is here, and a present name stays as it is."""
    for old, new in RENAMED.items():
        if not new.endswith("."):
            check_targets({"_target_": new})
        node = {"inside": [{"_target_": f"{old}X" if old.endswith(".") else old}]}
        assert with_current_targets(node) == {"inside": [{"_target_": f"{new}X" if new.endswith(".") else new}]}
        assert with_current_targets(with_current_targets(node)) == with_current_targets(node)
        __import__(new.rstrip(".") if new.endswith(".") else new.rpartition(".")[0])
