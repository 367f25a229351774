"""`gan-lab sample`: a grid and single PNGs from a run's averaged generator. Imports no torch until it samples."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import TYPE_CHECKING

from gan_lab.errors import ConfigError

if TYPE_CHECKING:
    from omegaconf import DictConfig

log = logging.getLogger(__name__)


def main(cfg: DictConfig) -> None:
    """Draw `n` images from `run` with `seed` and write them to `out` (default: the run's `samples/` folder)."""
    n, seed = cfg.n, cfg.seed
    if not isinstance(n, int) or n < 1:
        raise ConfigError(f"n: {n!r} is not a whole number of at least 1")
    if not isinstance(seed, int) or seed < 0:
        raise ConfigError(f"seed: {seed!r} is not a whole number of at least 0")
    from gan_lab.images import grid, synthetic_note, to_bytes, write_png
    from gan_lab.sampling import load
    from gan_lab.train import shown

    trained = load(cfg.run, checkpoint=str(cfg.checkpoint), device=cfg.device, trust=list(cfg.trust))
    images = trained.sample(n, seed=seed)
    run = trained.path.parent.parent if trained.path.parent.name == "checkpoints" else trained.path
    default = (run if run.is_dir() else run.parent) / "samples" / f"step-{trained.step:08d}-seed-{seed}"
    out = Path(cfg.out) if cfg.out else default
    picture = grid(images)
    write_png(out / "grid.png", picture, synthetic_note(run, trained.step, seed))
    for index, image in enumerate(to_bytes(images)):
        write_png(out / f"{index:05d}.png", image, synthetic_note(run, trained.step, seed, index))
    log.info("%d images of step %d in %s", n, trained.step, shown(out))
    log.info("grid: %s", shown(out / "grid.png"))
