"""Tables of attributes: which tables are such, which columns count, and what is said of bad ones."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from gan_lab.data.dataset import Dataset
from gan_lab.data.packing import pack
from gan_lab.data.sources.captions import Captioned
from gan_lab.data.sources.folder import Folder
from gan_lab.data.store import Store, StoreError
from gan_lab.data.stream import Stream
from gan_lab.errors import ConfigError
from tests.data.conftest import encoded, noise, write_tree

IMAGES = {f"{name}.png": encoded(noise(4, 4)) for name in "abc"}
SIGNED = "image_id,Smiling,Hat\na.png,1,-1\nb.png,-1,-1\nc.png,1,1\n"
ROWS = [(1, 0), (0, 0), (1, 1)]


def folder(tmp_path: Path, text: str, name: str = "t.csv", **options: Any) -> Folder:
    write_tree(tmp_path / "x", IMAGES | {name: text.encode()})
    return Folder(tmp_path / "x", labels=options.pop("labels", name), **options)


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("t.csv", SIGNED),
        ("t.csv", SIGNED.replace("-1", "0").replace(",1", ",1.0")),
        ("t.csv", SIGNED.replace("-1", "false").replace(",1", ",True").replace(",", ";")),
        ("t.tsv", SIGNED.replace(",", "\t")),
        ("t.jsonl", '{"file": "a", "Smiling": 1, "Hat": 0}\n{"file": "b", "Smiling": 0, "Hat": 0}\n'
         '{"file": "c", "Smiling": 1, "Hat": true}'),
        ("t.json", '{"a.png": {"Smiling": 1, "Hat": -1}, "b.png": {"Smiling": -1, "Hat": -1}, '
         '"c.png": {"Smiling": 1, "Hat": 1}}'),
    ],
)  # fmt: skip
def test_a_table_of_zeros_and_ones(name: str, text: str, tmp_path: Path) -> None:
    source = folder(tmp_path, text, name)
    assert (source.classes, source.attributes) == (None, ["Smiling", "Hat"])
    assert source.label_of_each == ROWS
    assert [label for _, _, label in source] == ROWS


@pytest.mark.parametrize(
    ("text", "labels", "classes"),
    [
        ("file,label,hat\na,0,1\nb,1,0\nc,0,1\n", "t.csv", ["0", "1"]),  # its column of labels counts
        (SIGNED, "t.csv:Hat", ["-1", "1"]),  # the column that was named
        ("file,class\na,0\nb,1\nc,0\n", "t.csv", ["0", "1"]),
    ],
)
def test_tables_of_classes_stay_such(text: str, labels: str, classes: list[str], tmp_path: Path) -> None:
    source = folder(tmp_path, text, labels=labels)
    assert (source.attributes, source.classes) == (None, classes)


def test_a_json_of_labels_stays_such(tmp_path: Path) -> None:
    source = folder(tmp_path, '{"labels": {"a.png": 0, "b.png": 1, "c.png": 0}}', "t.json")
    assert (source.attributes, source.classes) == (None, ["0", "1"])


def test_chosen_columns(tmp_path: Path) -> None:
    """In the order in which they are named; others may hold anything, also labels."""
    text = "file,class,Smiling,Hat,age\na,x,1,0,9\nb,y,0,0,8\nc,x,1,1,7\n"
    source = folder(tmp_path, text, attributes=["Hat", "Smiling"])
    assert (source.classes, source.attributes) == (None, ["Hat", "Smiling"])
    assert source.label_of_each == [(0, 1), (0, 0), (1, 1)]
    assert source.identity != folder(tmp_path, text, attributes=["Smiling", "Hat"]).identity


def test_a_store_of_attributes(tmp_path: Path, root: Path) -> None:
    source = folder(tmp_path, SIGNED)
    store = pack(source, (3, 4, 4), "crop", root / "x-4x4x3-0", "x")
    assert (store.classes, store.num_classes, store.attributes) == (None, None, ["Smiling", "Hat"])
    assert store.attribute_shares == {"Smiling": 0.666667, "Hat": 0.333333}
    assert store.labels is not None
    assert store.labels.tolist() == [list(row) for row in ROWS]
    store.verify()
    for kind in ({}, {"resident_limit": 0}):
        assert Stream(store, 3, 0, **kind).peek(3).label.tolist() == store.labels.tolist()  # type: ignore[arg-type, union-attr]
    for balance, each in (("uniform", [1, 1, 1]), ({"Hat": 5}, [1, 0, 2]), ({"Hat": 0, "-Smiling": 9}, [3, 0, 0])):
        drawn = Stream(store, 3, 0, balance=balance).next().label
        assert drawn is not None
        assert [drawn.tolist().count(list(row)) for row in ((0, 0), (1, 0), (1, 1))] == each
    np.array([2] * 6, "<i8").tofile(store.folder / "labels.i64")
    with pytest.raises(StoreError, match="names attributes otherwise than by 0 and 1"):
        Store(store.folder)


def test_captions_and_attributes(tmp_path: Path) -> None:
    write_tree(tmp_path / "x", IMAGES | {"t.csv": SIGNED.encode(), "captions.csv": b"file,caption\na,1\nb,2\nc,3\n"})
    source = Captioned(tmp_path / "x", labels="t.csv", attributes=["Hat"])
    assert [(example.label, example.captions) for example in source.examples()] == [
        ((0,), ["1"]), ((0,), ["2"]), ((1,), ["3"]),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("text", "options", "told"),
    [
        (SIGNED, {"attributes": ["Smilling"]}, "t.csv has no column Smilling (Smiling, Hat); nearest: Smiling"),
        (SIGNED.replace("b.png,-1", "b.png,2"), {"attributes": ["Smiling"]}, "b.png has '2' in Smiling; attrib"),
        (SIGNED.replace("b.png,-1", "b.png,"), {"attributes": ["Smiling"]}, "b.png has '' in Smiling"),
        (SIGNED + "a.png,1,1\n", {}, "a.png is there twice, with other attributes"),
        (SIGNED.replace("c.png,1,1\n", ""), {}, "1 of 3 images have no attributes (c.png"),
        (SIGNED, {"labels": None, "attributes": ["Hat"]}, "dataset.attributes: columns of a table; name it"),
        (SIGNED, {"attributes": "Hat"}, "dataset.attributes=Hat: a list of columns"),
        (SIGNED, {"attributes": []}, "dataset.attributes=[]: a list of columns"),
        (SIGNED, {"attributes": ["Hat", "Hat"]}, "names one twice"),
        (SIGNED.replace("b.png,-1", "b.png,2"), {}, "no column holds the label"),
        ("file,hat\na,1\nb,0\nc,1\n", {}, "no column holds the label"),  # a single one may be meant as classes
    ],
)  # fmt: skip
def test_what_is_said_of_bad_ones(text: str, options: dict[str, Any], told: str, tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as error:
        _ = folder(tmp_path, text, **options).label_of_each
    assert told in str(error.value)


def test_attributes_are_no_classes_to_be_counted(tmp_path: Path, root: Path) -> None:
    source = folder(tmp_path, SIGNED)
    dataset = Dataset("x", [3, 4, 4], path=str(source.path), labels="t.csv", num_classes=2)
    with pytest.raises(ConfigError, match=r"num_classes=2: x has no classes but 2 attributes \(Smiling, Hat\)"):
        dataset.open()
