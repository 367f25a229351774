"""What `gan-lab translate` and `gan-lab upscale` have in common: from their keys to files."""

from __future__ import annotations

import logging
import time
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any

from gan_lab.command_line.console import require_folder, shown
from gan_lab.data.sources.listed import listed
from gan_lab.engine.precision import pick_precision
from gan_lab.errors import ConfigError, GanLabError
from gan_lab.sampling.photo_translator import PhotoTranslator
from gan_lab.sampling.trained import Trained, load
from gan_lab.translation.check import difference_of_tiles
from gan_lab.translation.job import translate_all
from gan_lab.translation.masks import Masks
from gan_lab.translation.pictures import Item, Pictures
from gan_lab.translation.saving import encode

log = logging.getLogger(__name__)


def translate_pictures(config: Mapping[str, Any], enlarges: bool = False) -> None:
    """Make a picture of each at `input`, in the folder `out`. `enlarges`: only by a run that does. Raises ConfigError
    before anything is made where that cannot be, GanLabError at the end where some pictures could not be."""
    out = require_folder("out", Path(str(config["out"])).expanduser().absolute())
    pictures = Pictures(config["input"], "input", besides=out)
    try:
        trained = load(str(config["run"]), str(config["checkpoint"]), config["device"], list(config["trust"]))
        device = next(trained.sampler.network.parameters()).device
        precision, _ = pick_precision(config["precision"], device)
        if enlarges and trained.translator().scale <= 1:
            raise ConfigError(f"run={config['run']}: makes pictures of the size of its inputs: gan-lab translate")
        translator = trained.translator(config.get("direction"), config["tile"], config["overlap"], precision)
        masks = masks_of(config.get("mask"), pictures, translator)
        label = None if config["label"] is None else trained.labels(config["label"])[0]
        items = places(pictures, out, config["format"])
        if masks is not None:
            masks.check_sizes(pictures)
        todo = [(item, place) for item, place in items if config["overwrite"] or not place.exists()]
        if config["check"]:
            log.info("%s", difference_of_tiles(trained.translator(config.get("direction")), translator, pictures))
        began = time.perf_counter()
        done = translate_all(
            pictures,
            todo,
            lambda photo, hole: translator(photo, hole, label, config["seed"]),
            partial(encode, kind=config["format"], note=note(trained, config["seed"])),
            masks,
            "upscaling" if enlarges else "translating",
        )
    finally:
        pictures.close()
    seconds = max(time.perf_counter() - began, 1e-9)
    if pictures.left_out:
        log.warning("left out, no pictures by their names: %s", listed(pictures.left_out))
    log.info("%d pictures in %s (step %d, %.3g a second)", done.made, shown(out), trained.step, done.made / seconds)
    if len(todo) < len(items):
        log.info("%d were there already; overwrite=true makes them again", len(items) - len(todo))
    if done.failed:
        reasons = [f"{name}: {reason}" for name, reason in done.failed.items()]
        raise GanLabError(f"{len(reasons)} of {len(todo)} pictures could not be made: {listed(reasons, 3)}")


def places(pictures: Pictures, out: Path, kind: str) -> list[tuple[Item, Path]]:
    """Where each picture goes. Raises ConfigError where that is among those that are given."""
    if out.resolve() == pictures.folder.resolve() and pictures.path.is_dir():
        raise ConfigError(f"out: {shown(out)} is the folder that the pictures lie in; choose another")
    found = [(item, out / item.stem.parent / f"{item.stem.name}.{kind}") for item in pictures.items]
    for item, place in found:
        if isinstance(item.file, Path) and place.exists() and place.samefile(item.file):
            raise ConfigError(f"out: {shown(place)} is the picture that is given; choose another folder")
    return found


def masks_of(path: Any, pictures: Pictures, translator: PhotoTranslator) -> Masks | None:
    """Raises ConfigError where the run wants one and there is none, or the other way round."""
    if (path is not None) == translator.takes_mask:
        return None if path is None else Masks(path, pictures)
    if path is None:
        raise ConfigError("mask: missing; this run fills holes: mask=MASK.png, white where something is missing")
    raise ConfigError("mask: this run was not trained to fill holes (degradation=mask)")


def note(trained: Trained, seed: int) -> dict[str, str]:
    """What a PNG says of itself."""
    folder = trained.path.parent.parent if trained.path.parent.name == "checkpoints" else trained.path
    made_by = "/".join(folder.absolute().parts[-2:])
    return {
        "Software": "gan-lab",
        "Comment": "made of another picture by a neural network",
        "gan-lab:run": made_by,
        "gan-lab:step": str(trained.step),
        "gan-lab:seed": str(seed),
    }
