"""Class folders of synthetic images, and a line about each: what made it, and from what."""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from gan_lab.command_line.console import shown
from gan_lab.errors import ConfigError, GanLabError
from gan_lab.pictures.grid import synthetic_note, write_png
from gan_lab.storage.files import to_json, write_text
from gan_lab.synthetic_data.making import Made

PROVENANCE = "synthetic.jsonl"


def check_out(out: Path) -> None:
    """Raise ConfigError where something lies at `out` already: synthetic images are never put among others."""
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise ConfigError(f"out: {shown(out)} is there already, and not empty; choose another folder")


def folders_of(classes: list[str]) -> dict[str, str]:
    """A folder's name for each class: the class's, with what no file system takes replaced."""
    found: dict[str, str] = {}
    for name in classes:
        plain = re.sub(r"[^\w .,()+-]", "_", name).strip(" .")[:100] or "_"
        while plain.lower() in (other.lower() for other in found.values()):
            plain += "_"
        found[name] = plain
    return found


def checksum(path: Path) -> str:
    """The sha256 of a file."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while part := file.read(1 << 20):
            digest.update(part)
    return digest.hexdigest()


def write_images(
    out: Path, made: Mapping[str, Made], checkpoint: Path, run: Path, step: int, seed: int, about: Mapping[str, Any]
) -> None:
    """Write `out`, whole or not at all: a folder for each class that has images, and `synthetic.jsonl`, which says of
    each its `file` and `label`, the `run`, its checkpoint and that one's checksum, the `seed` and the image's `index`
    among those that the seed gives for its label, how likely of its class the classifier held it (null: nobody was
    asked), and what is `about` all of them. Raises GanLabError where that cannot be written."""
    name = "/".join(run.absolute().parts[-2:])
    common = {"run": name, "checkpoint": checkpoint.name, "sha256": checksum(checkpoint), "step": step, "seed": seed}
    lines = []
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        part = Path(tempfile.mkdtemp(prefix=f".{out.name}.", dir=out.parent))
        try:
            for label, folder in folders_of([each for each, some in made.items() if len(some.images)]).items():
                some = made[label]
                for number, (image, place) in enumerate(zip(some.images, some.places.tolist(), strict=True)):
                    file = f"{folder}/{number:05d}.png"
                    likely = None if some.confidence is None else round(float(some.confidence[number]), 4)
                    write_png(part / file, image, synthetic_note(run, step, seed, place), durable=False)
                    line = {"file": file, "label": label, "index": place, "confidence": likely}
                    lines.append(to_json({**line, **common, **about}))
            write_text(part / PROVENANCE, "\n".join(lines) + "\n")
            part.chmod(0o755)
            if out.exists():
                out.rmdir()
            os.rename(part, out)
        finally:
            shutil.rmtree(part, ignore_errors=True)
    except OSError as error:
        raise GanLabError(f"out={shown(out)}: cannot be written ({error.strerror or error})") from error
