"""`gan-lab evaluate` and `gan-lab compare`: figures printed, stored, compared, refused where unlike."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from gan_lab.records.sweep import read_json

TAKE = ("extractor=pixels", "n=60", "device=cpu")


def stored(run: Path) -> dict[str, dict[str, object]]:
    found = read_json(run / "summary.json")["metrics"]
    assert isinstance(found, dict)
    return found


def test_evaluate(trained: Callable[..., Path], gan_lab: Callable[..., int], capsys: pytest.CaptureFixture) -> None:
    run = trained("one")
    assert gan_lab("evaluate", f"run={run}", "metrics=[fid,kid,swd]", *TAKE) == 0
    said = capsys.readouterr()
    assert "fid/pixels-area8-60" in said.out + said.err
    figures = stored(run)
    assert set(figures) == {"fid/pixels-area8-60", "kid/pixels-area8-60", "swd/laplacian-60"}
    assert figures["kid/pixels-area8-60"]["spread"] is not None
    card = figures["fid/pixels-area8-60"]["card"]
    assert (card["step"], card["n"], card["extractor"]) == (2, 60, "pixels")
    before = figures["fid/pixels-area8-60"]["value"]
    assert gan_lab("evaluate", f"run={run}", "metrics=[fid]", "repeats=2", "seed=3", *TAKE) == 0
    again = stored(run)["fid/pixels-area8-60"]
    assert again["value"] != before
    assert again["spread"] > 0
    assert set(stored(run)) == set(figures)
    lines = [json.loads(line) for line in (run / "evaluations.jsonl").read_text().splitlines()]
    assert [line["name"] for line in lines] == [*figures, "fid/pixels-area8-60"]
    capsys.readouterr()
    assert gan_lab("runs", ".", "show=fid", "format=json") == 0
    assert json.loads(capsys.readouterr().out)[0]["fid"] == pytest.approx(again["value"])


def test_figures_outlive_a_resumption(trained: Callable[..., Path], gan_lab: Callable[..., int]) -> None:
    run = trained("one")
    assert gan_lab("evaluate", f"run={run}", "metrics=[fid]", *TAKE) == 0
    before = stored(run)
    assert gan_lab("train", f"resume={run}", "trainer.max_steps=4") == 0
    assert stored(run) == before


def test_the_same_seed_gives_the_same_figure(trained: Callable[..., Path], gan_lab: Callable[..., int]) -> None:
    run = trained("one")
    for _ in range(2):
        assert gan_lab("evaluate", f"run={run}", "metrics=[fid]", *TAKE) == 0
    one, two = map(json.loads, (run / "evaluations.jsonl").read_text().splitlines())
    assert one == two


def test_compare(trained: Callable[..., Path], gan_lab: Callable[..., int], capsys: pytest.CaptureFixture) -> None:
    one, two = trained("one"), trained("two", "seed=5")
    capsys.readouterr()
    assert gan_lab("compare", one, two) == 2
    assert "has no metrics yet" in capsys.readouterr().err
    for run in (one, two):
        assert gan_lab("evaluate", f"run={run}", "metrics=[kid]", *TAKE) == 0
    capsys.readouterr()
    assert gan_lab("compare", one, two) == 0
    table = capsys.readouterr().out
    assert "kid/pixels-area8-60" in table
    assert "±" in table
    assert gan_lab("evaluate", f"run={two}", "metrics=[kid]", "metrics.kid.subset_size=30", *TAKE) == 0
    capsys.readouterr()
    assert gan_lab("compare", one, two) == 2
    assert "their cards differ in settings" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("compare", "run"), "name two or more"),
        (("compare", "nowhere", "run"), "there is no run folder nowhere"),
        (("evaluate", "run=run", "n=1"), "n: 1 is not a whole number of at least 2"),
        (("evaluate", "run=run", "repeats=0"), "repeats: 0"),
        (("evaluate", "run=run", "metrics=[]"), "metrics: none was named"),
        (("evaluate", "run=run", "metrics=[inception_score]", "extractor=pixels"), "none of them can be taken"),
        (("evaluate", "run=nowhere"), "no such run folder"),
    ],
)
def test_what_is_refused(
    trained: Callable[..., Path],
    gan_lab: Callable[..., int],
    capsys: pytest.CaptureFixture,
    words: tuple[str, ...],
    told: str,
) -> None:
    trained("run")
    capsys.readouterr()
    assert gan_lab(*words) == 2
    said = capsys.readouterr().err
    assert told in said
    assert len(said.strip().splitlines()) <= 2  # a warning may come before
