"""Two pictures of a search: how it went, and which settings mattered."""

from __future__ import annotations

import itertools
import logging
import warnings
from pathlib import Path
from typing import Any

from gan_lab.tuning.study import BASELINE, Study

log = logging.getLogger(__name__)

DOTS = 150  # to the inch


def draw(folder: Path, study: Study, objective: str) -> list[Path]:
    """Write `history.png` and `importance.png`, where there is enough to show. Returns what was written."""
    return [path for path in (history(folder, study, objective), importance(folder, study)) if path is not None]


def canvas(width: float, height: float, columns: int = 1) -> tuple[Any, Any]:
    """A matplotlib figure with axes side by side, apart from pyplot's windows and global state."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    logging.getLogger("matplotlib").setLevel(logging.WARNING)  # it tells of its fonts
    figure = Figure(figsize=(width, height), dpi=DOTS, layout="constrained")
    FigureCanvasAgg(figure)
    panels = figure.subplots(1, columns, sharey=True, squeeze=False)[0]
    for axes in panels:
        axes.spines[["top", "right"]].set_visible(False)
    return figure, panels


def history(folder: Path, study: Study, objective: str) -> Path | None:
    """The value of each trial in turn, the best so far as a line, the configuration as it is as a dashed one."""
    from matplotlib.ticker import MaxNLocator

    done = [trial for trial in study.trials if trial.state.name == "COMPLETE" and trial.value is not None]
    pruned = [trial for trial in study.trials if trial.state.name == "PRUNED" and trial.value is not None]
    if not done:
        return None
    figure, (axes,) = canvas(7, 4)
    axes.scatter([t.number for t in done], [t.value for t in done], s=24, color="tab:blue", label="finished")
    if pruned:
        at, values = [t.number for t in pruned], [t.value for t in pruned]
        axes.scatter(at, values, s=24, color="tab:gray", marker="x", label="pruned (where it was)")
    best = itertools.accumulate([float(t.value or 0.0) for t in done], min if study.sign > 0 else max)
    steps = [*best]
    at = [*(t.number for t in done), max(t.number for t in study.trials)]
    axes.step(at, [*steps, steps[-1]], where="post", color="tab:orange", label="best so far")
    for trial in done:
        if trial.user_attrs.get(BASELINE):
            axes.axhline(trial.value, color="black", linestyle="--", linewidth=0.8, label="as it is")
    shown = [float(t.value or 0.0) for t in (*done, *pruned)]
    if min(shown) > 0 and max(shown) > 20 * min(shown):
        axes.set_yscale("log")
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    axes.set(xlabel="trial", ylabel=objective)
    axes.legend(frameon=False)
    figure.savefig(folder / "history.png")
    return folder / "history.png"


def importance(folder: Path, study: Study) -> Path | None:
    """How much of being among the best trials hangs on each setting (PED-ANOVA, Watanabe et al. 2023,
    arXiv:2304.10255); the shares add up to 1."""
    from optuna.importance import PedAnovaImportanceEvaluator, get_param_importances

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # experimental in Optuna 4; few trials
            shares = get_param_importances(study.optuna, evaluator=PedAnovaImportanceEvaluator())
    except (ValueError, RuntimeError) as error:
        log.info("importance.png is left out: %s", " ".join(str(error).split()))
        return None
    if not shares:
        return None
    count = sum(trial.state.name == "COMPLETE" for trial in study.trials)
    names = sorted(shares, key=lambda name: shares[name])
    figure, (axes,) = canvas(7, 1.2 + 0.35 * len(names))
    bars = axes.barh(names, [shares[name] for name in names], color="tab:blue")
    axes.bar_label(bars, fmt="%.2f", padding=3)
    axes.set(xlabel=f"share of the importance ({count} finished trials)", xlim=(0, 1.1))
    figure.savefig(folder / "importance.png")
    return folder / "importance.png"
