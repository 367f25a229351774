"""The components of one's own that `gan_lab/README.md` shows run as printed, and are as long as it says."""

from __future__ import annotations

import importlib
import inspect
import json
import pkgutil
import re
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

import gan_lab as package
from tests.conftest import TINY, records, whole
from tests.readmes import ROOT, blocks, commands, files, links, name_of, tables, write_files

README = ROOT / "gan_lab" / "README.md"
TEXT = README.read_text()
KINDS = tables()["kinds"]
TRAININGS = [words for words in commands(TEXT) if words[0] == "train" and "--help" not in words]
TECHNIQUES = (ROOT / "configs" / "technique" / "README.md").read_text()
RAMPS = [words for words in commands(TECHNIQUES) if any("Ramp" in word for word in words)]
SMALL = ("hydra.run.dir=run",)
MEASURED = ("callbacks.metrics.every=2", "callbacks.metrics.n=8")
WITHIN = 5  # lines by which what the table says of the package may be off


@pytest.fixture
def own(here: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder in which every file stands that a README tells to write; its modules are the first to be found."""
    modules = [path.stem for path in write_files(here) if path.suffix == ".py"]
    monkeypatch.setattr(sys, "path", [str(here), *sys.path])
    for name in modules:
        sys.modules.pop(name, None)
    yield here
    for name in modules:
        sys.modules.pop(name, None)


def train(gan_lab: Callable[..., int], words: list[str], *more: str) -> None:
    assert gan_lab(*words, *TINY, *SMALL, *more) == 0


def training(option: str) -> list[str]:
    """The command that has a word."""
    return next(words for words in TRAININGS if option in words)


def test_every_kind_is_trained() -> None:
    """A command for every kind but those that are no part of a training."""
    assert len(TRAININGS) >= len(KINDS.rows) - 2


@pytest.mark.parametrize(
    "words", [*TRAININGS[::3], *whole(TRAININGS[1::3] + TRAININGS[2::3])], ids=lambda words: " ".join(words[1:3])
)
def test_a_component_of_ones_own_trains(words: list[str], own: Path, gan_lab: Callable[..., int]) -> None:
    train(gan_lab, words)
    assert records(own / "run")
    config = (own / "run" / "config.yaml").read_text()
    for group, _, chosen in (word.partition("=") for word in words[1:]):
        for path in (own / "my_configs" / group / f"{name}.yaml" for name in chosen.strip("[]").split(",")):
            for target in re.findall(r"_target_: (my_\S+)", path.read_text() if path.exists() else ""):
                assert target in config, f"{group}={chosen} does not bring in {target}"


@pytest.mark.parametrize("words", RAMPS, ids=lambda words: words[1].partition("=")[0])
def test_a_number_moves(words: list[str], here: Path, gan_lab: Callable[..., int]) -> None:
    """A schedule composes wherever it stands; only a training finds out whether it leads to a number."""
    train(gan_lab, words)


def test_the_regularizer_is_paid(own: Path, gan_lab: Callable[..., int]) -> None:
    train(gan_lab, training("loss/regularizers=[gradient_penalty,centred]"))
    assert "loss/discriminator/centred" in records(own / "run")[-1]


def test_the_metric_and_the_extractor_measure(own: Path, gan_lab: Callable[..., int]) -> None:
    train(gan_lab, training("metrics=[fid,brightness]"), *MEASURED, "extractor=histogram")
    measured = json.loads((own / "run" / "summary.json").read_text())["metrics"]
    assert set(measured) == {"fid/histogram-native-8", "brightness/pixels-8"}
    (words,) = (words for words in commands(TEXT) if words[0] == "evaluate")
    assert gan_lab(*(word.replace("RUN", "run") for word in words), "n=6", "extractor=pixels") == 0
    assert "brightness/pixels-6" in json.loads((own / "run" / "summary.json").read_text())["metrics"]


def test_the_callback_speaks(own: Path, gan_lab: Callable[..., int]) -> None:
    train(gan_lab, training("callbacks=with_gap"))
    assert (own / "run" / "train.log").read_text().count("above generated ones") == 2


def test_the_logger_writes_and_goes_on(own: Path, gan_lab: Callable[..., int]) -> None:
    def steps() -> list[int]:
        return sorted({int(line.split(",")[0]) for line in (own / "run" / "figures.csv").read_text().splitlines()})

    train(gan_lab, training("logger=with_csv"))
    assert steps() == [1, 2]
    assert (
        gan_lab("train", "resume=run", "trainer.max_steps=3", "trust=[my_loggers]", "--config-dir", "my_configs") == 0
    )
    assert steps() == [1, 2, 3]


@pytest.mark.parametrize(("option", "module"), [("loss=cubic", "my_losses"), ("model=mine", "my_nets")])
def test_a_run_of_ones_own_goes_on_where_it_is_trusted(
    option: str, module: str, own: Path, gan_lab: Callable[..., int]
) -> None:
    train(gan_lab, training(option))
    go_on = ("train", "resume=run", "trainer.max_steps=3", "--config-dir", "my_configs")
    assert gan_lab(*go_on) == 2
    assert gan_lab(*go_on, f"trust=[{module}]") == 0
    assert gan_lab("sample", "run=run", "n=4", f"trust=[{module}]") == 0


def test_the_data_is_inspected(own: Path, gan_lab: Callable[..., int], capsys: pytest.CaptureFixture[str]) -> None:
    (words,) = (words for words in commands(TEXT) if words[0] == "data")
    assert gan_lab(*words) == 0
    assert "2 classes" in capsys.readouterr().out


# How long they are.


def written(kind: str) -> list[int]:
    """The lines of the files that a kind's section shows, code first, without those that name the file."""
    section = re.search(rf"^### An? {kind}\n(.*?)(?=^##)", TEXT, re.DOTALL | re.MULTILINE)
    assert section, f"{README.name}: no section for {kind}"
    shown = "".join(f"```{kind}\n{body}```\n" for kind in ("python", "yaml") for body in blocks(section.group(1), kind))
    return [len(text.splitlines()) for text in files(shown).values()]


def numbers(cell: str) -> list[int]:
    return [int(number) for number in cell.split(" + ") if number]


@pytest.mark.parametrize("row", KINDS.rows, ids=KINDS.names)
def test_how_long_the_example_is(row: dict[str, str]) -> None:
    kind = name_of(row["kind"])
    found = written(kind)
    assert numbers(row["here"]) == found, f"gan_lab/README.md, {kind}: here is {' + '.join(map(str, found))}"


@pytest.mark.parametrize("row", KINDS.rows, ids=KINDS.names)
def test_how_long_the_smallest_is(row: dict[str, str]) -> None:
    """Within WITHIN lines, so that a docstring may grow; and none of that kind in the package is shorter by more."""
    lines = [
        length(name, target) for name, target in re.findall(r"\[`(.*?)`\]\((.*?)\)", row["a small one in the package"])
    ]
    said = numbers(row["lines"])
    right = len(said) == len(lines) and all(
        abs(ours - theirs) <= WITHIN for ours, theirs in zip(said, lines, strict=True)
    )
    assert right, f"gan_lab/README.md, {name_of(row['kind'])}: lines are {' + '.join(map(str, lines))} now"
    base = re.search(r"\[`(\w+)`\]\((.*?)\)", row["base class"])
    if base:
        shortest, name = min((count(cls), cls.__name__) for cls in concrete(found_class(*base.groups())))
        assert said[0] - shortest <= 2 * WITHIN, (
            f"gan_lab/README.md, {name_of(row['kind'])}: {name} has {shortest} lines only"
        )


def length(name: str, target: str) -> int:
    """The lines of a file, or of a class in it."""
    path = README.parent / target
    return len(path.read_text().splitlines()) if "." in name else count(found_class(name, target))


def count(cls: type) -> int:
    return len(inspect.getsource(cls).splitlines())


def found_class(name: str, target: str) -> type:
    module = importlib.import_module("gan_lab." + target.removesuffix(".py").replace("/", "."))
    found = getattr(module, name)
    assert isinstance(found, type)
    return found


def concrete(base: type) -> Iterator[type]:
    """Every class of the package below `base` that can be made."""
    for module in pkgutil.walk_packages(package.__path__, "gan_lab."):
        if not module.name.endswith("__main__"):
            importlib.import_module(module.name)
    waiting: list[Any] = [base]
    while waiting:
        below = waiting.pop().__subclasses__()
        waiting += below
        yield from (each for each in below if each.__module__.startswith("gan_lab.") and not inspect.isabstract(each))


def test_the_kinds_lead_to_their_sections() -> None:
    assert all(f"#{row['kind'].partition('#')[2].rstrip(')')}" in set(links(TEXT)) for row in KINDS.rows)
