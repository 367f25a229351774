"""Tables: aligned, and cut to the terminal."""

from __future__ import annotations

from gan_lab.command_line.table import cut, number, table


def test_columns_are_aligned_and_the_widest_is_cut() -> None:
    rows = [["a/long/path/to/a/run", "1"], ["b", "20"]]
    assert table(["folder", "step"], rows, None, numbers=["step"]) == [
        "folder                step",
        "a/long/path/to/a/run     1",
        "b                       20",
    ]
    assert table(["folder", "step"], rows, 16, numbers=["step"])[1] == "…/to/a/run     1"
    assert max(map(len, table(["folder", "step"], rows, 16))) <= 16


def test_a_path_keeps_its_end_and_words_their_beginning() -> None:
    assert cut("outputs/x/run", 6) == "…x/run"
    assert cut("seed=1 a/b=3", 7) == "seed=1…"
    assert cut("short", 5) == "short"


def test_figures_are_short() -> None:
    assert [number(value) for value in (0.123456, 12, None, "x", True, 1234.56)] == [
        "0.1235",
        "12",
        "",
        "x",
        "True",
        "1235",
    ]
