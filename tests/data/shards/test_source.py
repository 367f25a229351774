from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from gan_lab.data.shards import source
from gan_lab.data.shards.index import Index, open_index
from gan_lab.data.shards.shard import Options
from gan_lab.data.shards.source import ShardSample
from gan_lab.errors import GanLabError
from tests.data.sources.test_parquet import PNGS, write

from .conftest import encoded, picture, sample, write_tar


def seen(of: ShardSample) -> list[int]:
    return [image.getpixel((0, 0))[0] for _, image, _ in of]  # type: ignore[index,union-attr]


@pytest.mark.parametrize("most", [1, 2, 9, 150, 183, 1000])
def test_it_is_spread_evenly_and_read_in_order(most: int, index: Index) -> None:
    of = ShardSample(index, most)
    count = min(most, 183)
    assert (len(of), of.sample_of, of.classes) == (count, 183, ["cat", "dog", "eel"])
    assert seen(of) == np.linspace(0, 182, count).round().astype(int).tolist()
    assert [label for _, _, label in of] == [number % 3 for number in seen(of)]


def test_of_parquet_few_row_groups_are_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(source, "GROUPS", 2)
    write(tmp_path / "a.parquet", image=PNGS)
    of = ShardSample(open_index(str(tmp_path), Options()), 3)
    assert set(of.chosen().tolist()) < {0, 1, 4, 5}
    assert len(list(of.examples())) == len(of) == 3
    assert ShardSample(of.index, 6).chosen().tolist() == [0, 1, 4, 5]


def test_channels_are_those_of_the_first_few(index: Index, tmp_path: Path) -> None:
    assert ShardSample(index, 5).channels == 3
    write_tar(tmp_path / "gray/a.tar", {"a": {"png": encoded(picture(1).convert("L"))}})
    assert ShardSample(open_index(str(tmp_path / "gray"), Options()), 5).channels == 1


def test_identity_tells_shards_options_and_size_apart(index: Index) -> None:
    assert ShardSample(index, 5).identity == ShardSample(index, 5).identity != ShardSample(index, 6).identity


def test_what_cannot_be_decoded_is_told(tmp_path: Path) -> None:
    write_tar(tmp_path / "a.tar", {"a": sample(1), "b": {**sample(2), "png": b""}})
    index = open_index(str(tmp_path), Options())
    with pytest.raises(GanLabError, match=r"1 of 2 samples cannot be read as images \(.*a\.tar, byte \d+: no bytes"):
        list(ShardSample(index, 2).examples())
    assert len(list(ShardSample(index, 2, max_corrupt=1).examples())) == 1
