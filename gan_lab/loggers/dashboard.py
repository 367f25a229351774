"""How figures are laid out in TensorBoard: their tags, and the charts of its tab Custom Scalars.

The tab that opens first (Time Series) groups tags by what stands before the first slash, sorts the groups by name and
unfolds two. Those are `loss/` (the players' losses, nothing else) and `metrics/`; HParams shows the same at first.
Behind them come the samples, the scores, what concerns the machine (`system/`), and what is looked at when something
is wrong (`terms/` of the losses, `training/`).
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tensorboard.plugins.custom_scalar.layout_pb2 import Chart, Layout

    from gan_lab.metrics.figure import Figure

TRAINING = ("augmentation", "gradient_norm", "health", "images_seen", "learning_rate")
LINES = (  # category, its charts: title, what the tags of its lines begin with. TensorBoard joins equal charts of runs
    (
        "The game (which line is which: Matches, below a chart)",
        ("losses of the players", r"loss/[^/]+$"),
        ("scores of real and generated images", r"score/[^/]+$"),
        ("gradient norms of the players", r"training/gradient_norm/"),
    ),
    ("Metrics, with their standard errors",),
    (
        "Terms of the losses",
        ("what the generator minimises", r"terms/generator/"),
        ("what the discriminator minimises", r"terms/discriminator/"),
    ),
    (
        "Health, and learning rates",
        ("variety of the samples, 1: that of the data", r"training/health/diversity$"),
        ("how well the discriminator tells, 0.5: it guesses", r"training/health/accuracy$"),
        ("learning rates", r"training/learning_rate/"),
    ),
    (
        "The machine",
        ("images per second", r"system/images_per_second$"),
        ("memory at most, MiB", r"system/memory_peak$"),
        ("share of the time spent waiting for data", r"system/wait_share$"),
    ),
)
METRICS = 1  # the place of their category: its charts are those of the metrics that were measured


def tag_of(name: str) -> str:
    """The tag of a figure or a picture: its name, with another group before it where the name alone would stand in the
    way of what is looked at first."""
    first, *rest = name.split("/")
    if first in TRAINING:
        name = f"training/{name}"
    elif first == "loss" and len(rest) > 1:
        name = f"terms/{'/'.join(rest)}"
    elif name == "real":
        name = "samples/real"  # beside what was made
    return re.sub(r"[^-/\w.]", "_", name)


def tag_of_metric(name: str) -> str:
    """`fid/inception-50000` is `metrics/inception-50000/fid`: where room is short the end of a tag is shown."""
    metric, *protocol = name.split("/")
    return tag_of("/".join(("metrics", *protocol, metric)))


def bounds_of(figure: Figure) -> tuple[str, str]:
    """The tags of the ends of a metric's interval; that of its value, where none is known."""
    tag = tag_of_metric(figure.name)
    if figure.spread is None:
        return tag, tag
    return tag.replace("metrics/", "uncertainty/", 1) + "/lower", tag.replace("metrics/", "uncertainty/", 1) + "/upper"


def layout(metrics: Sequence[Figure] = ()) -> Layout:
    """The charts of every run, and one of each of these metrics: its value, within one standard error."""
    from tensorboard.plugins.custom_scalar.layout_pb2 import Category, Chart, Layout, MultilineChartContent

    def line(title: str, tag: str) -> Chart:
        return Chart(title=title, multiline=MultilineChartContent(tag=[tag]))

    categories = [Category(title=title, chart=[line(*each) for each in charts]) for title, *charts in LINES]
    categories[METRICS].chart.extend(map(_margin, reversed(metrics)))  # the tab shows such charts from last to first
    return Layout(category=categories)


def _margin(figure: Figure) -> Chart:
    """One kind of chart for all of them: TensorBoard would show lines before margins, whatever their order."""
    from tensorboard.plugins.custom_scalar.layout_pb2 import Chart, MarginChartContent

    lower, upper = bounds_of(figure)
    series = MarginChartContent.Series(value=tag_of_metric(figure.name), lower=lower, upper=upper)
    return Chart(title=figure.name, margin=MarginChartContent(series=[series]))
