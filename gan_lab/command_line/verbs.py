"""The verbs, and what each needs: one primary config `configs/<verb>.yaml`, one module with `main(cfg)`."""

from __future__ import annotations

from typing import NamedTuple


class Verb(NamedTuple):
    """`groups`: the config groups it takes, None for all but `without`. `complete`: every ??? must be given before it
    starts."""

    module: str
    summary: str
    groups: tuple[str, ...] | None = None
    without: tuple[str, ...] = ("space",)  # groups that a verb which takes all does not take
    example: str = ""  # of the key that must be given
    complete: bool = True
    sweeps: bool = False
    actions: tuple[str, ...] = ()  # the bare word behind the verb
    subject: str = ""  # the key that a bare word behind the verb is for
    subjects: str = ""  # the key, a list, that all bare words are for
    texts: tuple[str, ...] = ()  # keys whose values are read by the verb itself


VERBS = {
    "train": Verb("gan_lab.train", "train a GAN, or go on with a stopped run", sweeps=True),
    "sample": Verb(
        "gan_lab.verbs.sample", "images from a trained generator", groups=(), example="run=outputs/dcgan-digits/RUN"
    ),
    "evaluate": Verb(
        "gan_lab.verbs.evaluate",
        "metrics of a trained generator",
        groups=("metrics", "extractor"),
        example="run=outputs/dcgan-digits/RUN",
    ),
    "compare": Verb(
        "gan_lab.verbs.compare",
        "the metrics of several runs side by side",
        groups=(),
        example="outputs/dcgan-digits/RUN outputs/gan-digits/RUN",
        subjects="runs",
    ),
    "doctor": Verb(
        "gan_lab.verbs.doctor",
        "what is wrong with a run, or with this machine, and what to do",
        groups=(),
        subject="run",
    ),
    "bench": Verb("gan_lab.verbs.bench", "how fast a model trains on this machine, and what limits it"),
    "tune": Verb("gan_lab.verbs.tune", "search the settings that make a figure better", without=()),
    "ablate": Verb("gan_lab.verbs.ablate", "what each technique is worth, over several seeds"),
    "reproduce": Verb(
        "gan_lab.verbs.reproduce",
        "run recipes again, and say whether they reach what was measured",
        groups=(),
        subjects="recipes",
    ),
    "runs": Verb(
        "gan_lab.verbs.runs", "a table of all runs", groups=(), subject="folder", texts=("filter", "sort", "show")
    ),
    "data": Verb(
        "gan_lab.verbs.data",
        "pack, list, inspect and remove datasets",
        groups=("dataset",),
        complete=False,
        actions=("pack", "list", "inspect", "remove"),
        subjects="stores",
    ),
}
