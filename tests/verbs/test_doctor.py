"""`gan-lab doctor` from the command line."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest


def test_of_this_machine(gan_lab: Callable[..., int], capsys: pytest.CaptureFixture[str]) -> None:
    assert gan_lab("doctor", "device=cpu", "precision=fp32") == 0
    out = capsys.readouterr().out
    assert out.startswith("ok   gan-lab    ")
    assert "compute    device cpu, precision fp32 (as asked)" in out


@pytest.mark.parametrize("word", ["run", "run=run"])
def test_of_a_run(
    word: str, trained: Callable[..., Path], gan_lab: Callable[..., int], capsys: pytest.CaptureFixture[str]
) -> None:
    trained("run", "model=gan_small")
    capsys.readouterr()
    assert gan_lab("doctor", word) == 0
    assert capsys.readouterr().out.startswith("ok   run        finished at step 2 of 2\n")


def test_of_no_run(gan_lab: Callable[..., int], capsys: pytest.CaptureFixture[str]) -> None:
    assert gan_lab("doctor", "run=nowhere") == 2
    assert "run=nowhere: not a run folder" in capsys.readouterr().err


def test_it_imports_no_torch() -> None:
    code = "import sys, gan_lab.verbs.doctor, gan_lab.health.machine; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
