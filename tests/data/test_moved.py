"""The data of a run that has moved: found where the user says that it lies, or by the checksum in the checkpoint."""

from __future__ import annotations

import logging
import shutil
from pathlib import Path
from typing import Any

import pytest

from gan_lab.command_line.stored_overrides import may_change
from gan_lab.config import CONFIG_DIR
from gan_lab.data.dataset import Dataset, build_dataset
from gan_lab.data.held_out import held_out
from gan_lab.data.moved import of_run
from gan_lab.data.stores import remove
from gan_lab.errors import ConfigError

from .conftest import encoded, noise, write_tree

NOTHING = {"path": None, "path_a": None, "source": {"path": None, "root": None}}


def pictures(path: Path, *folders: str, seed: int = 0) -> Path:
    return write_tree(path, {f"{folder}0.png": encoded(noise(8, 8, seed=seed + n)) for n, folder in enumerate(folders)})


def node(name: str, **settings: Any) -> dict[str, Any]:
    """The configuration of a dataset, resolved as a run's is."""
    from omegaconf import OmegaConf

    whole = OmegaConf.merge(
        OmegaConf.load(CONFIG_DIR / "dataset" / f"{name}.yaml"), {"image_shape": [3, 8, 8]}, settings
    )
    found = OmegaConf.to_container(OmegaConf.create({"dataset": whole}), resolve=True)
    assert isinstance(found, dict)
    return dict(found["dataset"])


def state_of(data: Dataset) -> dict[str, Any]:
    if data.inputs is None:
        return {"sha256": data.store.sha256}
    return {"image": {"sha256": data.store.sha256}, "input": {"sha256": data.inputs.store.sha256}}


@pytest.mark.parametrize("known", [True, False])
def test_a_path_that_is_given(known: bool, tmp_path: Path) -> None:
    before, after = pictures(tmp_path / "before", "", "x/", "y/"), tmp_path / "after"
    stored = node("folder", path=str(before))
    state = state_of(build_dataset(stored)) if known else None
    before.rename(after)
    found = of_run(stored, state, {**NOTHING, "path": str(after)})
    assert (found["path"], stored["path"]) == (str(after), str(before))
    assert str(after) in str(build_dataset(found).store.card["source"])
    others = pictures(tmp_path / "others", "", seed=9)
    if known:
        with pytest.raises(ConfigError, match=rf"^dataset\.path={others}: these are not the images of the run \("):
            of_run(stored, state, {"path": str(others)})
    with pytest.raises(ConfigError, match=r"^dataset\.path_a: the run's dataset, folder, has no such key$"):
        of_run(stored, state, {"path_a": str(after)})


def test_two_sets_move_together(tmp_path: Path) -> None:
    before, after = pictures(tmp_path / "before", "trainA/", "trainB/"), tmp_path / "after"
    stored = node("unpaired", path=str(before))
    state = state_of(build_dataset(stored))
    before.rename(after)
    found = build_dataset(of_run(stored, state, {"path": str(after)}))
    assert found.inputs is not None
    assert (found.path, found.inputs.path) == (str(after), str(after))
    shutil.copy(after / "trainB" / "0.png", after / "trainA" / "0.png")  # the inputs only
    with pytest.raises(ConfigError, match="these are not the images of the run"):
        of_run(stored, state, {"path": str(after)})


def test_keys_below_a_source(tmp_path: Path) -> None:
    found = of_run(node("huggingface", source={"path": "/old"}), None, {"source": {"path": "/new", "root": None}})
    assert (found["source"]["path"], found["path"]) == ("/new", None)


def test_the_store_of_the_same_checksum(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    stored = node("folder", path=str(pictures(tmp_path / "x", "x/", "y/")))
    before = build_dataset(stored).store
    found = of_run(stored, {"sha256": before.sha256}, NOTHING)
    with caplog.at_level(logging.WARNING):
        assert build_dataset(found).store.folder == before.folder
    assert not caplog.messages
    pictures(tmp_path / "x", "x/", seed=5)  # changed, so that another store would be packed
    for _ in range(2):  # changed, then gone
        caplog.clear()
        with caplog.at_level(logging.WARNING):
            assert build_dataset(found).store.folder == before.folder
        assert f"the store of the same images is taken, {before.folder}" in caplog.messages[-1]
        shutil.rmtree(tmp_path / "x", ignore_errors=True)
    folder = before.folder
    del before
    remove([folder])
    with pytest.raises(ConfigError, match=r"does not exist; where these images lie now is dataset\.path=NEW$"):
        _ = build_dataset(found).store


def test_changed_images_without_the_store_are_taken_as_they_are(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    stored = node("folder", path=str(pictures(tmp_path / "x", "")))
    with caplog.at_level(logging.WARNING):
        store = build_dataset(of_run(stored, {"sha256": "0" * 64}, {})).store
    assert len(store) == 1
    assert "have changed; they are taken as they are now" in caplog.text


def test_inputs_have_checksums_of_their_own_and_splits_none(tmp_path: Path) -> None:
    path = pictures(tmp_path / "x", "trainA/", "trainB/", "testA/", "testB/")
    stored = node("unpaired", path=str(path))
    before = build_dataset(stored)
    assert before.inputs is not None
    found = build_dataset(of_run(stored, state_of(before), {}))
    assert found.inputs is not None
    assert (found.sha256, found.inputs.sha256) == (before.store.sha256, before.inputs.store.sha256)
    others, _ = held_out(found, "test", "inputs")
    assert others.sha256 is None
    assert others.inputs is not None
    assert others.inputs.sha256 is None
    assert others.store.sha256 != found.store.sha256


def test_a_run_may_go_on_with_data_that_moved() -> None:
    moved = "path path_a path_b labels captions source.path source.root inputs.path inputs.path_a inputs.path_b".split()
    assert all(may_change(f"dataset.{key}") for key in moved)
    assert not any(may_change(f"dataset.{key}") for key in ("image_shape", "fit", "split", "direction", "inputs.fit"))
