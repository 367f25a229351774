"""`gan-lab interpolate`: the way from image to image through the latents of a run. Imports no torch until it begins."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import TYPE_CHECKING, Any

from omegaconf import OmegaConf

from gan_lab.command_line.console import require_folder, shown
from gan_lab.config import require_number, require_seed, require_whole
from gan_lab.errors import ConfigError
from gan_lab.verbs.sample import requested_label

if TYPE_CHECKING:
    from omegaconf import DictConfig
    from torch import Tensor

    from gan_lab.editing.paths import Path as Way
    from gan_lab.sampling.space import Space
    from gan_lab.sampling.trained import Trained

log = logging.getLogger(__name__)

KINDS = ("auto", "lerp", "slerp")
COLUMNS = 13  # of the grid, at most
MOST = 64  # ways side by side
FASTEST = 100  # frames a second


def main(cfg: DictConfig) -> None:
    """Write a grid and a film of `n` ways through the codes of `seeds`."""
    seeds, label = check(cfg)
    from gan_lab.pictures.motion import require_av

    if cfg.mp4:
        require_av()
    from gan_lab.editing.paths import Path as Way
    from gan_lab.editing.shown import classes_of, require_pictures
    from gan_lab.sampling.trained import load

    trained = load(str(cfg.run), checkpoint=str(cfg.checkpoint), device=cfg.device, trust=list(cfg.trust))
    require_pictures(trained)
    space = trained.sampler.space(cfg.truncation)
    classes = classes_of(trained, cfg.n, label)
    way = Way(keys(space, cfg.n, seeds, classes), kind(cfg.kind, space), cfg.loop)
    words = "-".join(map(str, seeds[:20]))
    out = (
        Path(str(cfg.out)) if cfg.out else trained.folder / "interpolations" / f"step-{trained.step:08d}-seeds-{words}"
    )
    require_folder("out", out)
    written = write(cfg, trained, space, way, seeds, classes if space.num_classes else None, out)
    log.info("%d ways in %s by %s, through the seeds %s%s", cfg.n, space.name, kind(cfg.kind, space),
             ", ".join(map(str, seeds)), " and back" if cfg.loop else "")  # fmt: skip
    for each in written:
        log.info("%s", shown(each))


def check(cfg: DictConfig) -> tuple[list[int], Any]:
    """The seeds and the classes. Raises ConfigError, in one line, for values that cannot be."""
    seeds = OmegaConf.to_container(cfg.seeds) if OmegaConf.is_list(cfg.seeds) else cfg.seeds
    if not isinstance(seeds, list) or len(seeds) < 2:
        raise ConfigError(f"seeds: {seeds!r} is not a list of two or more, e.g. seeds=[1,2,3]")
    for seed in seeds:
        require_seed(seed, "seeds")
    require_whole(cfg.n, "n", most=MOST)
    require_whole(cfg.frames, "frames")
    if require_number(cfg.fps, "fps", above=0) > FASTEST:
        raise ConfigError(f"fps: {cfg.fps} is too fast, {FASTEST} is the most")
    if cfg.truncation is not None:
        require_number(cfg.truncation, "truncation", above=0)
    if cfg.kind not in KINDS:
        raise ConfigError(f"kind: {cfg.kind!r} is not one of {', '.join(KINDS)}")
    for key in ("loop", "mp4"):
        if not isinstance(cfg[key], bool):
            raise ConfigError(f"{key}: {cfg[key]!r} is neither true nor false")
    return seeds, requested_label(OmegaConf.to_container(cfg.label) if OmegaConf.is_config(cfg.label) else cfg.label)


def kind(asked: str, space: Space) -> str:
    """The curve: the space's own where none was asked for."""
    return space.curve if asked == "auto" else asked


def keys(space: Space, n: int, seeds: list[int], label: Tensor | None) -> Tensor:
    """`(len(seeds), n, ...)`: what each seed gives each of the ways."""
    import torch

    return torch.stack([space.codes(n, seed, label) for seed in seeds])


def write(
    cfg: DictConfig, trained: Trained, space: Space, way: Way, seeds: list[int], label: Tensor | None, out: Path
) -> list[Path]:
    """The files: a grid whose rows are ways, and a film in which they go side by side."""
    import torch

    from gan_lab.data.progress import Progress
    from gan_lab.editing.shown import note_of
    from gan_lab.pictures.grid import grid, write_png
    from gan_lab.pictures.motion import write_mp4, write_webp
    from gan_lab.pictures.panel import panel

    steps = max((COLUMNS - 1) // way.legs, 1)
    shown_at = [step / steps for step in range(way.legs * steps + 1)]
    columns = {titled(place, seeds): space.images(way.at(place), label) for place in shown_at}
    note = note_of(trained, f"interpolated in {space.name} by {cfg.kind}, seeds {seeds}")
    write_png(out / "grid.png", panel(columns), note)
    places = way.places(cfg.frames)
    progress = Progress("interpolating", len(places), unit="frames")
    frames = []
    for done, place in enumerate(places, 1):
        frames.append(grid(space.images(way.at(place), label)))
        progress.update(done)
    progress.close()
    film = torch.stack(frames)
    title = f"{note['Title']}: {note['gan-lab:run']} step {trained.step}"
    write_webp(out / "film.webp", film, cfg.fps, title)
    if cfg.mp4:
        write_mp4(out / "film.mp4", film, cfg.fps, title)
    return [out / "grid.png", out / "film.webp", *([out / "film.mp4"] if cfg.mp4 else [])]


def titled(place: float, seeds: list[int]) -> str:
    """What stands above a column: the seed of a key, and how far the way is between two."""
    number = int(place)
    return f"{place:.2f}" if place > number else f"{number}: seed {seeds[number % len(seeds)]}"
