"""Overrides as text: parts, quoting, and which of two stands."""

from __future__ import annotations

from pathlib import Path

import pytest
from hydra.core.override_parser.overrides_parser import OverridesParser

from gan_lab.command_line.overrides import merge, quote, quote_paths, read, unquote

AWKWARD = ["a b", "a,b", "a=b", "[x](y){z}", "it's", 'say "x"', "C:\\runs\\", "naïve", "a:b", "x\\'y", "null"]


def parsed(word: str) -> object:
    return OverridesParser.create().parse_override(word).value()


@pytest.mark.parametrize("text", AWKWARD)
def test_quoted_text_survives_hydra(text: str) -> None:
    assert parsed(f"resume={quote(text)}") == text


def test_a_quoted_reference_stays_text() -> None:
    from omegaconf import OmegaConf

    assert OmegaConf.create({"x": parsed(f"x={quote('a${b}')}")}).x == "a${b}"


@pytest.mark.parametrize("text", [t for t in AWKWARD if t != "null"])
def test_a_path_is_typed_as_it_is(text: str) -> None:
    (word,) = quote_paths([f"dataset.path={text}"], sweeping=False)
    assert parsed(word) == text


def test_only_paths_are_quoted_and_only_once() -> None:
    words = ["seed=1,2", "from='a,b'", "out=plain/x.png", "+run=${a.b}", "out=null"]
    assert quote_paths(words, sweeping=False) == words


def test_what_is_all_in_brackets_is_a_list_unless_such_a_path_is_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    words = ["out=[a]", "out=[a,b]", "run={a: 1}"]
    assert quote_paths(words, sweeping=False) == words
    (tmp_path / "[a]").mkdir()
    assert quote_paths(words, sweeping=False) == ["out='[a]'", *words[1:]]


def test_in_a_sweep_a_comma_parts_unless_such_a_path_is_there(tmp_path: Path) -> None:
    there = tmp_path / "a,b"
    there.mkdir()
    words = quote_paths([f"dataset.path={there}", "dataset.path=c,d"], sweeping=True)
    assert words == [f"dataset.path='{there}'", "dataset.path=c,d"]


def test_the_home_folder_is_filled_in(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/home/me")
    monkeypatch.setenv("USERPROFILE", "/home/me")
    assert quote_paths(["run=~/x", "seed=~/x"], sweeping=False) == ["run=/home/me/x", "seed=~/x"]


def test_parts() -> None:
    assert read("++a.b=c=d") == ("++", "a.b", "c=d")
    assert read("~loss/regularizers@x") == ("~", "loss/regularizers@x", None)
    assert unquote("'it\\'s'") == "it's"
    assert unquote("'a") == "'a"


@pytest.mark.parametrize(
    ("stored", "typed", "expected"),
    [
        (["model=gan", "seed=1"], ["seed=2"], ["model=gan", "seed=2"]),
        (["+x=1"], ["x=2"], ["+x=2"]),
        (["++x=1"], ["x=2"], ["++x=2"]),
        (["+x=1", "seed=1"], ["~x"], ["seed=1"]),
        (["~x"], ["+x=2"], ["x=2"]),
        (["~x"], ["x=2"], ["x=2"]),
        (["x=1"], ["~x"], ["~x"]),
        (["loss/regularizers=[r1]"], ["loss/regularizers=[]"], ["loss/regularizers=[]"]),
        (["seed=1"], [], ["seed=1"]),
    ],
)
def test_the_typed_one_stands(stored: list[str], typed: list[str], expected: list[str]) -> None:
    assert merge(stored, typed) == expected
