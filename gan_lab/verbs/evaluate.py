"""`gan-lab evaluate`: metrics of a trained generator at full count. Imports no torch until it measures."""

from __future__ import annotations

import logging
import math
import statistics
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from omegaconf import OmegaConf

from gan_lab.command_line.console import shown
from gan_lab.command_line.table import number, table, terminal_width
from gan_lab.errors import ConfigError, GanLabError, describe

if TYPE_CHECKING:
    from omegaconf import DictConfig

    from gan_lab.metrics.figure import Figure
    from gan_lab.sampling.trained import Trained

log = logging.getLogger(__name__)

MOST = 64  # samples beside their neighbours


def main(cfg: DictConfig) -> float:
    """The Hydra task. Returns the first figure."""
    config = OmegaConf.to_container(cfg, resolve=True)
    assert isinstance(config, dict)
    figures = evaluate({str(key): value for key, value in config.items()})
    return figures[0].value


def evaluate(config: dict[str, Any]) -> list[Figure]:
    """Measure, print and store in the run's `summary.json` (and `evaluations.jsonl`, which keeps every one)."""
    import torch

    from gan_lab.config import build, check_targets, require_whole
    from gan_lab.data.moved import of_run
    from gan_lab.metrics.evaluate import count_for
    from gan_lab.sampling.trained import load
    from gan_lab.sampling.truncated import Truncated
    from gan_lab.training.memory.available import peak, size

    n, repeats, seed = require_whole(config["n"], "n", 2), config["repeats"], config["seed"]
    require_whole(repeats, "repeats")
    require_whole(seed, "seed", 0)
    require_whole(config["neighbours"], "neighbours", 0, most=MOST)
    truncations = asked_truncations(config["truncation"])
    nodes = {name: node for name, node in (config.get("metrics") or {}).items() if node is not None}
    if not nodes:
        raise ConfigError("metrics: none was named; e.g. metrics=[fid,kid]")
    measures = {name: build(node, f"metrics.{name}") for name, node in nodes.items()}
    trained = load(config["run"], str(config["checkpoint"]), config["device"], list(config["trust"]))
    samplers = [trained.sampler if each is None else Truncated(trained.sampler, each) for each in truncations]
    read = {key: trained.config.get(key) for key in ("dataset", "degradation")}
    check_targets(read, list(config["trust"]))
    trained.config["dataset"] = of_run(trained.config["dataset"], trained.stream, config.get("dataset") or {})
    reference, measures = prepared(trained, config, measures, n)
    n = count_for(trained.sampler, reference, n)
    if config["neighbours"]:
        show_neighbours(trained, reference, config["neighbours"], seed)
    by_truncation: dict[float | None, list[Figure]] = {}
    seconds = 0.0
    for truncation, sampler in zip(truncations, samplers, strict=True):
        trained.sampler = sampler
        found, took = repeated(trained, reference, measures, n, range(seed, seed + repeats), truncation)
        by_truncation[truncation] = found
        seconds += took
        store(trained.folder, found)
    figures = [figure for found in by_truncation.values() for figure in found]
    if len(truncations) == 1:
        for line in lines(figures):
            log.info(line)
    else:
        show_curve(trained, by_truncation)
    taken = peak(torch.device("cpu"))
    log.info("%d images of step %d%s: %.0f s, %.0f images/s%s", n, trained.step,
             f", {repeats} times" if repeats > 1 else "", seconds, n * repeats * len(truncations) / seconds,
             f", {size(taken)} at most" if taken else "")  # fmt: skip
    log.info("stored    %s", shown(trained.folder / "summary.json"))
    return figures


def asked_truncations(asked: Any) -> list[float | None]:
    """One, or several of which each is another. Raises ConfigError for what is none."""
    from gan_lab.config import require_number

    if asked is None:
        return [None]
    found = [require_number(each, "truncation", above=0) for each in (asked if isinstance(asked, list) else [asked])]
    if not found or len(set(found)) != len(found):
        raise ConfigError(f"truncation: {asked} is not a number, or a list of them that differ, e.g. [0.5,0.7,1]")
    return list(found)


def show_curve(trained: Trained, figures: Mapping[Any, Sequence[Figure]]) -> None:
    """What each truncation is worth: a table, and a picture in the run."""
    from gan_lab.metrics.truncation_curve import picture, rows
    from gan_lab.pictures.grid import SOFTWARE, write_png

    for line in rows(figures, terminal_width()):
        log.info("%s", line)
    path = trained.folder / "evaluations" / f"truncation-step-{trained.step:08d}.png"
    write_png(path, picture(figures), {"Software": SOFTWARE})
    log.info("curve     %s", shown(path))


def show_neighbours(trained: Trained, reference: Any, n: int, seed: int) -> None:
    """Samples beside the training images nearest to them: a picture in the run, and how near that is. Raises
    ConfigError for images that are made from others, which are near to those."""
    from gan_lab.metrics.nearest_images import columns
    from gan_lab.pictures.grid import synthetic_note, write_png
    from gan_lab.pictures.panel import panel
    from gan_lab.sampling.sampler import all_images

    if trained.sampler.needs or len(reference.data.store) < 2:
        raise ConfigError("neighbours: are of images that are made from noise, by a run of two images and more")
    beside, near = columns(reference, all_images(trained.sampler, trained.request(n, seed)))
    path = trained.folder / "evaluations" / f"neighbours-step-{trained.step:08d}.png"
    write_png(path, panel(beside), synthetic_note(trained.folder, trained.step, seed))
    found = [(str(at), number(float(d)), f"{share:.0%}") for at, (d, share) in enumerate(zip(*near[1:], strict=True))]
    head = ("sample", "to the nearest", "rank among real ones")
    for line in table(head, found, terminal_width(), head[1:]):
        log.info("%s", line)
    log.info("0%%: nearer than any real image is to another one; 50%%: as near as they usually are")
    log.info("neighbours %s", shown(path))


def prepared(trained: Trained, config: dict[str, Any], measures: dict[str, Any], n: int) -> tuple[Any, dict[str, Any]]:
    """The data's side of the comparison, and the measures that can be taken of it and of `n` images of this generator;
    what cannot be taken, or means little, is said."""
    from gan_lab.engine.engine import pick_device
    from gan_lab.metrics.evaluate import applicable, cautions, count_for, extractor_for, reference_for

    extractor, device = extractor_for(measures, config["extractor"]), pick_device(config["device"])
    reference = reference_for(
        trained.sampler, trained.config, extractor, device, config["inputs"], "inputs", whole=config["whole"]
    )
    n = count_for(trained.sampler, reference, n)
    taken, refused = applicable(measures, reference, trained.sampler, n)
    for name, why in refused.items():
        log.warning("metrics: %s is not taken: %s", name, why)
    if not taken:
        raise ConfigError("metrics: none of them can be taken of this data and generator with this extractor")
    for line in cautions(taken, reference, n):
        log.warning("%s", line)
    return reference, taken


def repeated(
    trained: Any,
    reference: Any,
    measures: dict[str, Any],
    n: int,
    seeds: Sequence[int],
    truncation: float | None = None,
) -> tuple[list[Figure], float]:
    """Figures of `n` images for each seed, their means where there are several, and the seconds taken. A measure that
    fails is said and left out; raises GanLabError where all of them do."""
    from gan_lab.data.progress import Progress
    from gan_lab.metrics.evaluate import measure
    from gan_lab.storage.files import read_json
    from gan_lab.training.looks_with import on_card

    about = {"step": trained.step, "averaged": True, "precision": "fp32", "repeats": len(seeds)}
    about |= on_card(read_json(trained.folder / "summary.json").get("looks_with"))
    if truncation is not None:
        about["truncation"] = truncation
    began = time.perf_counter()
    every: list[dict[str, Figure]] = []
    failed: dict[str, Exception] = {}
    progress = Progress("evaluating", n * len(seeds))
    for done, seed in enumerate(seeds):
        tell = lambda count, before=done * n: progress.update(before + count)  # noqa: E731
        figures = measure(trained.sampler, reference, measures, n, seed, about, tell, failed)
        every.append({figure.name: figure for figure in figures})
    progress.close()
    told = {name: describe(error) for name, error in failed.items()}
    for name, why in told.items():
        log.warning("metrics: %s is not taken: %s", name, why)
    names = [name for name in every[0] if all(name in each for each in every)]
    if not names:
        raise GanLabError(f"metrics: none of them could be taken ({next(iter(told.values()), 'they found nothing')})")
    return [mean([each[name] for each in every]) for name in names], time.perf_counter() - began


def mean(figures: list[Figure]) -> Figure:
    """Of one figure taken with several seeds: the mean, and as its spread the standard deviation between them."""
    if len(figures) == 1:
        return figures[0]
    values = [figure.value for figure in figures]
    spread = statistics.stdev(values) if all(map(math.isfinite, values)) else None
    return figures[0]._replace(value=statistics.fmean(values), spread=spread)


def lines(figures: Sequence[Figure]) -> list[str]:
    """A table for people."""
    rows = [
        (each.name, number(each.value), number(each.spread), "lower" if each.lower_is_better else "higher")
        for each in figures
    ]
    return table(("figure", "value", "spread", "better"), rows, terminal_width(), ("value", "spread"))


def store(run: Path, figures: Sequence[Figure]) -> None:
    """Put the figures into the run's `summary.json`, and behind the others in `evaluations.jsonl`."""
    from gan_lab.storage.files import read_json, to_json, write_json, write_text

    summary = read_json(run / "summary.json")
    metrics = summary.get("metrics")
    summary["metrics"] = {
        **(metrics if isinstance(metrics, dict) else {}),
        **{figure.name: figure.record() for figure in figures},
    }
    write_json(run / "summary.json", summary)
    path = run / "evaluations.jsonl"
    before = path.read_text(encoding="utf-8") if path.exists() else ""
    written = "".join(to_json({"name": figure.name, **figure.record()}) + "\n" for figure in figures)
    write_text(path, before + written)
