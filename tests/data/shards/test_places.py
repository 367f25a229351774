from __future__ import annotations

from pathlib import Path
from typing import Any

import fsspec
import pytest

from gan_lab.data.shards.places import expand, find_places
from gan_lab.errors import ConfigError, GanLabError

from .conftest import sample, write_shards, write_tar


@pytest.mark.parametrize(
    ("pattern", "spelt"),
    [
        ("a.tar", ["a.tar"]),
        ("a-{008..010}.tar", ["a-008.tar", "a-009.tar", "a-010.tar"]),
        ("a-{9..11}.tar", ["a-9.tar", "a-10.tar", "a-11.tar"]),
        ("{x,y}/{1..2}", ["x/1", "x/2", "y/1", "y/2"]),
    ],
)
def test_braces_are_spelt_out(pattern: str, spelt: list[str]) -> None:
    assert list(expand(pattern)) == spelt


@pytest.mark.parametrize("pattern", ["a-{3..1}.tar", "a-{0..9999999}.tar", "{0..9999}{0..9999}"])
def test_what_cannot_be_counted_is_refused(pattern: str) -> None:
    with pytest.raises(ConfigError, match=r"dataset\.path"):
        list(expand(pattern))


def test_braces_globs_folders_and_lists_name_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pattern = write_shards(tmp_path / "s", (1, 2, 1))
    (tmp_path / "s/README.txt").write_text("x")
    files = [str(path) for path in sorted((tmp_path / "s").glob("*.tar"))]
    monkeypatch.chdir(tmp_path)
    for given in (pattern, f"{tmp_path}/s/*.tar", f"{tmp_path}/s", files, f"file://{tmp_path}/s/*.tar", "s/data-*.tar"):
        places = find_places(given)
        assert [place.path for place in places] == files
        assert [place.size for place in places] == [Path(file).stat().st_size for file in files]
        assert all(place.stamp for place in places)


@pytest.mark.parametrize(
    ("given", "told"),
    [
        (None, "say where the shards are"),
        ([], "say where the shards are"),
        ("HERE/x-{0..3}.tar", r"4 of 4 shards are not there \(file://.*x-0\.tar"),
        ("HERE/*.tar", r"matches no shard"),
        (["HERE/s/data-00.tar"] * 2, "is named twice"),
        ("HERE/a.tar.gz", "is compressed, so that nothing in it can be found again; unpack it to .tar"),
        ("HERE/a.zip", "is neither .tar nor .parquet"),
        ("sftp://host/a.tar", "sftp:// is not read; there are file, "),
    ],
)
def test_what_names_no_shards_is_told_in_one_line(given: Any, told: str, tmp_path: Path) -> None:
    write_shards(tmp_path / "s", (1,))
    given = given.replace("HERE", str(tmp_path)) if isinstance(given, str) else given
    given = [each.replace("HERE", str(tmp_path)) for each in given] if isinstance(given, list) else given
    with pytest.raises(ConfigError, match=rf"\Adataset\.path: .*{told}") as caught:
        find_places(given)
    assert "\n" not in str(caught.value)


def test_a_missing_package_is_named_with_its_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(protocol: str) -> Any:
        raise ImportError("Install s3fs to access S3") from ModuleNotFoundError("No module named 's3fs'", name="s3fs")

    monkeypatch.setattr(fsspec, "filesystem", missing)
    with pytest.raises(GanLabError, match=r"s3:// needs a package that is not here \(s3fs\): .*gan-lab\[remote\]"):
        find_places("s3://bucket/a.tar")


def test_memory_is_a_place(tmp_path: Path) -> None:
    local = write_tar(tmp_path / "a.tar", {"a": sample(1)})
    fsspec.filesystem("memory").pipe("/here/a.tar", local.read_bytes())
    [place] = find_places("memory://here/*.tar")
    assert (place.url, place.size) == ("memory:///here/a.tar", local.stat().st_size)
