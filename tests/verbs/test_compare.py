"""`gan-lab compare`, whatever the files of runs hold (which protocols are kept apart is in `test_evaluate.py`)."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest


def run(folder: Path, summary: str) -> None:
    folder.mkdir()
    (folder / "summary.json").write_text(summary)


def compared(call: Callable[..., int], capsys: pytest.CaptureFixture[str], *metrics: dict[str, Any]) -> tuple[int, str]:
    """`gan-lab compare` of runs with these metrics."""
    for number, own in enumerate(metrics):
        run(Path(f"run{number}"), json.dumps({"state": "finished", "metrics": own}))
    code = call("compare", *(f"run{number}" for number in range(len(metrics))))
    said = capsys.readouterr()
    return code, said.out + said.err


def metric(value: float | None, spread: float | None) -> dict[str, Any]:
    return {"fid/x": {"value": value, "spread": spread, "lower_is_better": True, "card": {}}}


@pytest.mark.parametrize(
    ("one", "other", "row"),
    [
        ((20.0, 0.3), (21.0, 0.4), "20 ± 0.3  21 ± 0.4 (+1 ± 0.5)"),
        ((20.0, 0.3), (21.0, None), "20 ± 0.3  21 (+1)"),
        ((20.0, 0.3), (None, None), "20 ± 0.3   nan"),
        ((None, None), (21.0, 0.4), "nan  21 ± 0.4"),
    ],
)
def test_what_is_no_number_has_no_difference(
    one: Any, other: Any, row: str, gan_lab: Callable[..., int], capsys: pytest.CaptureFixture[str]
) -> None:
    code, said = compared(gan_lab, capsys, metric(*one), metric(*other))
    assert code == 0
    assert said.splitlines()[1].split() == ["fid/x", *row.split()]


def test_runs_that_learned_by_other_networks_are_compared_and_told(
    gan_lab: Callable[..., int], capsys: pytest.CaptureFixture[str]
) -> None:
    one, other = metric(20.0, None), metric(21.0, None)
    other["fid/x"]["card"] = {"looks_with": "loss.regularizers.l vgg16 random"}
    code, said = compared(gan_lab, capsys, one, other)
    assert code == 0
    assert "looks_with: None, loss.regularizers.l vgg16 random" in said.splitlines()


def test_compare_says_which_file_it_cannot_read(
    gan_lab: Callable[..., int], capsys: pytest.CaptureFixture[str]
) -> None:
    run(Path("run8"), json.dumps({"metrics": metric(1.0, None)}))
    run(Path("run9"), "{")
    assert gan_lab("compare", "run8", "run9") == 2
    assert capsys.readouterr().err == "gan-lab compare: runs: run9: summary.json cannot be read\n"
    assert gan_lab("compare") == 2
    assert "name two or more" in capsys.readouterr().err
