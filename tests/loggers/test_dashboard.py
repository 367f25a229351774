"""Where figures stand in TensorBoard: what is seen first, and that every chart has its lines."""

from __future__ import annotations

import re

import pytest

from gan_lab.loggers.dashboard import LINES, METRICS, bounds_of, layout, tag_of, tag_of_metric
from gan_lab.metrics.figure import Figure

FID = Figure("fid/classifier-native-256", 20.0, 0.5, True, {})
MODES = Figure("modes/classifier-native-256", 9.0, None, False, {})
ROUND = (
    *("loss/discriminator", "loss/discriminator/adversarial", "loss/generator", "loss/generator/r1_ab"),
    *("score/real", "score/fake", "gradient_norm/generator", "gradient_norm/discriminator", "augmentation/p"),
    *("learning_rate/generator", "images_seen", "system/images_per_second", "system/wait_share", "system/memory_peak"),
    *(
        "health/diversity",
        "health/accuracy",
        "health/dead",
        "samples",
        "real",
        "score/real/histogram",
        "score/fake/histogram",
    ),
)
TAGS = [*map(tag_of, ROUND), *map(tag_of_metric, (FID.name, MODES.name)), *bounds_of(FID)]


def test_the_two_groups_that_unfold_are_the_losses_and_the_metrics() -> None:
    groups = sorted({tag.partition("/")[0] for tag in TAGS})
    assert groups == ["loss", "metrics", "samples", "score", "system", "terms", "training", "uncertainty"]
    assert [tag for tag in TAGS if tag.startswith("loss/")] == ["loss/discriminator", "loss/generator"]


def test_no_two_names_share_a_tag() -> None:
    assert len(set(TAGS)) == len(TAGS) == len(ROUND) + 4


@pytest.mark.parametrize(
    ("name", "tag"),
    [("fid", "metrics/fid"), ("fid/a-b-5", "metrics/a-b-5/fid"), ("psnr/test split/9", "metrics/test_split/9/psnr")],
)
def test_the_name_of_a_metric_ends_its_tag(name: str, tag: str) -> None:
    assert tag_of_metric(name) == tag


@pytest.mark.parametrize(
    ("title", "lines"),
    [
        ("losses of the players", {"loss/generator", "loss/discriminator"}),
        ("scores of real and generated images", {"score/real", "score/fake"}),
        (
            "gradient norms of the players",
            {"training/gradient_norm/generator", "training/gradient_norm/discriminator"},
        ),
        ("what the generator minimises", {"terms/generator/r1_ab"}),
        ("what the discriminator minimises", {"terms/discriminator/adversarial"}),
        ("share of the time spent waiting for data", {"system/wait_share"}),
    ],
)
def test_a_chart_has_its_lines_and_no_others(title: str, lines: set[str]) -> None:
    charts = {chart.title: chart for category in layout([FID]).category for chart in category.chart}
    (pattern,) = charts[title].multiline.tag
    assert {tag for tag in TAGS if re.match(pattern, tag)} == lines  # as TensorBoard does


def test_no_chart_is_empty_in_a_run() -> None:
    for _, *charts in LINES:
        for title, pattern in charts:
            assert any(re.match(pattern, tag) for tag in TAGS), title


def test_each_metric_has_a_chart_with_its_interval_and_the_game_comes_first() -> None:
    categories = layout([FID, MODES]).category
    assert categories[0].title.startswith("The game")
    modes, fid = categories[METRICS].chart  # shown from last to first
    (series,) = fid.margin.series
    assert (fid.title, modes.title) == (FID.name, MODES.name)
    assert series.value == "metrics/classifier-native-256/fid"
    assert series.lower == "uncertainty/classifier-native-256/fid/lower"
    assert series.upper == "uncertainty/classifier-native-256/fid/upper"
    (series,) = modes.margin.series
    assert series.value == series.lower == series.upper == "metrics/classifier-native-256/modes"
