"""The table by hand: means, spreads, order, what is said of jobs without figures."""

from __future__ import annotations

import math

from gan_lab.ablation.jobs import Variant
from gan_lab.ablation.table import Cell, cells, markdown, tabulate


def job(technique: str, seed: int, modes: float, kl: float) -> Variant:
    figures = {"modes/p-9": modes, "reverse_kl/p-9": kl, "loss/generator": 1.0}
    low = {"modes/p-9": False, "reverse_kl/p-9": True}
    return Variant(technique, seed, state="finished", seconds=2.0, figures=figures, better_low=low)


JOBS = [
    job("none", 0, 6, 1.0),
    job("none", 1, 8, 2.0),
    job("worse", 0, 5, 3.0),
    Variant("worse", 1, state="failed", error="out of luck"),
    Variant("wrong", 0, state="refused", error="takes | no such"),
    Variant("wrong", 1, state="refused", error="takes | no such"),
    job("better", 0, 8, 0.5),
    Variant("better", 1, state="interrupted"),
]


def test_mean_and_standard_deviation() -> None:
    assert (Cell((6.0, 8.0)).mean, Cell((6.0, 8.0)).spread) == (7.0, math.sqrt(2))
    assert str(Cell((6.0, 8.0))) == "7 ± 1.4"
    assert str(Cell((6.0,))) == "6"
    assert str(Cell(())) == ""


def test_the_base_first_then_the_best_by_the_first_figure() -> None:
    header, rows = cells(tabulate(JOBS, None))
    assert header == ["technique", "modes/p-9", "reverse_kl/p-9", "seeds", "note"]
    assert rows == [
        ["none", "7 ± 1.4", "1.5 ± 0.71", "2", ""],
        ["better", "8", "0.5", "1", "1 to come"],
        ["worse", "5", "3", "1", "1 failed"],
        ["wrong", "", "", "0", "refused"],
    ]


def test_only_what_is_asked_for_by_prefix() -> None:
    found = tabulate(JOBS, ["reverse_kl", "loss/generator", "fid"])
    assert found.figures == ["reverse_kl/p-9", "loss/generator"]
    assert found.missing == ["fid"]
    assert [row.technique for row in found.rows] == ["none", "better", "worse", "wrong"]


def test_before_anything_is_done() -> None:
    found = tabulate([Variant("none", 0), Variant("a", 0, state="running")], ["modes"])
    assert (found.figures, found.missing) == ([], [])
    assert cells(found) == (["technique", "seeds", "note"], [["none", "0", "1 to come"], ["a", "0", "1 to come"]])


def test_markdown() -> None:
    assert markdown(tabulate(JOBS, None), "How it was made.") == (
        "| technique | modes/p-9 ↑ | reverse_kl/p-9 ↓ | seeds | note |\n"
        "| --- | ---: | ---: | ---: | --- |\n"
        "| none | 7 ± 1.4 | 1.5 ± 0.71 | 2 |  |\n"
        "| better | **8** | **0.5** | 1 | 1 to come |\n"
        "| worse | 5 | 3 | 1 | 1 failed |\n"
        "| wrong |  |  | 0 | refused |\n"
        "\n"
        "How it was made.\n"
        "\n"
        "- worse, seed 1 failed: out of luck\n"
        "- wrong refused: takes | no such\n"
    )


def test_no_best_where_all_are_alike() -> None:
    assert "**" not in markdown(tabulate([job("none", 0, 8, 1.0), job("a", 0, 8, 1.0)], None), "")


def test_a_figure_that_is_no_number_is_last_and_never_best() -> None:
    found = tabulate([job("none", 0, 6, 1), job("nan", 0, math.nan, 2), job("a", 0, 5, 3)], ["modes"])
    assert [row.technique for row in found.rows] == ["none", "a", "nan"]
    assert [found.is_best(row, "modes/p-9") for row in found.rows] == [True, False, False]
