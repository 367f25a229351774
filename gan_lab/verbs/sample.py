"""`gan-lab sample`: a grid and single PNGs from a run's averaged generator. Imports no torch until it samples."""

from __future__ import annotations

import logging
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

from omegaconf import OmegaConf

from gan_lab.command_line.console import require_folder, shown
from gan_lab.config import require_number, require_seed, require_whole
from gan_lab.errors import ConfigError, describe

if TYPE_CHECKING:
    from omegaconf import DictConfig

    from gan_lab.sampling.request import Request
    from gan_lab.sampling.trained import Trained

log = logging.getLogger(__name__)

MOST = 10**9  # images
NAME = 200  # characters of a folder's name: file systems take 255


def main(cfg: DictConfig) -> None:
    """Draw `n` images from `run` with `seed` and write them to `out` (default: the run's `samples/` folder)."""
    n, seed = require_whole(cfg.n, "n", most=MOST), require_seed(cfg.seed)
    if cfg.truncation is not None:
        require_number(cfg.truncation, "truncation", above=0)
    label = requested_label(OmegaConf.to_container(cfg.label) if OmegaConf.is_config(cfg.label) else cfg.label)
    attributes = requested_attributes(
        OmegaConf.to_container(cfg.attributes) if OmegaConf.is_config(cfg.attributes) else cfg.attributes
    )
    text = requested_text(OmegaConf.to_container(cfg.text) if OmegaConf.is_config(cfg.text) else cfg.text)
    if text is not None and len(text) > n:
        raise ConfigError(f"n={n}: fewer images than the {len(text)} captions of text; set n={len(text)} or more")
    from gan_lab.sampling.trained import load

    trained = load(str(cfg.run), checkpoint=str(cfg.checkpoint), device=cfg.device, trust=list(cfg.trust))
    classes = list(range(len(trained.classes))) if label == "all" else label
    request = trained.request(n, seed=seed, label=classes, truncation=cfg.truncation, attributes=attributes, text=text)
    words = text and "-".join(text)
    told = {"label": label, "attributes": attributes, "text": words, "truncation": cfg.truncation}
    asked = "".join(f"-{key}-{value}" for key, value in told.items() if value is not None)
    folder = re.sub(r"[^A-Za-z0-9._-]+", "_", f"step-{trained.step:08d}-seed-{seed}{asked}")[:NAME]
    out = Path(cfg.out) if cfg.out else trained.folder / "samples" / folder
    gridded = write_images(trained, request, require_folder("out", out))
    log.info("%d images of step %d in %s", n, trained.step, shown(out))
    log.info("grid: %s%s", shown(out / "grid.png"), "" if gridded == n else f", the first {gridded} of them")


def requested_label(label: Any) -> Any:
    """A class by number or name, a list of them, or None. Raises ConfigError for anything else."""
    words = label if isinstance(label, list) else [] if label is None else [label]
    if label == [] or any(isinstance(word, bool) or not isinstance(word, (int, str)) for word in words):
        raise ConfigError(f"label: {label!r} is no class; give a number, a name, a list of them (label=[0,1]), or all")
    return label


def requested_attributes(attributes: Any) -> list[str] | None:
    """Names of attributes, or None. Raises ConfigError for anything but a list."""
    if attributes is None:
        return None
    if not isinstance(attributes, list) or not attributes or any(isinstance(word, (list, dict)) for word in attributes):
        raise ConfigError(f"attributes: {attributes!r} is no list of names, e.g. attributes=[smiling,-hat]")
    return [str(word) for word in attributes]


def requested_text(text: Any) -> list[str] | None:
    """Captions: one, those of a list `[one,another]`, or the lines of a file. Raises ConfigError for none, for one
    that is no text, and for a text file that is not there or cannot be read."""
    if text is None:
        return None
    if isinstance(text, str) and text.startswith("[") and text.endswith("]"):
        text = text[1:-1].split(",")
    elif isinstance(text, str) and (Path(text).is_file() or text.endswith(".txt")):
        try:
            text = [line for line in Path(text).read_text(encoding="utf-8").splitlines() if line.strip()]
        except FileNotFoundError as error:
            raise ConfigError(f"text={text}: there is no such file") from error
        except (OSError, UnicodeDecodeError) as error:
            raise ConfigError(f"text={text}: cannot be read ({describe(error)})") from error
    words = text if isinstance(text, list) else [text]
    if not words or not all(isinstance(word, str) and word.strip() for word in words):
        raise ConfigError(f"text: {text!r} is no caption; say what is to be seen, e.g. text='a red heart'")
    return [word.strip().strip("'\"") for word in words]


def write_images(trained: Trained, request: Request, out: Path) -> int:
    """Write each image as it is made, and a grid of the first of them; returns how many of them the grid shows.

    What an earlier call has left in `out` goes once the first images are there. Raises ConfigError where a file of such
    a name is not gan-lab's.
    """
    import torch

    from gan_lab.data.progress import Progress
    from gan_lab.pictures.grid import MOST, picture_of, remove_generated, synthetic_note, to_bytes, write_png

    run = trained.path.parent.parent if trained.path.parent.name == "checkpoints" else trained.path
    draw = picture_of(trained.config)
    first, done = [], 0
    most = max(MOST, getattr(draw, "count", 0))
    progress = Progress("sampling", request.n)
    for images in trained.sampler.images(request):
        if not done and (removed := remove_generated(out)):
            log.info("removed %d images that an earlier call had left in %s", removed, shown(out))
        if done < most:
            first.append(images[: most - done])
        if images.shape[1] in (1, 3):  # what is no image (a point in the plane) has no file of its own
            for index, image in enumerate(to_bytes(images), done):
                note = synthetic_note(run, trained.step, request.seed, index)
                write_png(out / f"{index:05d}.png", image, note, durable=False)
        done += len(images)
        progress.update(done)
    progress.close()
    write_png(out / "grid.png", draw(torch.cat(first)), synthetic_note(run, trained.step, request.seed))
    return min(done, most)
