"""`gan-lab stylize`: the content of one picture in the style of another. Imports no torch until it looks at them."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import TYPE_CHECKING

from gan_lab.command_line.console import shown
from gan_lab.config import require_number, require_seed, require_whole
from gan_lab.errors import ConfigError, GanLabError

if TYPE_CHECKING:
    from omegaconf import DictConfig
    from torch import Tensor

log = logging.getLogger(__name__)

STARTS = ("content", "noise")
SMALLEST = 16  # pixels of a side, which the deepest maps need


def main(cfg: DictConfig) -> None:
    """Write `content` in the style of `style` to `out`: by descent on its pixels, or by a trained `run`."""
    out = check(cfg)
    content, style = (read(Path(str(cfg[key])), key, cfg.size) for key in ("content", "style"))
    made = by_descent(cfg, content, style) if cfg.run is None else by_run(cfg, content, style)
    from gan_lab.pictures.grid import SOFTWARE, to_bytes, write_png

    note = {"Title": "synthetic image", "Software": SOFTWARE, "Source": f"{cfg.content}, {cfg.style}"}
    write_png(out, to_bytes(made[0]).cpu(), note)
    log.info("%s in the style of %s: %s", shown(Path(str(cfg.content))), shown(Path(str(cfg.style))), shown(out))


def check(cfg: DictConfig) -> Path:
    """Where the picture goes. Raises ConfigError, in one line, for numbers that are none and another kind of file."""
    require_whole(cfg.size, "size", SMALLEST)
    require_whole(cfg.steps, "steps")
    require_seed(cfg.seed)
    for key in ("content_weight", "style_weight"):
        require_number(cfg[key], key, 0)
    if cfg.alpha is not None:
        if not 0 <= require_number(cfg.alpha, "alpha") <= 1:
            raise ConfigError(
                f"alpha: {cfg.alpha} does not lie between 0, the content as it is, and 1, all of the style"
            )
        if cfg.run is None:
            raise ConfigError("alpha: is for a trained network, run=RUN; without one say style_weight")
    if cfg.start not in STARTS:
        raise ConfigError(f"start: {cfg.start!r} is not one of {', '.join(STARTS)}")
    out = Path(str(cfg.out)).expanduser()
    if out.suffix.lower() != ".png" or out.is_dir():
        raise ConfigError(f"out: {out} is not the name of a PNG; write out={out.with_suffix('.png')}")
    return out


def read(path: Path, key: str, size: int) -> Tensor:
    """A picture as `(1, 3, H, W)` in [-1, 1], made smaller until no side is longer than `size`. Raises ConfigError for
    what cannot be read, and for pictures with a side that is too short."""
    import torch
    from torch.nn.functional import interpolate

    from gan_lab.data.photo import in_eight, read_photo

    try:
        colours = in_eight(read_photo(path.expanduser()).colours)
    except (GanLabError, OSError) as error:
        raise ConfigError(f"{key}: {path} cannot be read ({error})") from error
    image = torch.from_numpy(colours.copy()).permute(2, 0, 1)[None].expand(-1, 3, -1, -1).float() / 127.5 - 1
    longest = max(image.shape[2:])
    if longest > size:
        height, width = (max(round(side * size / longest), 1) for side in image.shape[2:])
        image = interpolate(image, (height, width), mode="bilinear", antialias=True)
    if min(image.shape[2:]) < SMALLEST:
        height, width = image.shape[2:]
        raise ConfigError(
            f"{key}: {path} comes to {width}x{height} pixels, at least {SMALLEST} are needed of each side"
        )
    return image


def by_run(cfg: DictConfig, content: Tensor, style: Tensor) -> Tensor:
    """By a network that was trained for it. Raises ConfigError for a run of another kind."""
    from gan_lab.algorithms.style_transfer import StyleSampler
    from gan_lab.sampling.trained import load

    trained = load(str(cfg.run), checkpoint=str(cfg.checkpoint), device=cfg.device, trust=list(cfg.trust))
    sampler = trained.sampler
    if not isinstance(sampler, StyleSampler):
        raise ConfigError(f"run={cfg.run}: was not trained to transfer styles; leave run out for a descent on pixels")
    return sampler.stylised(content, sampler.styles(style), 1.0 if cfg.alpha is None else cfg.alpha)


def by_descent(cfg: DictConfig, content: Tensor, style: Tensor) -> Tensor:
    """By Gatys et al.'s optimisation, with what it came to in the log."""
    import torch

    from gan_lab.data.progress import Progress
    from gan_lab.engine.engine import pick_device
    from gan_lab.layers.vgg import VGG
    from gan_lab.sampling.style_optimisation import LAYERS, ContentAndStyle, optimise

    device = pick_device(cfg.device)
    weights = None if cfg.weights is None else str(cfg.weights)
    vgg = VGG(LAYERS, weights=weights, pooling="average").to(device)
    content, style = content.to(device), style.to(device)
    likeness = ContentAndStyle(vgg, content, style)
    start = content
    if cfg.start == "noise":
        noise = torch.rand(content.shape, generator=torch.Generator().manual_seed(cfg.seed))
        start = (2 * noise - 1).to(device)
    progress = Progress("stylizing", cfg.steps, unit="steps")
    made = optimise(likeness, start, cfg.steps, cfg.content_weight, cfg.style_weight, progress.update)
    progress.close()
    with torch.no_grad():
        at_content, at_end = likeness(content), likeness(made)
    log.info(
        "after %d steps: style %.3g (of the content picture: %.3g), content %.3g",
        *(cfg.steps, float(at_end.style), float(at_content.style), float(at_end.content)),
    )
    return made
