"""`gan-lab compare RUN RUN ...`: the metrics of several runs side by side, where they may be compared at all."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from gan_lab.command_line.console import command
from gan_lab.command_line.table import number, table, terminal_width
from gan_lab.errors import ConfigError
from gan_lab.metrics.figure import Figure, unlike
from gan_lab.storage.files import read_json

if TYPE_CHECKING:
    from omegaconf import DictConfig

ASIDE = ("step", "averaged", "precision", "repeats", "looks_with")  # of a card: no hindrance, but worth saying


def main(cfg: DictConfig) -> None:
    """The Hydra task."""
    runs = [cfg.runs] if isinstance(cfg.runs, (str, int, float)) else cfg.runs or []
    print("\n".join(compared([Path(str(run)) for run in runs], terminal_width())))


def compared(runs: Sequence[Path], width: int | None = None) -> list[str]:
    """A table of the figures that all runs have, with the difference from the first run and its uncertainty.

    Raises ConfigError for fewer than two runs, a folder without figures, nothing in common, and for figures of one name
    that were taken under different protocols.
    """
    if len(runs) < 2:
        raise ConfigError("runs: name two or more, e.g. gan-lab compare outputs/a/RUN outputs/b/RUN")
    everything = [figures(run) for run in runs]
    names = [name for name in everything[0] if all(name in found for found in everything)]
    if not names:
        has = "; ".join(f"{run} has {', '.join(found)}" for run, found in zip(runs, everything, strict=True))
        raise ConfigError(f"runs: there is no figure that all of them have ({has}); take one by gan-lab evaluate")
    for name in names:
        check(name, runs, [found[name] for found in everything])
    header = ["figure", *(_label(run, runs) for run in runs)]
    rows = [[name, *_row([found[name] for found in everything])] for name in names]
    lines = table(header, rows, width, header[1:])
    for key in ASIDE:
        said = [{str(found[name].card.get(key)) for name in names} for found in everything]
        if len(set(map(frozenset, said))) > 1:
            lines.append(f"{key}: " + ", ".join("/".join(sorted(each)) for each in said))
    return [*lines, "in brackets: the difference from the first run, and its standard error where both are known"]


def check(name: str, runs: Sequence[Path], found: Sequence[Figure]) -> None:
    """Raise ConfigError unless all the figures follow one protocol."""
    for run, figure in zip(runs[1:], found[1:], strict=True):
        differ = unlike(found[0].card, figure.card)
        if differ:
            key = differ[0]
            raise ConfigError(
                f"{name}: {runs[0]} and {run} cannot be compared, their cards differ in {', '.join(differ)} "
                f"({key}: {_short(found[0].card.get(key))} against {_short(figure.card.get(key))}); "
                "evaluate both alike: gan-lab evaluate run=RUN"
            )


def figures(run: Path) -> dict[str, Figure]:
    """What a run's `summary.json` holds under `metrics`. Raises ConfigError where that is nothing."""
    if not run.is_dir():
        raise ConfigError(f"runs: there is no run folder {run}")
    summary = read_json(run / "summary.json")
    if not summary and (run / "summary.json").exists():
        raise ConfigError(f"runs: {run}: summary.json cannot be read")
    metrics = summary.get("metrics")
    found = {}
    for name, record in metrics.items() if isinstance(metrics, dict) else ():
        try:
            found[name] = Figure.of(name, record)
        except ValueError:
            continue
    if not found:
        raise ConfigError(f"runs: {run} has no metrics yet; take them by {command('evaluate', f'run={run}')}")
    return found


def _row(found: Sequence[Figure]) -> list[str]:
    """A figure that is no number, here or in the first run, has no difference."""
    first = found[0]
    cells = [_cell(first)]
    for figure in found[1:]:
        difference = figure.value - first.value
        error = math.hypot(_spread(figure), _spread(first))
        known = f"{difference:+.3g}" + (f" ± {error:.2g}" if math.isfinite(error) else "")
        cells.append(_cell(figure) + (f" ({known})" if math.isfinite(difference) else ""))
    return cells


def _cell(figure: Figure) -> str:
    return number(figure.value) + (f" ± {figure.spread:.2g}" if math.isfinite(_spread(figure)) else "")


def _spread(figure: Figure) -> float:
    return math.nan if figure.spread is None else figure.spread


def _label(run: Path, runs: Sequence[Path]) -> str:
    """As much of a path, from its end, as tells the runs apart."""
    for size in range(1, len(run.parts) + 1):
        tail = run.parts[-size:]
        if sum(other.parts[-size:] == tail for other in runs) == 1:
            return "/".join(tail)
    return str(run)


def _short(value: object) -> str:
    if isinstance(value, dict):
        return " ".join(str(part) for part in value.values())
    return str(value)
