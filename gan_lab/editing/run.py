"""What `gan-lab edit` does, from its keys to files."""

from __future__ import annotations

import logging
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from gan_lab.command_line.console import require_folder, shown
from gan_lab.command_line.table import number, table, terminal_width
from gan_lab.editing.codes import read_codes
from gan_lab.editing.directions import Directions, read_directions, write_directions
from gan_lab.editing.finding import find
from gan_lab.editing.shown import classes_of, note_of, require_pictures
from gan_lab.errors import ConfigError
from gan_lab.pictures.grid import write_png
from gan_lab.pictures.panel import panel
from gan_lab.sampling.space import Space
from gan_lab.sampling.trained import Trained, load
from gan_lab.storage.tensors import require_safetensors

log = logging.getLogger(__name__)


def edit(asked: Mapping[str, Any]) -> None:
    """Write directions and a picture of each; or a table of mixed styles. Raises ConfigError, before anything is made,
    for what this run cannot."""
    if asked["method"] != "mix":
        require_safetensors("directions" if asked["directions"] else "method")
    trained = load(str(asked["run"]), str(asked["checkpoint"]), asked["device"], asked["trust"])
    require_pictures(trained)
    space = trained.sampler.space(asked["truncation"])
    if asked["layers"] is not None:
        space.require_layers(asked["layers"])
    out = Path(str(asked["out"])) if asked["out"] else trained.folder / "edits" / folder_name(trained, asked)
    require_folder("out", out)
    if asked["method"] == "mix":
        mix(trained, space, asked, out)
        return
    if asked["directions"]:
        directions = read_directions(Path(str(asked["directions"])).expanduser(), space)
        if asked["layers"] is not None:
            directions = directions._replace(layers=asked["layers"])
    else:
        directions = find(trained, trained.sampler.space(), asked)
    if asked["names"]:
        directions = renamed(directions, asked["names"])
    if asked["show"]:
        directions = directions.chosen(asked["show"])
    codes, label = started(trained, space, asked)
    write_directions(out / "directions.safetensors", directions)
    for line in told(directions):
        log.info("%s", line)
    for name, vector, deviation in zip(directions.names, directions.vectors, directions.deviations, strict=True):
        columns = strip(space, codes, label, vector * deviation, asked["strengths"], directions.layers)
        how = f"{directions.method} {name} in {space.name}"
        path = out / f"{re.sub(r'[^A-Za-z0-9._-]+', '_', name)}.png"
        write_png(path, panel(columns), note_of(trained, how, asked["seed"]))
        log.info("%s", shown(path))
    log.info("%s", shown(out / "directions.safetensors"))


def folder_name(trained: Trained, asked: Mapping[str, Any]) -> str:
    """Of what was asked for."""
    how = Path(str(asked["directions"])).stem if asked["directions"] else asked["method"]
    return re.sub(r"[^A-Za-z0-9._-]+", "_", f"{how}-step-{trained.step:08d}")


def started(trained: Trained, space: Space, asked: Mapping[str, Any]) -> tuple[Tensor, Tensor | None]:
    """The codes that are moved, and the classes that their images are asked for with: those of a file, or a seed's."""
    if asked["codes"]:
        return read_codes(Path(str(asked["codes"])).expanduser(), space)
    label = classes_of(trained, asked["n"], asked["label"])
    return space.codes(asked["n"], asked["seed"], label), label if space.num_classes else None


def strip(
    space: Space, codes: Tensor, label: Tensor | None, step: Tensor, strengths: list[float], layers: list[int] | None
) -> dict[str, Tensor]:
    """Images of codes moved by each strength of a step, by what stands above them."""
    return {
        f"{strength:+g}" if strength else "0": space.images(space.moved(codes, strength * step.float(), layers), label)
        for strength in strengths
    }


def renamed(directions: Directions, names: list[str]) -> Directions:
    """With other names. Raises ConfigError unless there is one for each, and each is another."""
    if len(names) != len(directions.names) or len(set(names)) != len(names):
        raise ConfigError(f"names: {len(names)} for {len(directions.names)} directions; each has a name of its own")
    return directions._replace(names=names)


def told(directions: Directions) -> list[str]:
    """A table for people."""
    rows = [
        (name, number(float(value)), number(float(deviation)))
        for name, value, deviation in zip(directions.names, directions.values, directions.deviations, strict=True)
    ]
    return table(("direction", "value", "deviation"), rows, terminal_width(), ("value", "deviation"))


def mix(trained: Trained, space: Space, asked: Mapping[str, Any], out: Path) -> None:
    """A table whose rows and columns are images of two seeds; in it those of rows with the codes of columns in
    `layers`."""
    if space.layers == 1:
        raise ConfigError("method=mix: what this generator starts from enters it in one place; there is nothing to mix")
    layers = list(range(space.layers // 2)) if asked["layers"] is None else asked["layers"]
    space.require_layers(layers)
    label = classes_of(trained, asked["n"], asked["label"])
    given = label if space.num_classes else None
    rows, columns = (space.codes(asked["n"], seed, label) for seed in (asked["seed"], asked["seed"] + 1))
    blank = torch.ones_like(space.images(rows[:1], None if given is None else given[:1]))
    tops = space.images(columns, given)
    made = {"row": torch.cat([blank, space.images(rows, given)])}
    for place, top in enumerate(tops):
        mixed = space.images(space.swapped(rows, columns[place : place + 1].expand_as(rows), layers), given)
        made[f"column {place}"] = torch.cat([top[None], mixed])
    path = out / "mix.png"
    named = ", ".join(map(str, layers))
    write_png(path, panel(made), note_of(trained, f"layers {named} of columns in {space.name}", asked["seed"]))
    log.info("rows with layers %s (of %d) of the columns: %s", named, space.layers, shown(path))
