"""The verbs, and what each needs: one primary config `configs/<verb>.yaml`, one module with `main(cfg)`."""

from __future__ import annotations

from typing import NamedTuple


class Verb(NamedTuple):
    """`complete`: every ??? must be given before it starts. `actions`: the bare word that follows the verb."""

    module: str
    summary: str
    examples: dict[str, str] = {}  # for a key that must be given  # noqa: RUF012
    complete: bool = True
    sweeps: bool = False
    actions: tuple[str, ...] = ()


VERBS = {
    "train": Verb("gan_lab.train", "train a GAN, or go on with a stopped run", sweeps=True),
    "sample": Verb(
        "gan_lab.sample", "images from a trained generator", examples={"run": "run=outputs/dcgan-digits/RUN"}
    ),
    "data": Verb(
        "gan_lab.data.command",
        "pack, list and inspect datasets",
        complete=False,
        actions=("pack", "list", "inspect"),
    ),
}
