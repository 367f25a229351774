"""What is taken away of a run that never began, and what is not."""

from __future__ import annotations

from pathlib import Path

import pytest

from gan_lab.storage.folders import discard


def made(folder: Path, *files: str) -> Path:
    (folder / ".hydra").mkdir(parents=True)
    for name in (".hydra/config.yaml", ".lock", *files):
        (folder / name).touch()
    return folder


def test_a_folder_and_what_is_then_empty_of_outputs_goes(here: Path) -> None:
    discard(made(here / "outputs" / "gan" / "1", "train.log"), "train.log")
    assert not (here / "outputs").exists()


def test_other_runs_and_places_of_the_users_stay(here: Path) -> None:
    other = made(here / "outputs" / "gan" / "0")
    discard(made(here / "outputs" / "gan" / "1"))
    assert [path.name for path in other.parent.iterdir()] == ["0"]
    discard(made(here / "mine" / "1"))
    assert (here / "mine").is_dir()


@pytest.mark.parametrize("name", ["config.yaml", "train.log"])
def test_a_folder_that_holds_more_stays_whole(here: Path, name: str) -> None:
    folder = made(here / "outputs" / "gan" / "1", name)
    discard(folder)
    assert sorted(path.name for path in folder.iterdir()) == [".hydra", ".lock", name]
