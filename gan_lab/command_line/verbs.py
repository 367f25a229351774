"""The verbs, and what each needs: one primary config `configs/<verb>.yaml`, one module with `main(cfg)`."""

from __future__ import annotations

from typing import NamedTuple


class Verb(NamedTuple):
    """`groups`: the config groups it takes, None for all but `without`. `complete`: every ??? must be given before it
    starts, in its groups, too."""

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
        "gan_lab.verbs.sample",
        "images from a trained generator",
        groups=(),
        example="run=outputs/dcgan-digits/RUN",
        texts=("text",),
    ),
    "interpolate": Verb(
        "gan_lab.verbs.interpolate",
        "from image to image through the latents of a trained generator, as a film",
        groups=(),
        example="run=outputs/dcgan-digits/RUN",
    ),
    "edit": Verb(
        "gan_lab.verbs.edit",
        "directions among the latents of a trained generator, and what they do",
        groups=(),
        example="run=outputs/dcgan-digits/RUN",
    ),
    "project": Verb(
        "gan_lab.verbs.project",
        "pictures back to the latents of a trained generator",
        groups=(),
        example="run=outputs/dcgan-digits/RUN input=picture.png",
    ),
    "augment": Verb(
        "gan_lab.verbs.augment",
        "synthetic images for classes that have too few, and what they are worth",
        groups=("dataset",),
        example="run=outputs/cdcgan-folder/RUN out=synthetic",
    ),
    "stylize": Verb(
        "gan_lab.verbs.stylize",
        "the content of one picture in the style of another",
        groups=(),
        example="content=photo.jpg style=painting.jpg",
    ),
    "translate": Verb(
        "gan_lab.verbs.translate",
        "pictures from pictures by a trained generator",
        groups=(),
        example="run=outputs/pix2pix-paired/RUN input=pictures out=translated",
    ),
    "upscale": Verb(
        "gan_lab.verbs.upscale",
        "larger pictures by a trained generator, in tiles",
        groups=(),
        example="run=outputs/edsr-folder/RUN input=pictures out=larger",
    ),
    "detect": Verb(
        "gan_lab.verbs.detect",
        "pictures unlike those that a run was trained on",
        groups=(),
        example="run=outputs/fanogan-folder/RUN input=pictures",
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
    "import": Verb(
        "gan_lab.verbs.importing",
        "a run out of networks that others have trained",
        groups=(),
        example="file=network.pkl",
        subject="file",
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

# What else is typed first, and the verb that does it.
MEANT = {
    "train": "fit run start begin learn resume continue training",
    "sample": "generate predict infer inference create draw make samples sampling images synthesize",
    "interpolate": "morph walk interpolation slerp lerp animate video film",
    "edit": "sefa ganspace interfacegan pca directions attribute manipulate mix",
    "project": "invert inversion projection embed encode pti reconstruct",
    "augment": "augmentation balance oversample synthetic fill",
    "stylize": "style stylise gatys adain paint transfer",
    "translate": "restore inpaint colorize convert transform img2img",
    "upscale": "enlarge superresolution sr superres upsample",
    "detect": "anomaly anomalies outlier outliers novelty defects",
    "evaluate": "test eval metrics metric score validate fid measure evaluation",
    "compare": "diff versus vs",
    "runs": "list ls history show status experiments",
    "doctor": "diagnose check debug health info",
    "bench": "benchmark profile speed time perf",
    "tune": "search optimize optimise hpo optuna hyperparameters tuning",
    "ablate": "ablation ablations techniques",
    "import": "load pretrained pkl legacy",
    "data": "dataset datasets download prepare pack inspect",
}
SAID = {
    "sweep": "a sweep is a training with -m: gan-lab train -m seed=0,1,2",
    "tensorboard": "that is a command of its own: tensorboard --logdir outputs",
    "models": "gan-lab train --help lists them",
    "config": "gan-lab train --cfg job prints it",
}


def meant(word: str) -> str:
    """Which verb does what a word asks for, as a clause; nothing for a word that nobody would type."""
    if word.lower() in SAID:
        return f"; {SAID[word.lower()]}"
    found = next((verb for verb, words in MEANT.items() if word.lower() in words.split()), "")
    if not found:
        return ""
    verb = VERBS[found]
    action = word.lower() if word.lower() in verb.actions else "list"
    example = f" {action}" if verb.actions else f" {verb.example}" if verb.example else ""
    return f"; the verb is {found}: gan-lab {found}{example}"
