"""`gan-lab evaluate` and `gan-lab compare`: figures printed, stored, compared, refused where unlike."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from pathlib import Path

import pytest
from PIL import Image

from gan_lab.metrics.base import Accumulator, Measure, Part
from gan_lab.metrics.figure import Figure, Value, unlike
from gan_lab.metrics.reference import Reference
from gan_lab.records.sweep import results_of
from gan_lab.storage.files import read_json
from tests.conftest import TINY
from tests.data.conftest import noise

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


def test_truncated_images_have_figures_of_their_own(
    trained: Callable[..., Path], gan_lab: Callable[..., int], capsys: pytest.CaptureFixture[str]
) -> None:
    run = trained("one")
    for words in ((), ("truncation=0.5",)):
        assert gan_lab("evaluate", f"run={run}", "metrics=[fid]", *words, *TAKE) == 0
    whole, near = (stored(run)[f"fid/pixels-area8-60{behind}"] for behind in ("", "-truncation-0.5"))
    assert near["value"] != whole["value"]
    assert near["card"]["truncation"] == 0.5
    assert unlike(near["card"], whole["card"]) == ["truncation"]
    capsys.readouterr()
    for wrong in ("0", "[0.5,0.5]", "[]"):
        assert gan_lab("evaluate", f"run={run}", "metrics=[fid]", f"truncation={wrong}", *TAKE) == 2
        assert "truncation: " in capsys.readouterr().err
    assert gan_lab("evaluate", f"run={run}", "metrics=[fid]", "truncation=[0.5,0.9]", *TAKE) == 0
    assert stored(run)["fid/pixels-area8-60-truncation-0.5"] == near
    assert "fid/pixels-area8-60-truncation-0.9" in stored(run)
    assert "truncation    fid" in capsys.readouterr().out
    assert (run / "evaluations" / "truncation-step-00000002.png").exists()


def test_samples_beside_their_neighbours(
    trained: Callable[..., Path], gan_lab: Callable[..., int], capsys: pytest.CaptureFixture[str]
) -> None:
    run = trained("one")
    assert gan_lab("evaluate", f"run={run}", "metrics=[fid]", "neighbours=3", *TAKE) == 0
    assert "rank among real ones" in capsys.readouterr().out
    with Image.open(run / "evaluations" / "neighbours-step-00000002.png") as picture:
        assert picture.size == (2 + 5 * 66, 14 + 2 + 3 * 66)


def test_those_that_can_be_taken_are(
    gan_lab: Callable[..., int], here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Five images: the others are named with their need, all figures are stored, and the file is json."""
    (here / "five").mkdir()
    for number in range(5):
        Image.new("L", (16, 16), 50 * number).save(here / "five" / f"{number}.png")
    words = ("dataset=folder", "dataset.path=five", "dataset.image_shape=[1,16,16]", "callbacks.metrics=null")
    assert gan_lab("train", *TINY, "model=gan_small", *words, "hydra.run.dir=run") == 0
    capsys.readouterr()
    assert gan_lab("evaluate", "run=run", "n=8", "extractor=pixels", "device=cpu") == 0
    said = capsys.readouterr()
    why = "density_coverage is not taken: it needs 6 images of the data and 6 generated ones, and there are 5 and n=8"
    assert why in said.out + said.err
    taken = ("fid", "kid", "precision", "recall")
    assert list(stored(here / "run")) == [f"{name}/pixels-area8-8" for name in taken]
    assert gan_lab("evaluate", "run=run", "n=2", "metrics=[fid,kid]", "extractor=pixels", "device=cpu") == 0
    assert "fid of 2 generated images is far too large" in "".join(capsys.readouterr())
    text = (here / "run" / "summary.json").read_text() + (here / "run" / "evaluations.jsonl").read_text()
    assert "NaN" not in text
    assert stored(here / "run")["kid/pixels-area8-2"]["spread"] is None


def test_figures_that_are_no_number_are_read_back(trained: Callable[..., Path], gan_lab: Callable[..., int]) -> None:
    """A measure that finds infinity, twice."""
    run = trained("one")
    words = (f"+metrics.odd._target_={__name__}.Odd", "metrics=[fid]", "repeats=2", *TAKE)
    assert gan_lab("evaluate", f"run={run}", *words) == 0
    record = stored(run)["odd/none-60"]
    assert (record["value"], record["spread"]) == (None, None)
    assert math.isnan(Figure.of("odd", record).value)
    assert math.isnan(results_of(read_json(run / "summary.json"))["odd/none-60"])


class Odd(Measure, Accumulator):
    """Finds infinity."""

    features, about = False, "none"

    def begin(self, n: int) -> Accumulator:
        return self

    def add(self, part: Part) -> None:
        pass

    def values(self, reference: Reference) -> list[Value]:
        return [Value("odd", math.inf, math.nan)]


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


@pytest.mark.whole
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


def test_data_that_moved(
    trained: Callable[..., Path], gan_lab: Callable[..., int], capsys: pytest.CaptureFixture, tmp_path: Path
) -> None:
    before, after = tmp_path / "before", tmp_path / "after"
    before.mkdir()
    for n in range(4):
        noise(16, 16, seed=n).save(before / f"{n}.png")
    run = trained("one", "dataset=folder", f"dataset.path={before}", "dataset.image_shape=[3,16,16]", "metrics=[]")
    before.rename(after)
    capsys.readouterr()
    for way in ((), (f"dataset.path={after}",)):
        assert gan_lab("evaluate", f"run={run}", "metrics=[kid]", *TAKE, *way) == 0
        said = capsys.readouterr()
        assert ("the store of the same images is taken" in said.out + said.err) == (not way)
    one, two = map(json.loads, (run / "evaluations.jsonl").read_text().splitlines())
    assert one["value"] == two["value"]
    assert gan_lab("evaluate", f"run={run}", f"dataset.pth={after}") == 2
    assert "to add it" not in capsys.readouterr().err
