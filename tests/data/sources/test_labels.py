from __future__ import annotations

import json
import logging
import os
from pathlib import Path

import pytest

from gan_lab.data.sources.folder import Folder
from gan_lab.data.sources.labels import assign, read_table
from gan_lab.data.sources.naming import in_order
from gan_lab.data.sources.tables import Table
from gan_lab.errors import ConfigError
from tests.data.conftest import encoded, noise, write_tree, write_zip

PNG = encoded(noise(4, 4))
FILES = ("a.png", "sub/b.png", "sub/c.png")
PLAIN = {"a.png": "cat", "sub/b.png": "dog", "sub/c.png": "cat"}
STYLEGAN = {"labels": [["00000/1.png", 10], ["00000/2.png", 9], ["00001/3.png", 10]]}
SHARDS = dict.fromkeys(("00000/1.png", "00000/2.png", "00001/3.png"), PNG)


def make(kind: str, path: Path, members: dict[str, bytes]) -> Path:
    return write_zip(path / "images.zip", members) if kind == "zip" else write_tree(path / "images", members)


def labelled(source: Folder) -> dict[str, str]:
    return {name: (source.classes or [])[label] for name, _, label in source if label is not None}


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("t.csv", "file,label\na.png,cat\nsub/b.png,dog\nsub/c.png,cat\n"),
        ("t.CSV", "\ufefffile_name;class\r\na.png;cat\r\nsub/b.png;dog\r\nsub/c.png;cat\r\n"),
        ("t.csv", 'note,Path , Category\n"x, y",./a.png,cat\n,sub\\b.png,dog\n,/sub/c.png, cat \n'),
        ("t.csv", "label\timage\ncat\ta.png\ndog\tsub/b.png\ncat\tsub/c.png\n"),
        ("t.tsv", "image_id\ttarget\tid\na\tcat\t1\nsub/b\tdog\t2\nsub/c\tcat\t3\n"),
        ("t.tsv", "filename\tlabel\na.png\tcat\na.png\tcat\nb.png\tdog\nc.png\tcat\nempty.png\t\n"),
        ("t.jsonl", '{"file": "a.png", "category": "cat"}\n\n{"file": "b.png", "category": "dog"}\n'
         '{"file": "sub/c.png", "category": "cat", "captions": ["x"]}'),
        ("t.json", json.dumps(PLAIN)),
        ("t.json", json.dumps({"labels": PLAIN})),
        ("t.json", json.dumps({"labels": list(PLAIN.items())})),
        ("t.json", json.dumps(list(PLAIN.items()))),
        ("t.json", json.dumps([{"filename": name, "label": label} for name, label in PLAIN.items()])),
        ("t.json", json.dumps({f"/data/mine/images/{name}": label for name, label in PLAIN.items()} | PLAIN)),
    ],
)  # fmt: skip
@pytest.mark.parametrize("kind", ["zip", "tree"])
def test_tables_as_people_write_them(kind: str, name: str, text: str, tmp_path: Path) -> None:
    members = dict.fromkeys(FILES, PNG) | {f"tables/{name}": text.encode()}
    source = Folder(make(kind, tmp_path, members), labels=f"tables/{name}")
    assert source.classes == ["cat", "dog"]
    assert labelled(source) == PLAIN


@pytest.mark.parametrize("kind", ["zip", "tree"])
def test_a_table_elsewhere_and_one_under_a_common_top_folder(
    kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = "file,label\nimages/a.png,1\nimages/b.png,0\n"
    (tmp_path / "own.csv").write_text(text)
    path = make(kind, tmp_path, {"top/a.png": PNG, "top/b.png": PNG, "top/in.csv": text.encode()})
    monkeypatch.chdir(tmp_path)
    for labels in ("own.csv", str(tmp_path / "own.csv"), "in.csv", "top/in.csv", "./top/in.csv"):
        with pytest.raises(ConfigError, match="2 of 2 images have no label"):  # top/, not images/
            _ = Folder(path, labels=labels).classes
    (tmp_path / "own.csv").write_text(text.replace("images/", "images/top/"))
    assert labelled(Folder(path, labels="own.csv")) == {"top/a.png": "1", "top/b.png": "0"}


@pytest.mark.parametrize("kind", ["zip", "tree"])
@pytest.mark.parametrize("top", ["", "top/", "top/train/"])
def test_the_stylegan_tools_table_is_found_by_itself(kind: str, top: str, tmp_path: Path) -> None:
    members = {f"{top}{name}": data for name, data in SHARDS.items()}
    source = Folder(make(kind, tmp_path, members | {f"{top}dataset.json": json.dumps(STYLEGAN).encode()}))
    assert source.classes == ["9", "10"]
    assert labelled(source) == {f"{top}00000/1.png": "10", f"{top}00000/2.png": "9", f"{top}00001/3.png": "10"}


@pytest.mark.parametrize("kind", ["zip", "tree"])
def test_a_table_without_labels_says_that_folders_are_no_classes(kind: str, tmp_path: Path) -> None:
    path = make(kind, tmp_path, SHARDS | {"dataset.json": b'{"labels": null}'})
    assert Folder(path).classes is None
    assert [label for _, _, label in Folder(path)] == [None] * 3
    assert Folder(path, labels="dataset.json").classes is None
    assert Folder(path, labels="folders").classes == ["00000", "00001"]


@pytest.mark.parametrize("kind", ["zip", "tree"])
def test_another_programs_dataset_json_is_passed_over(kind: str, tmp_path: Path) -> None:
    path = make(kind, tmp_path, SHARDS | {"dataset.json": b'{"name": "mine", "labels": 2}'})
    assert Folder(path).classes == ["00000", "00001"]


def test_a_broken_dataset_json_is_not(tmp_path: Path) -> None:
    path = write_tree(tmp_path / "images", SHARDS | {"dataset.json": b'{"labels": [["00000/1.p'})
    with pytest.raises(ConfigError, match=r"dataset\.json in .*dataset\.labels=folders or none passes it over\): does"):
        _ = Folder(path).classes
    assert Folder(path, labels="none").classes is None


def test_class_folders_can_be_insisted_on_or_ignored(tmp_path: Path) -> None:
    path = write_tree(tmp_path / "images", {"x/a.png": PNG, "y/b.png": PNG})
    assert Folder(path, labels="folders").classes == ["x", "y"]
    assert Folder(path, labels="none").classes is None
    assert len({Folder(path, labels=labels).identity for labels in (None, "none", "folders")}) == 3
    write_tree(path, {"c.png": PNG})
    with pytest.raises(
        ConfigError, match=r"^dataset\.labels=folders: not every image in .* lies in a class folder: .*c\.png"
    ):
        _ = Folder(path, labels="folders").classes


def test_the_longest_name_that_is_there_counts() -> None:
    table = {"x/1.png": "long", "1.png": "short", "2": "bare"}
    assert assign(["x/1.png", "y/1.png", "y/2.jpg"], "/data/set", table, "k") == (["bare", "long", "short"], [1, 2, 0])


def test_rows_that_fit_no_image_are_counted_in_a_warning(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    path = write_tree(tmp_path / "images", {"train/a.png": PNG, "val/b.png": PNG})
    write_tree(path, {"t.csv": b"file,label\ntrain/a.png,x\nval/b.png,y\nval/gone.png,y\n"})
    with caplog.at_level(logging.WARNING):
        assert Folder(path, labels="t.csv").classes == ["x"]
    [record] = caplog.records
    assert record.getMessage() == "dataset.labels=t.csv: 2 of 3 rows fit no image (val/b.png, val/gone.png)"


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("t.csv", "file,label\na.png,x\n", "2 of 3 images have no label (sub/b.png, sub/c.png; the table names a.png)"),
        ("t.csv", "file,label\na.png,x\nb.png,\nc.png,x\n", "1 of 3 images have no label (sub/b.png; the table"),
        ("t.csv", "file,label\na.png,x\na.png,y\n", "a.png is there as x as well as y; leave one row"),
        ("t.json", '{"a.png": 1, "a.png": 2}', "does not parse (a.png is there as 1 as well as 2; leave one)"),
        ("t.json", '[["a.png", 1], ["a.png", 2]]', "a.png is there as 1 as well as 2; leave one row"),
        ("t.csv", "a.png,x\n", "no column names the file (file, file_name, filename, file_path, filepath, ...); there "
         "are a.png, x"),
        ("t.csv", "file,score\na.png,1\n", "no column holds the label (label, class, category, target, label_name, "
         "...); there are file, score"),
        ("t.jsonl", '{"file": "a.png", "kind": 1}', "no column holds the label (label, class, category, target, "
         "label_name, ...); there are file, kind"),
        ("t.csv", "", "holds no rows"),
        ("t.csv", "file,label\n", "holds no rows"),
        ("t.json", "[]", "holds no rows"),
        ("t.json", "[1, 2]", "every row must be an object"),
        ("t.json", "3", "holds neither a list of images nor {file: label}"),
        ("t.json", '[["a.png", 1, 2]]', "its pairs must be [file, label]"),
        ("t.json", '{"a.png": [0, 1]}', "the label of a.png is neither a whole number nor a name"),
        ("t.json", '{"a.png": 0.5}', "the label of a.png is neither a whole number nor a name"),
        ("t.json", '{"a.png": ', "does not parse (Expecting value"),
        ("t.json", "[" * 100_000, "does not parse (maximum recursion depth"),
        ("t.csv", 'file,label\n"a.png,x\n', "does not parse (unexpected end of data)"),
        ("t.csv", "file,label\na.png,\udcff\n", "is not UTF-8 (invalid start byte at byte 17)"),
        ("t.xml", "<a/>", "a table of labels is one of .csv .tsv .json .jsonl"),
        ("t.json", '{"b\\n.png": {}}', "the label of b\\n.png is neither"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("kind", ["zip", "tree"])
def test_what_is_wrong_with_a_table_is_one_line(kind: str, name: str, text: str, message: str, tmp_path: Path) -> None:
    data = text.encode(errors="surrogateescape")
    path = make(kind, tmp_path, dict.fromkeys(FILES, PNG) | {name: data})
    with pytest.raises(ConfigError) as caught:
        _ = Folder(path, labels=name).classes
    assert str(caught.value).startswith(f"dataset.labels={name}: {message}")
    assert "\n" not in str(caught.value)


def test_a_row_that_fits_two_images_is_refused() -> None:
    with pytest.raises(ConfigError, match=r"^k: 1\.png fits x/1\.png as well as y/1\.png; write their folders into"):
        assign(["x/1.png", "y/1.png"], "/data/set", {"1.png": "a"}, "k")


def test_no_such_table(tmp_path: Path) -> None:
    path = write_tree(tmp_path / "images", dict.fromkeys(FILES, PNG))
    with pytest.raises(ConfigError, match=r"^dataset\.labels=t\.csv: neither a table in .*images nor a file to read "):
        _ = Folder(path, labels="t.csv").classes
    with pytest.raises(ConfigError, match=r"^dataset\.labels=: a table's path, folders, none, or null"):
        Folder(path, labels="")


def test_labels_need_not_be_text() -> None:
    table = read_table(Table("k", "t.json", b'{"a": 3, "b": 3.0, "c": true, "d": "x", "e": null, "f": " ", "g": NaN}'))
    assert table == {"a": "3", "b": "3", "c": "true", "d": "x"}


def test_order_of_classes() -> None:
    assert in_order(["b", "a", "b"]) == ["a", "b"]
    assert in_order(["10", "9", "-1", "9"]) == ["-1", "9", "10"]
    assert in_order(["10", "9", "x"]) == ["10", "9", "x"]
    assert in_order(["1", "01"]) == ["01", "1"]


@pytest.mark.parametrize("inside", [True, False])
@pytest.mark.parametrize("kind", ["zip", "tree"])
def test_identity_changes_with_the_table(kind: str, inside: bool, tmp_path: Path) -> None:
    """Also where size and time stay the same."""
    seen = set()
    for label in "xyz":
        text = f"file,label\na.png,{label}\n".encode()
        path = make(kind, tmp_path, {"a.png": PNG} | ({"t.csv": text} if inside else {}))
        (tmp_path / "own.csv").write_bytes(text)
        os.utime(tmp_path / "own.csv", ns=(1, 1))
        if kind == "tree":
            os.utime(path / "a.png", ns=(1, 1))
        source = Folder(path, labels="t.csv" if inside else str(tmp_path / "own.csv"))
        assert source.identity == Folder(path, labels=source.labels).identity
        seen.add(source.identity)
    assert len(seen) == 3


def test_identity_changes_with_a_table_that_is_found(tmp_path: Path) -> None:
    path = write_tree(tmp_path / "images", SHARDS)
    seen = {Folder(path).identity}
    for label in (1, 2):
        write_tree(path, {"dataset.json": json.dumps({"labels": [["00000/1.png", label]]}).encode()})
        seen.add(Folder(path).identity)
    assert len(seen) == 3
