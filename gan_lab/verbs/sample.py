"""`gan-lab sample`: a grid and single PNGs from a run's averaged generator. Imports no torch until it samples."""

from __future__ import annotations

import logging
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

from omegaconf import OmegaConf

from gan_lab.command_line.console import shown
from gan_lab.config import require_whole
from gan_lab.errors import ConfigError

if TYPE_CHECKING:
    from omegaconf import DictConfig

log = logging.getLogger(__name__)


def main(cfg: DictConfig) -> None:
    """Draw `n` images from `run` with `seed` and write them to `out` (default: the run's `samples/` folder)."""
    n, seed = require_whole(cfg.n, "n"), require_whole(cfg.seed, "seed", 0)
    if cfg.truncation is not None and not (isinstance(cfg.truncation, (int, float)) and cfg.truncation > 0):
        raise ConfigError(f"truncation: {cfg.truncation!r} is not a positive number")
    from gan_lab.pictures.grid import picture_of, synthetic_note, to_bytes, write_png
    from gan_lab.sampling.trained import load

    trained = load(cfg.run, checkpoint=str(cfg.checkpoint), device=cfg.device, trust=list(cfg.trust))
    label: Any = list(cfg.label) if OmegaConf.is_list(cfg.label) else cfg.label
    if label == "all":
        label = list(range(len(trained.classes)))
    images = trained.sample(n, seed=seed, label=label, truncation=cfg.truncation)
    run = trained.path.parent.parent if trained.path.parent.name == "checkpoints" else trained.path
    asked = "".join(
        f"-{key}-{value}" for key, value in (("label", label), ("truncation", cfg.truncation)) if value is not None
    )
    folder = re.sub(r"[^A-Za-z0-9._-]+", "_", f"step-{trained.step:08d}-seed-{seed}{asked}")
    out = Path(cfg.out) if cfg.out else (run if run.is_dir() else run.parent) / "samples" / folder
    picture = picture_of(trained.config)(images)
    write_png(out / "grid.png", picture, synthetic_note(run, trained.step, seed))
    if images.shape[1] in (1, 3):  # what is no image (a point in the plane) has no file of its own
        for index, image in enumerate(to_bytes(images)):
            write_png(out / f"{index:05d}.png", image, synthetic_note(run, trained.step, seed, index))
    log.info("%d images of step %d in %s", n, trained.step, shown(out))
    log.info("grid: %s", shown(out / "grid.png"))
