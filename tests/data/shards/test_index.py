from __future__ import annotations

import logging
from pathlib import Path

import numpy as np
import pytest

from gan_lab.data.shards.index import Index, open_index
from gan_lab.data.shards.shard import Options
from gan_lab.errors import ConfigError, GanLabError
from tests.data.sources.test_parquet import PNGS, write

from .conftest import sample, write_shards, write_tar


def test_samples_are_counted_through_all_shards(index: Index) -> None:
    assert index.count == 183
    assert index.chunks[:, [0, 1, 2, 4]].tolist() == [
        [0, 0, 64, 0], [0, 64, 6, 64], [1, 0, 5, 70], [2, 0, 64, 75], [2, 64, 36, 139], [3, 0, 8, 175],
    ]  # fmt: skip
    assert index.chunk_of(np.array([0, 63, 64, 74, 75, 182])).tolist() == [0, 0, 1, 2, 3, 5]
    assert index.classes == ["cat", "dog", "eel"]
    for chunk, first in ((0, 0), (2, 70), (5, 175)):
        for place, found in enumerate(index.read(chunk)):
            assert found.data == sample(first + place)["png"]
            assert found.label == (first + place) % 3
    assert [each.label for each in index.take(3, 2, 2)] == [77 % 3, 78 % 3]


def test_classes_are_those_of_all_shards_in_order(tmp_path: Path) -> None:
    png = sample(0)["png"]
    for name, texts in (("a", ("10", "2")), ("b", ("9", "10"))):
        write_tar(
            tmp_path / f"{name}.tar", {f"{place}": {"png": png, "cls": t.encode()} for place, t in enumerate(texts)}
        )
    found = open_index(str(tmp_path), Options())
    assert found.classes == ["2", "9", "10"]
    assert [each.label for chunk in range(2) for each in found.read(chunk)] == [2, 0, 1, 2]


def test_noted_classes_stay_as_they_are_numbered(tmp_path: Path) -> None:
    for name, label in (("a", [1, 1, 1, 2, 2, 2]), ("b", [0] * 6)):
        write(tmp_path / f"{name}.parquet", ["zebra", "ant", "bee"], image=PNGS, label=label)
    found = open_index(str(tmp_path), Options())
    assert found.classes == ["zebra", "ant", "bee"]
    assert [each.label for chunk in range(4) for each in found.read(chunk)] == [1, 1, 1, 2, 2, 2, 0, 0]


def test_labels_that_some_lack_are_left_out_or_refused(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    write_tar(tmp_path / "a.tar", {"a": sample(0), "b": {"png": sample(1)["png"]}})
    with caplog.at_level(logging.WARNING):
        assert open_index(str(tmp_path), Options()).classes is None
    assert "1 of 2 samples have no label, so no labels are used" in caplog.text
    with pytest.raises(ConfigError, match=r"dataset\.labels=cls: 1 of 2 samples have none"):
        open_index(str(tmp_path), Options(labels="cls"))


@pytest.mark.parametrize("options", [Options(), Options(captions="txt")])
def test_captions_that_some_lack_are_refused(options: Options, tmp_path: Path) -> None:
    write_tar(tmp_path / "a.tar", {"a": sample(0, txt="said"), "b": sample(1)})
    with pytest.raises(ConfigError, match=r"dataset\.captions: 1 of 2 samples have none; .*captions=none"):
        open_index(str(tmp_path), options)
    assert not open_index(str(tmp_path), Options(captions="none")).captioned


def test_nothing_but_text_is_no_data(tmp_path: Path) -> None:
    write_tar(tmp_path / "a.tar", {"a": {"txt": b"said"}})
    with pytest.raises(ConfigError, match="no sample has a picture"):
        open_index(str(tmp_path), Options())


def test_a_truncated_shard_is_known_before_anything_begins(tmp_path: Path) -> None:
    pattern = write_shards(tmp_path, (5, 5, 5))
    path = tmp_path / "data-01.tar"
    path.write_bytes(path.read_bytes()[:3000])
    with pytest.raises(GanLabError, match=r"data-01\.tar is truncated or damaged after sample 0000\d, at byte"):
        open_index(pattern, Options())


def test_the_digest_is_of_what_lies_there_and_its_order(tmp_path: Path) -> None:
    one, same = (open_index(write_shards(tmp_path / name, (5, 4)), Options()).digest for name in "ab")
    assert one == same
    files = [str(tmp_path / f"a/data-0{shard}.tar") for shard in (1, 0)]
    assert open_index(files, Options()).digest != one
