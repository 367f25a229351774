"""Atomic, rotated, readable without running anything."""

from __future__ import annotations

import os
import pickle
from pathlib import Path
from typing import Any

import pytest
import torch

from gan_lab.errors import ConfigError, GanLabError
from gan_lab.storage import checkpoint


def state(step: int) -> dict[str, Any]:
    empty: dict[str, Any] = {key: {} for key in checkpoint.KEYS}
    return {
        **empty,
        "version": checkpoint.VERSION,
        "step": step,
        "networks": {"generator": {"w": torch.full((3,), step)}},
    }


def test_round_trip_and_names(tmp_path: Path) -> None:
    path = checkpoint.save(tmp_path, state(7), keep=3)
    assert path.name == "step-00000007.pt"
    assert checkpoint.load(tmp_path / "last.pt")["step"] == 7
    assert torch.load(path, weights_only=True)["networks"]["generator"]["w"].tolist() == [7, 7, 7]


def test_rotation_keeps_the_newest(tmp_path: Path) -> None:
    for step in (10, 20, 30, 40):
        checkpoint.save(tmp_path, state(step), keep=2)
    assert sorted(p.name for p in tmp_path.iterdir()) == ["last.pt", "step-00000030.pt", "step-00000040.pt"]
    assert checkpoint.load(tmp_path / "last.pt")["step"] == 40


def test_going_on_from_an_older_checkpoint_never_rotates_the_new_one_away(tmp_path: Path) -> None:
    for step in (30, 40, 20):
        checkpoint.save(tmp_path, state(step), keep=1)
    assert (tmp_path / "step-00000020.pt").exists()
    assert (
        checkpoint.load(checkpoint.candidates(tmp_path.parent / tmp_path.name, str(tmp_path / "last.pt"))[0])["step"]
        == 20
    )


def test_last_without_hard_links(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: Any) -> None:
        raise OSError("no links here")

    monkeypatch.setattr(os, "link", refuse)
    checkpoint.save(tmp_path, state(5), keep=1)
    assert checkpoint.load(tmp_path / "last.pt")["step"] == 5


def test_a_full_disk_loses_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    checkpoint.save(tmp_path, state(1), keep=1)

    def full(_: Any, file: Any) -> None:
        file.write(b"x" * 100)
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(torch, "save", full)
    with pytest.raises(GanLabError, match="no space left on device"):
        checkpoint.save(tmp_path, state(2), keep=1)
    monkeypatch.undo()
    assert checkpoint.load(tmp_path / "last.pt")["step"] == 1
    assert sorted(p.name for p in tmp_path.iterdir()) == ["last.pt", "step-00000001.pt"]


class Hostile:
    """Unpickling this would create a file."""

    def __init__(self, target: Path) -> None:
        self.target = target

    def __reduce__(self) -> Any:
        return (Path.touch, (self.target,))


def test_a_hostile_checkpoint_is_refused_in_one_line_and_runs_nothing(tmp_path: Path) -> None:
    mark = tmp_path / "executed"
    torch.save({**state(1), "config": Hostile(mark)}, tmp_path / "a.pt")
    (tmp_path / "b.pt").write_bytes(pickle.dumps(Hostile(mark)))
    for name in ("a.pt", "b.pt"):
        with pytest.raises(GanLabError, match="nothing in it was run") as caught:
            checkpoint.load(tmp_path / name)
        assert "\n" not in str(caught.value)
    assert not mark.exists()


@pytest.mark.parametrize("size", [0, 10, 1000])
def test_a_truncated_checkpoint_falls_back_to_the_one_before(tmp_path: Path, size: int) -> None:
    folder = tmp_path / "checkpoints"
    checkpoint.save(folder, state(1), keep=3)
    path = checkpoint.save(folder, state(2), keep=3)
    path.write_bytes(path.read_bytes()[:size])
    found, loaded, complaints = checkpoint.load_newest(tmp_path)
    assert (found.name, loaded["step"], len(complaints)) == ("step-00000001.pt", 1, 1)
    assert "step-00000002.pt" in complaints[0]


def test_none_whole_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "checkpoints").mkdir()
    (tmp_path / "checkpoints" / "step-00000001.pt").write_bytes(b"")
    with pytest.raises(GanLabError, match=r"step-00000001\.pt: not a checkpoint"):
        checkpoint.load_newest(tmp_path)


@pytest.mark.parametrize("which", ["2", "step-00000002", "step-00000002.pt"])
def test_names_of_a_checkpoint(tmp_path: Path, which: str) -> None:
    checkpoint.save(tmp_path / "checkpoints", state(1), keep=3)
    checkpoint.save(tmp_path / "checkpoints", state(2), keep=3)
    assert checkpoint.candidates(tmp_path, which)[0].name == "step-00000002.pt"


def test_an_unknown_checkpoint_lists_those_there_are(tmp_path: Path) -> None:
    checkpoint.save(tmp_path / "checkpoints", state(1), keep=3)
    with pytest.raises(ConfigError, match="it has: last, step-00000001"):
        checkpoint.candidates(tmp_path, "9")


def test_the_first_version_is_read_without_its_random_state(tmp_path: Path) -> None:
    torch.save({**state(1), "version": 1, "rng": {"torch": torch.zeros(1)}}, tmp_path / "old.pt")
    assert checkpoint.load(tmp_path / "old.pt").keys() == checkpoint.KEYS


def test_other_versions_and_other_files_are_named(tmp_path: Path) -> None:
    torch.save({**state(1), "version": 99}, tmp_path / "new.pt")
    torch.save({"weights": torch.zeros(1)}, tmp_path / "other.pt")
    with pytest.raises(GanLabError, match="version 99"):
        checkpoint.load(tmp_path / "new.pt")
    with pytest.raises(GanLabError, match="not a gan-lab checkpoint"):
        checkpoint.load(tmp_path / "other.pt")


@pytest.mark.parametrize("version", [torch.zeros(3), True, None, "2\n3"])
def test_a_version_that_is_no_number_is_refused(version: object, tmp_path: Path) -> None:
    torch.save({**state(1), "version": version}, tmp_path / "x.pt")
    with pytest.raises(GanLabError, match="checkpoint version"):
        checkpoint.load(tmp_path / "x.pt")
