"""Tables of people: whatever their columns are called, and what is said of names that fit no image."""

from __future__ import annotations

from pathlib import Path

import pytest

from gan_lab.data.sources.captions import Captioned
from gan_lab.data.sources.differences import tell_difference
from gan_lab.data.sources.folder import Folder
from gan_lab.data.sources.tables import split_column
from gan_lab.errors import ConfigError
from tests.data.conftest import encoded, noise, write_tree, write_zip

PNG = encoded(noise(4, 4))
IMAGES = dict.fromkeys(("0.png", "1.png", "sub/2.png"), PNG)
WRITERS = {"tree": write_tree, "zip": write_zip}


def test_a_file_and_a_column() -> None:
    assert split_column("a/t.csv:Species Name") == ("a/t.csv", "Species Name")
    assert split_column("C:\\x\\T.JSONL:y") == ("C:\\x\\T.JSONL", "y")
    assert split_column("t.csv:a:b") == ("t.csv", "a:b")
    for plain in ("t.csv", "C:\\x\\t.csv", "folders", "a:b/t.json", "t.csv:"):
        assert split_column(plain) == (plain, None)


@pytest.mark.parametrize("kind", WRITERS)
@pytest.mark.parametrize(
    ("name", "column", "text"),
    [
        ("t.csv", "species", "file,label,species\n0.png,9,owl\n1.png,8,rook\n2.png,7,owl\n"),
        ("t.csv", "SPECIES ", "file,label,Species\n0.png,9,owl\n1.png,8,rook\n2.png,7,owl\n"),
        ("t.csv", "species", "bird,species\n0.png,owl\n1.png,rook\nsub/2.png,owl\n"),
        ("t.tsv", "sp", ",id,photo,sp\n0,7,0.png,owl\n1,8,1.png,rook\n2,9,2.png,owl\n".replace(",", "\t")),
        ("t.csv", None, "Image ID;Class-Name\n0;owl\n1;rook\n2;owl\n"),
        (
            "t.jsonl",
            "sp",
            "\n".join(f'{{"file": "{n}", "sp": "{w}"}}' for n, w in ((0, "owl"), (1, "rook"), (2, "owl"))),
        ),
        ("t.json", "sp", '{"0.png": {"sp": "owl", "age": 3}, "1.png": {"sp": "rook"}, "2.png": {"sp": "owl"}}'),
        (
            "t.json",
            None,
            '{"labels": {"0.png": {"label": "owl"}, "1.png": {"label": "rook"}, "2.png": {"label": "owl"}}}',
        ),
    ],
)
def test_any_column_can_hold_the_labels(kind: str, name: str, column: str | None, text: str, tmp_path: Path) -> None:
    path = WRITERS[kind](tmp_path / f"x.{kind}", IMAGES | {f"tables/{name}": text.encode()})
    (tmp_path / name).write_text(text)
    for place in (f"tables/{name}", str(tmp_path / name)):
        source = Folder(path, labels=place if column is None else f"{place}:{column}")
        assert (source.classes, source.label_of_each) == (["owl", "rook"], [0, 1, 0])


def test_the_column_decides_the_store(tmp_path: Path) -> None:
    path = write_tree(tmp_path / "x", IMAGES | {"t.csv": b"file,a,b\n0,1,2\n1,1,2\n2,1,2\n"})
    assert len({Folder(path, labels=f"t.csv:{column}").identity for column in "ab"}) == 2
    assert len({Captioned(path, captions=f"t.csv:{column}").identity for column in "ab"}) == 2


@pytest.mark.parametrize(
    ("labels", "text", "told"),
    [
        ("t.csv", "file,species\n0.png,owl\n", r"there are file, species; say which: dataset\.labels=t\.csv:COLUMN$"),
        (
            "t.csv:size",
            "file,species\n0.png,owl\n",
            r"^dataset\.labels=t\.csv:size: has no column size; there are file,",
        ),
        ("t.csv:b", "a,b\n0.jpeg.txt,owl\n", r"no column names the file .*; there are a; call the one that does file$"),
        ("t.csv:c", "a,b,c\n0.png,1.png,owl\n", r"no column names the file .*; there are a, b; call"),
    ],
)
def test_columns_that_are_not_there(labels: str, text: str, told: str, tmp_path: Path) -> None:
    path = write_tree(tmp_path / "x", IMAGES | {"t.csv": text.encode()})
    with pytest.raises(ConfigError, match=told):
        _ = Folder(path, labels=labels).classes


def test_captions_have_columns_too(tmp_path: Path) -> None:
    text = "file,words\n0.png,one owl\n1.png,a rook\n2.png,an owl\n"
    path = write_tree(tmp_path / "x", IMAGES | {"captions.csv": text.encode()})
    assert Captioned(path, captions="captions.csv:words").said == [["one owl"], ["a rook"], ["an owl"]]
    with pytest.raises(ConfigError, match=r"there are file, words; say which: dataset\.captions=captions\.csv:COLUMN$"):
        _ = Captioned(path).said


@pytest.mark.parametrize(
    ("rows", "told"),
    [
        (["C:\\data\\0.png", "C:\\data\\1.png", "C:\\data\\sub\\2.png"],
         r"3 of them differ from the table in what stands before the name alone, which has C:/data/0\.png for 0\.png"),
        (["https://x.org/0.png?w=3", "https://x.org/1.png", "https://x.org/2.png"], "in what stands before the name"),
        (["0.jpg", "1.jpg", "2.jpg"], r"in the suffix alone, which has 0\.jpg for 0\.png; write them alike$"),
        (["0.PNG", "1.PNG", "SUB/2.PNG"], r"in upper and lower case alone, which has 0\.PNG for 0\.png"),
        (["0.JPG", "1.JPG"], r"2 of them differ .* in the suffix alone"),
        (["/mnt/0.JPG", "/mnt/1.JPG"], "in the suffix and what stands before the name alone"),
        (["img_0.png", "img_1.png"], r"the table names img_0\.png, img_1\.png\); add them, or take those images away$"),
        (["0.png"], r"2 of 3 images have no label \(1\.png, sub/2\.png; the table names 0\.png\); add them"),
    ],
)  # fmt: skip
def test_what_differs_is_said(rows: list[str], told: str, tmp_path: Path) -> None:
    path = write_tree(tmp_path / "x", IMAGES)
    (tmp_path / "t.csv").write_text("file,label\n" + "".join(f"{row},a\n" for row in rows))
    with pytest.raises(ConfigError, match=told):
        _ = Folder(path, labels=str(tmp_path / "t.csv")).classes


def test_the_least_difference_is_told() -> None:
    assert "upper and lower case alone" in str(tell_difference([["a.png"]], ["A.png", "x/a.png"]))
    assert tell_difference([["a.png"], ["b.png"], ["c.png"]], ["A.png"]) is None  # of most of them
    assert tell_difference([["a.png"]], ["..", "", "b"]) is None
