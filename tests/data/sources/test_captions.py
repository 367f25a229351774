from __future__ import annotations

import json
import logging
from pathlib import Path
from typing import Any

import pytest

from gan_lab.data.dataset import Dataset, build_dataset
from gan_lab.data.held_out import held_out
from gan_lab.data.sources.captions import Captioned
from gan_lab.data.tokens import Words
from gan_lab.errors import ConfigError
from tests.compose import composed
from tests.data.conftest import encoded, noise, write_tree, write_zip

PICTURES = {f"train/{name}.png": encoded(noise(6, 6, seed=n)) for n, name in enumerate("abc")}
SAID = {"a": ["one bird", "a bird"], "b": ["two cats"], "c": ["a red bird"]}
ROWS = [(f"train/{name}.png", caption) for name, captions in SAID.items() for caption in captions]
TABLES = {
    "captions.jsonl": "\n".join(json.dumps({"file": f"{n}.png", "captions": said}) for n, said in SAID.items()),
    "captions.csv": "\n".join(["image,caption", *(f"{file},{said}" for file, said in ROWS)]),
    "captions.tsv": "\n".join(["file_name\ttext", *(f"{file}\t{said}" for file, said in ROWS)]),
    "metadata.jsonl": "\n".join(json.dumps({"file_name": file, "text": said}) for file, said in ROWS),
    "captions.json": json.dumps({f"{name}.png": said for name, said in SAID.items()}),
    "metadata.csv": "\n".join(["file,caption", *(f"{Path(file).stem},{said}" for file, said in ROWS)]),
}


def said(source: Captioned) -> dict[str, list[str]]:
    return {Path(example.name).stem: list(example.captions) for example in source.examples()}


@pytest.mark.parametrize("table", TABLES)
@pytest.mark.parametrize("kind", ["tree", "zip"])
def test_tables_of_captions(table: str, kind: str, tmp_path: Path) -> None:
    """A caption or a list of them a row, several rows a file; found beside the pictures, or named."""
    members = {**PICTURES, table: TABLES[table].encode()}
    path = write_tree(tmp_path / "x", members) if kind == "tree" else write_zip(tmp_path / "x.zip", members)
    assert said(Captioned(path)) == SAID
    assert said(Captioned(path, captions=table)) == SAID
    assert len(list(Captioned(path))) == 3
    assert Captioned(path).describe().endswith(f", captions of {table}")


def test_a_table_that_lies_elsewhere(tmp_path: Path) -> None:
    path = write_tree(tmp_path / "x", PICTURES)
    table = tmp_path / "mine.csv"
    table.write_text(TABLES["captions.csv"])
    source = Captioned(path, captions=str(table))
    assert said(source) == SAID
    before = source.identity
    table.write_text(TABLES["captions.csv"].replace("two", "three"))
    assert Captioned(path, captions=str(table)).identity != before


def test_one_table_serves_several_splits(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    members = {
        **PICTURES,
        "test/d.png": encoded(noise(4, 4)),
        "captions.json": json.dumps({"d": "four", **SAID}).encode(),
    }
    path = write_tree(tmp_path / "x", members)
    with caplog.at_level(logging.WARNING):
        assert said(Captioned(path, "test")) == {"d": ["four"]}
    assert "3 of 4 rows fit no image (a, b, c)" in caplog.text


@pytest.mark.parametrize(
    ("table", "told"),
    [
        (None, r"^dataset\.captions: no captions\.jsonl, captions\.csv, \.\.\. in .*x; say which table holds them$"),
        ('{"file": "a.png", "caption": 3}', r"^dataset\.captions .*: a caption of a\.png is no text$"),
        ('{"file": "a.png", "caption": "x"}', r"^dataset\.captions .*: 2 of 3 images have no caption \(train/b\.png"),
        ('{"file": "a.png", "words": "x"}', r"^dataset\.captions .*: no column holds the caption \(captions, caption"),
        ("[", r"^dataset\.captions .*: does not parse "),
    ],
)
def test_what_is_no_table_of_captions(table: str | None, told: str, tmp_path: Path) -> None:
    members = PICTURES | ({} if table is None else {"captions.jsonl": table.encode()})
    with pytest.raises(ConfigError, match=told):
        said(Captioned(write_tree(tmp_path / "x", members)))
    with pytest.raises(ConfigError, match=r"^dataset\.path: say where the images are: dataset=captioned"):
        Captioned(None)


def test_packed_captions(tmp_path: Path) -> None:
    """The tokenizer is part of what the store is known by; an empty caption is none."""
    table = json.dumps({**SAID, "b": ["", "two cats", "..."]}).encode()
    path = write_tree(tmp_path / "x", {**PICTURES, "captions.json": table})

    def packed(length: int) -> Any:
        return Dataset(
            "said", [3, 4, 4], path=str(path), reader=Captioned, tokenizer=Words(length), captions=None
        ).open()

    store = packed(3)
    assert store.words == ["bird", "a", "cats", "one", "red", "two"]
    assert store.captions.tolist() == [[[5, 2, 0], [3, 2, 0]], [[7, 4, 0], [0, 0, 0]], [[3, 6, 2], [0, 0, 0]]]
    assert packed(2).folder != store.folder


@pytest.mark.parametrize(("captions", "told"), [("", "is empty"), ("s3://x/t.csv", "is an address; download it")])
def test_a_table_that_cannot_be_here(captions: str, told: str, tmp_path: Path) -> None:
    path = write_tree(tmp_path / "x", {"a.png": encoded(noise(4, 4))})
    with pytest.raises(ConfigError, match=rf"^dataset\.captions: .*{told}"):
        _ = Captioned(path, captions=captions).said


def test_a_held_out_split_is_told_in_the_words_of_the_data(tmp_path: Path) -> None:
    """Its own most frequent word would be another token."""
    members = {f"{split}/{n}.png": encoded(noise(4, 4, seed=n)) for split in ("train", "test") for n in range(2)}
    table = "file,caption\ntrain/0.png,a cat\ntrain/1.png,a bird\ntest/0.png,bird bird\ntest/1.png,a bird flies\n"
    data = write_tree(tmp_path / "data", {**members, "captions.csv": table.encode()})
    path = f"dataset.path={data}"
    dataset = build_dataset(composed("dataset=captioned", path, "dataset.image_shape=[3,4,4]")["dataset"])
    elsewhere = {"0.png": members["test/0.png"], "1.png": members["test/1.png"]}
    told = b"file,caption\n0.png,bird bird\n1.png,a bird flies\n"
    apart = write_tree(tmp_path / "apart", {**elsewhere, "captions.csv": told})
    for name in ("test", str(apart)):
        other, _ = held_out(dataset, name, "inputs")
        assert other.store.words == dataset.store.words
        assert other.known_words is not None
        assert other.store.captions is not None
        said = [other.known_words.decode(rows[0]) for rows in other.store.captions]
        assert said == ["bird bird", "a bird ?"]
