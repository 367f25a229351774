"""What `gan-lab project` does, from its keys to files."""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from gan_lab.command_line.console import already_holds, command, require_folder, shown
from gan_lab.command_line.table import number, table, terminal_width
from gan_lab.config import require_number
from gan_lab.data.progress import Progress
from gan_lab.editing.codes import write_codes
from gan_lab.editing.shown import note_of, require_pictures
from gan_lab.errors import ConfigError
from gan_lab.inversion.distance import Distance, distance_for, squares
from gan_lab.inversion.locality import Locality
from gan_lab.inversion.pictures import Given, read_pictures
from gan_lab.inversion.pivotal import tune
from gan_lab.inversion.projection import Projected, likeliest, project
from gan_lab.inversion.tuned_run import require_one_generator, write_run
from gan_lab.pictures.grid import to_bytes, write_png
from gan_lab.pictures.lines import lines
from gan_lab.pictures.panel import panel
from gan_lab.sampling.space import Space
from gan_lab.sampling.trained import Trained, load
from gan_lab.storage.tensors import require_safetensors

log = logging.getLogger(__name__)

AT_ONCE = 32  # searches side by side
CLASSES = 100  # that are tried, at most
TRIED = 60  # steps of each
STARTS = {"z": 4, "w": 1}


def project_pictures(asked: Mapping[str, Any]) -> None:
    """Write what was found of the pictures at `input`: codes, images, how the distance fell; with `tune` a run whose
    generator makes them. Raises ConfigError, before anything is made, for what this run cannot."""
    require_safetensors("out")
    trained = load(str(asked["run"]), str(asked["checkpoint"]), asked["device"], asked["trust"])
    require_pictures(trained)
    space = trained.sampler.space()
    space.network.requires_grad_(False)
    folder = trained.folder / "projections" / Path(str(asked["input"])).stem
    out = require_folder("out", Path(str(asked["out"])) if asked["out"] else folder)
    require_number(asked["tune_locality"], "tune_locality", 0)
    if asked["tune_locality"] and not asked["tune"]:
        raise ConfigError(f"tune_locality={asked['tune_locality']}: is of the tuning; say tune=true, too")
    if asked["tune"]:
        require_one_generator(trained)
        if (out / "run" / "checkpoints").exists():
            raise already_holds("out", out / "run", "a run")
    shape = space.images(space.codes(1, 0, _zero(trained)), _zero(trained)).shape[1:]
    given = read_pictures(asked["input"], (shape[0], shape[1], shape[2]))
    distance = distance_for(trained, space.engine.device)
    log.info("distance: %s", distance.name)
    label = classes_of(trained, space, given, distance, asked)
    found = searched(space, given, label, distance, asked)
    columns = {"given": given.images, "projected": found.images}
    if asked["tune"]:
        columns["tuned"] = tuned(trained, space, given, label, found, distance, asked, out)
    write(trained, space, given, label, found, columns, out, asked)


def classes_of(
    trained: Trained, space: Space, given: Given, distance: Distance, asked: Mapping[str, Any]
) -> Tensor | None:
    """Of each picture: the one that was asked for, or that from which a short search comes nearest."""
    count, n = trained.sampler.num_classes, len(given.names)
    if asked["label"] is not None:
        words = asked["label"] if isinstance(asked["label"], list) else [asked["label"]]
        if len(words) not in (1, n):
            raise ConfigError(f"label: {len(words)} classes for {n} pictures; give one, or one for each")
        return trained.request(n, label=words).label
    if not count:
        return None
    if trained.attributes:
        raise ConfigError("run: this generator is told attributes, and project finds classes only")
    if count > CLASSES:
        raise ConfigError(f"label: this generator knows {count} classes, too many to try each; say which it is")
    parts = []
    progress = Progress("trying classes", n * TRIED, unit="steps")
    for at in range(n):
        picture = given.images[at : at + 1]
        tell = lambda step, before=at * TRIED: progress.update(before + step)  # noqa: E731
        parts.append(likeliest(space, picture, count, distance, TRIED, asked["seed"], tell))
    progress.close()
    label = torch.cat(parts)
    log.info("label: each of the %d classes was tried for %d steps", count, TRIED)
    return label


def searched(
    space: Space, given: Given, label: Tensor | None, distance: Distance, asked: Mapping[str, Any]
) -> Projected:
    """All pictures, some at a time."""
    starts = asked["starts"] or STARTS[space.name]
    each = max(AT_ONCE // starts, 1)
    found, total = [], -(-len(given.names) // each) * asked["steps"]
    progress = Progress("projecting", total, unit="steps")
    for number_, start in enumerate(range(0, len(given.names), each)):
        part = slice(start, start + each)
        tell = lambda step, before=number_ * asked["steps"]: progress.update(before + step)  # noqa: E731
        found.append(
            project(
                *(space, given.images[part], None if label is None else label[part], distance, asked["steps"]),
                starts=starts,
                seed=asked["seed"],
                noise=asked["noise"],
                tell=tell,
            )
        )
    progress.close()
    codes, images, apart = (torch.cat(each) for each in zip(*(each[:3] for each in found), strict=True))
    noise = {name: torch.cat([each.noise[name] for each in found]) for name in found[0].noise}
    return Projected(codes, images, apart, torch.cat([each.curve for each in found], 1), noise)


def tuned(
    trained: Trained,
    space: Space,
    given: Given,
    label: Tensor | None,
    found: Projected,
    distance: Distance,
    asked: Mapping[str, Any],
    out: Path,
) -> Tensor:
    """What the generator makes of the codes once it was tuned to; it is in a run of its own."""
    progress = Progress("tuning", asked["tune_steps"], unit="steps")
    weight, seed = asked["tune_locality"], asked["seed"]
    more = {"beside": Locality(space, found.codes, label, distance, weight, seed).backward} if weight else {}
    images = tune(space, found.codes, label, given.images, distance, asked["tune_steps"], progress.update, **more)
    progress.close()
    folder = write_run(trained, space.network, out / "run")
    log.info("a run that makes them: %s", command("edit", f"run={shown(folder)}", f"codes={out / 'codes.safetensors'}"))
    return images


def write(
    trained: Trained,
    space: Space,
    given: Given,
    label: Tensor | None,
    found: Projected,
    columns: Mapping[str, Tensor],
    out: Path,
    asked: Mapping[str, Any],
) -> None:
    """The files, and a table."""
    note = note_of(trained, f"projected in {space.name}, {asked['steps']} steps", asked["seed"])
    noise = {f"noise.{name}": each for name, each in found.noise.items()}
    write_codes(out / "codes.safetensors", space, found.codes, label if space.num_classes else None, noise,
                {"pictures": json.dumps(given.names)})  # fmt: skip
    best = list(columns)[-1]
    for name, image in zip(given.names, to_bytes(columns[best]), strict=True):
        write_png(out / "images" / f"{name}.png", image, note, durable=False)
    write_png(out / "projected.png", panel(columns), note)
    steps = range(1, asked["steps"] + 1)
    curves = {name: list(zip(steps, found.curve[:, at].tolist(), strict=True)) for at, name in enumerate(given.names)}
    picture = lines(curves, "distance", "steps", logarithmic=True)
    write_png(out / "distance.png", picture, {"Software": "gan-lab"})
    for line in told(trained, given, label, columns):
        log.info("%s", line)
    log.info("pictures  %s", shown(out / "projected.png"))
    log.info("codes     %s", shown(out / "codes.safetensors"))
    log.info("distance  %s", shown(out / "distance.png"))


def told(trained: Trained, given: Given, label: Tensor | None, columns: Mapping[str, Tensor]) -> list[str]:
    """A table of what pixels differ by."""
    made = [name for name in columns if name != "given"]
    apart = {name: squares(columns[name], given.images) for name in made}
    classes = None if label is None else [trained.classes[each] for each in label.tolist()]
    rows = [
        (name, *([] if classes is None else [classes[at]]), *(number(float(apart[each][at])) for each in made))
        for at, name in enumerate(given.names)
    ]
    named = [f"{each} (mse)" for each in made]
    head = ("picture", *([] if classes is None else ["class"]), *named)
    return table(head, rows, terminal_width(), tuple(named))


def _zero(trained: Trained) -> Tensor | None:
    return torch.zeros(1, dtype=torch.int64) if trained.sampler.num_classes else None
