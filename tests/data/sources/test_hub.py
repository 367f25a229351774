from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from gan_lab.data.sources.hub import HuggingFace
from gan_lab.data.sources.source import DownloadError
from gan_lab.errors import ConfigError, GanLabError
from tests.data.conftest import encoded, noise

PNGS = [encoded(noise(6, 5, seed=seed)) for seed in range(4)]


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Any:
    """The library `datasets`, kept off the network and quiet."""
    monkeypatch.setenv("HF_HOME", str(tmp_path / "home"))
    datasets = pytest.importorskip("datasets")
    datasets.disable_progress_bars()
    return datasets


def table(hub: Any, kind: Any = None, **columns: Any) -> Any:
    given = {"image": [{"bytes": png, "path": None} for png in PNGS], "label": [2, 0, 2, 1]} | columns
    features = {"image": hub.Image(), "label": kind or hub.ClassLabel(names=["ant", "bee", "cat"])}
    kinds = {name: features.get(name) or hub.Value("int64") for name in given}
    return hub.Dataset.from_dict(given, features=hub.Features(kinds))


def labels(source: HuggingFace) -> list[int | None]:
    return [label for _, _, label in source]


def test_a_saved_folder(hub: Any, tmp_path: Path) -> None:
    table(hub).save_to_disk(tmp_path / "saved")
    source = HuggingFace(str(tmp_path / "saved"))
    images = [np.asarray(image) for _, image, _ in source]
    np.testing.assert_array_equal(images, [np.asarray(noise(6, 5, seed=seed)) for seed in range(4)])
    assert labels(source) == [2, 0, 2, 1]
    assert (source.classes, len(source), source.channels) == (["ant", "bee", "cat"], 4, 3)
    assert source.identity == HuggingFace(str(tmp_path / "saved")).identity


def test_a_saved_folder_of_splits(hub: Any, tmp_path: Path) -> None:
    hub.DatasetDict(train=table(hub), test=table(hub).select([1])).save_to_disk(tmp_path / "saved")
    path = str(tmp_path / "saved")
    assert (len(HuggingFace(path)), len(HuggingFace(path, split="test"))) == (4, 1)
    assert HuggingFace(path).identity != HuggingFace(path, split="test").identity
    with pytest.raises(ConfigError, match=r"^dataset\.split=val: .* has train, test$"):
        len(HuggingFace(path, split="val"))


def test_pictures_kept_beside_the_table(hub: Any, tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(PNGS[3])
    table(hub, image=[str(tmp_path / "a.png")] * 4).save_to_disk(tmp_path / "saved")
    images = [np.asarray(image) for _, image, _ in HuggingFace(str(tmp_path / "saved"))]
    np.testing.assert_array_equal(images, [np.asarray(noise(6, 5, seed=3))] * 4)


def test_the_columns(hub: Any, tmp_path: Path) -> None:
    table(hub, hub.Value("string"), label=["dog", "cat", None, "dog"], fine=[7, 7, 8, 9]).save_to_disk(tmp_path / "s")
    path = str(tmp_path / "s")
    words = HuggingFace(path)
    assert (labels(words), words.classes) == ([1, 0, None, 1], ["cat", "dog"])
    fine = HuggingFace(path, label="fine")
    assert (labels(fine), fine.classes) == ([0, 0, 1, 2], ["7", "8", "9"])
    assert labels(HuggingFace(path, label="none")) == [None] * 4
    for key in ("image", "label"):
        with pytest.raises(ConfigError, match=rf"^dataset\.source\.{key}=no: .* has image, label, fine$"):
            list(HuggingFace(path, **{key: "no"}))
    hub.Dataset.from_dict({"text": ["a"]}).save_to_disk(tmp_path / "words")
    with pytest.raises(ConfigError, match=r"^dataset\.source\.image: .*words has no column of images \(text\)$"):
        list(HuggingFace(str(tmp_path / "words")))


def test_a_name_is_asked_of_the_hub(hub: Any, root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []

    def load(*given: Any, **options: Any) -> Any:
        asked.append((given, options))
        return table(hub)

    monkeypatch.setattr(hub, "load_dataset", load)
    source = HuggingFace("owner/flowers", "small", "test")
    assert len(list(source)) == 4
    cache = str(root / "downloads" / "huggingface")
    assert asked == [(("owner/flowers", "small"), {"split": "test", "cache_dir": cache})]
    assert source.describe() == "Hugging Face owner/flowers small, test split"
    assert source.identity == "huggingface:owner/flowers:small:test:None:None"


def test_failures_are_told_apart(hub: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    def fails_with(error: Exception) -> None:
        def load(*given: Any, **options: Any) -> Any:
            raise error

        monkeypatch.setattr(hub, "load_dataset", load)

    fails_with(ConnectionError("Couldn't reach 'owner/x'\nmore"))
    with pytest.raises(DownloadError, match=r"^Couldn't reach 'owner/x'$"):
        list(HuggingFace("owner/x"))
    fails_with(hub.exceptions.DatasetNotFoundError("Dataset 'owner/x' doesn't exist"))
    with pytest.raises(DownloadError, match=r"doesn't exist$"):
        list(HuggingFace("owner/x"))
    fails_with(ValueError('Unknown split "val".'))
    with pytest.raises(ConfigError, match=r'^dataset\.source: owner/x: Unknown split "val"\.$'):
        list(HuggingFace("owner/x"))


def test_it_must_be_said_which() -> None:
    with pytest.raises(
        ConfigError, match=r"^dataset\.source\.path: say which, e\.g\. dataset\.source\.path=OWNER/NAME"
    ):
        assert HuggingFace().identity


def test_it_needs_its_package(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "datasets", None)
    with pytest.raises(
        GanLabError, match=r"^this dataset needs the package datasets: pip install 'gan-lab\[datasets\]'$"
    ):
        len(HuggingFace("owner/x"))


def test_labels_are_read_as_everywhere(hub: Any, tmp_path: Path) -> None:
    def saved(name: str, kind: Any, cells: list[Any]) -> str:
        table(hub, kind, label=cells).save_to_disk(tmp_path / name)
        return str(tmp_path / name)

    numbers = HuggingFace(saved("numbers", hub.Value("float64"), [12.0, 4.0, None, float("nan")]))
    assert (labels(numbers), numbers.classes) == ([1, 0, None, None], ["4", "12"])
    several = hub.Sequence(hub.Value("int64")) if hasattr(hub, "Sequence") else hub.List(hub.Value("int64"))
    with pytest.raises(ConfigError, match=r"label: labels are whole .* row 0 has \[1\] .*dataset\.source\.label=none$"):
        labels(HuggingFace(saved("lists", several, [[1], [2], [1], [2]])))
    unknown = saved("unknown", hub.ClassLabel(names=["ant", "bee"]), [0, -1, 1, 1])
    assert labels(HuggingFace(unknown)) == [0, None, 1, 1]
    with pytest.raises(ConfigError, match=r"1 of 4 images have no label \(row 1\); .*dataset\.source\.label=none$"):
        labels(HuggingFace(unknown, label="label"))
    with pytest.raises(ConfigError, match=r"^dataset\.source\.label=image: that column holds the images"):
        labels(HuggingFace(unknown, label="image"))


def test_columns_of_attributes(hub: Any, tmp_path: Path) -> None:
    table(hub, hat=[0, 1, 1, 0], old=[1, 1, -1, -1]).save_to_disk(tmp_path / "saved")
    source = HuggingFace(str(tmp_path / "saved"), attributes=["old", "hat"])
    assert labels(source) == [(1, 0), (1, 1), (0, 1), (0, 0)]
    assert (source.classes, source.attributes) == (None, ["old", "hat"])
    assert source.identity != HuggingFace(str(tmp_path / "saved")).identity
    with pytest.raises(ConfigError, match="has no column hut .*; nearest: hat"):
        labels(HuggingFace(str(tmp_path / "saved"), attributes=["hut"]))
    with pytest.raises(ConfigError, match=r"dataset\.source\.label=label: attributes take the place of labels"):
        HuggingFace(str(tmp_path / "saved"), label="label", attributes=["hat"])
