"""`gan-lab detect`: pictures unlike those that a run was trained on. Imports no torch until it looks at them."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import TYPE_CHECKING, Any

from omegaconf import OmegaConf

from gan_lab.command_line.console import require_folder, shown
from gan_lab.config import require_number
from gan_lab.errors import ConfigError, GanLabError

if TYPE_CHECKING:
    from omegaconf import DictConfig

    from gan_lab.data.dataset import Dataset
    from gan_lab.detection.normals import Normals
    from gan_lab.sampling.trained import Trained

log = logging.getLogger(__name__)


def main(cfg: DictConfig) -> None:
    """Score the pictures at `input`; without one, test the detector on the data's test split."""
    config = OmegaConf.to_container(cfg, resolve=True)
    assert isinstance(config, dict)
    detect({str(key): value for key, value in config.items()})


def detect(config: dict[str, Any]) -> None:
    """See `main`. Raises ConfigError, in one line, for what cannot be, before anything is written."""
    check(config)
    from gan_lab.sampling.trained import load

    trained = load(str(config["run"]), str(config["checkpoint"]), config["device"], list(config["trust"]))
    if trained.sampler.detector is None:
        raise ConfigError(
            f"run={config['run']}: was not trained to detect; models that are: ganomaly, egbad, fanogan "
            "(gan-lab train model=fanogan)"
        )
    if config["input"] is None:
        measure(trained, config)
    else:
        score(trained, config)


def check(config: dict[str, Any]) -> None:
    """Raise ConfigError for values that cannot be."""
    if not 0 < require_number(config["quantile"], "quantile") <= 1:
        raise ConfigError(f"quantile: {config['quantile']} is no share; above 0 and up to 1")
    if config["threshold"] is not None:
        require_number(config["threshold"], "threshold")
    if type(config["heatmaps"]) is not bool:
        raise ConfigError(f"heatmaps: {config['heatmaps']!r} is neither true nor false")
    if config["normal"] is not None and config["input"] is not None:
        raise ConfigError("normal: is for the test split, and input names pictures; leave one of them out")


def score(trained: Trained, config: dict[str, Any]) -> None:
    """The pictures at `input`, into a table and heat maps in the folder `out`."""
    from gan_lab.data.sources.listed import listed
    from gan_lab.detection.files import Judge, write_table
    from gan_lab.translation.pictures import Pictures
    from gan_lab.translation.run import note

    detector = trained.sampler.detector
    assert detector is not None
    out = require_folder("out", Path(str(config["out"])).expanduser().absolute())
    pictures = Pictures(config["input"], "input", besides=out)
    try:
        if out.resolve() == pictures.folder.resolve():
            raise ConfigError(f"out: {shown(out)} is the folder that the pictures lie in; choose another")
        normals = normals_of(trained, config)
        threshold = config["threshold"]
        if threshold is None:
            assert normals is not None
            threshold = normals.threshold(config["quantile"])
        channels, height, width = trained.config["shapes"]["image"]
        how = str(trained.config["dataset"].get("fit", "crop"))
        judge = Judge(detector, (channels, height, width), how, float(threshold), normals)
        rows, failed = judge.score_all(pictures, out if config["heatmaps"] else None, note(trained, 0))
    finally:
        pictures.close()
    if rows:
        write_table(out / "scores.csv", rows)
    for row in rows[:10]:
        rarer = "" if row.share is None else f", above {row.share:.0%} of normal pictures"
        log.info("%-9s %s  score %.4g%s", "ANOMALOUS" if row.anomalous else "normal", row.file, row.score, rarer)
    if len(rows) > 10:
        log.info("... and %d more, less anomalous ones", len(rows) - 10)
    if rows:
        count = sum(row.anomalous for row in rows)
        log.info("%d of %d above the threshold %.4g: %s", count, len(rows), threshold, shown(out / "scores.csv"))
    if pictures.left_out:
        log.warning("left out, no pictures by their names: %s", listed(pictures.left_out))
    if failed:
        told = listed([f"{name}: {reason}" for name, reason in failed.items()], 3)
        if not rows:
            raise ConfigError(f"input: none of the {len(failed)} pictures can be read ({told})")
        raise GanLabError(f"{len(failed)} of {len(pictures.items)} pictures could not be read: {told}")


def normals_of(trained: Trained, config: dict[str, Any]) -> Normals | None:
    """The scores of normal pictures that the run keeps, or where it keeps none of this checkpoint those of the share of
    its data that is held out; None where neither is there, and a threshold is given. Raises ConfigError without one."""
    from gan_lab.detection.normals import Normals, score_normals

    folder, detector = trained.folder, trained.sampler.detector
    assert detector is not None
    kept = Normals.read(folder)
    if kept is not None and kept.step == trained.step:
        return kept
    try:
        return score_normals(detector, data_of(trained, config), trained.step)
    except GanLabError as error:
        if config["threshold"] is not None:
            return None
        what = "keeps no scores" if kept is None else f"keeps scores of step {kept.step}, not of step {trained.step},"
        raise ConfigError(
            f"run={config['run']}: {what} of normal pictures ({error}); a threshold of one's own is threshold=NUMBER"
        ) from error


def data_of(trained: Trained, config: dict[str, Any]) -> Dataset:
    """The data that a run was trained on, where it lies now. What its configuration names is built only where it is
    ours, or trusted."""
    from gan_lab.config import check_targets
    from gan_lab.data.dataset import build_dataset
    from gan_lab.data.moved import of_run

    check_targets({"dataset": trained.config["dataset"]}, list(config["trust"]))
    return build_dataset(of_run(trained.config["dataset"], trained.stream, config.get("dataset") or {}))


def measure(trained: Trained, config: dict[str, Any]) -> None:
    """On the test split, beside detectors without a network, into the run's summary."""
    from gan_lab.detection.protocol import assess
    from gan_lab.verbs.evaluate import store

    detector = trained.sampler.detector
    assert detector is not None
    normal = config["normal"]
    found = assess(detector, data_of(trained, config), [str(normal)] if isinstance(normal, (str, int)) else normal)
    for line in found.lines():
        log.info("%s", line)
    splits = " and ".join(f"{len(part.places)} of {part.split}" for part in found.parts)
    log.info("%d pictures (%s), of which the classes %s are normal", found.pictures, splits, ", ".join(found.normal))
    store(trained.folder, found.figures({"step": trained.step}))
    log.info("stored    %s", shown(trained.folder / "summary.json"))
