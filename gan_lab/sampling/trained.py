"""From a run folder to images, with nothing else at hand: no dataset, no training code's state, any device."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from gan_lab.command_line.console import command, shown
from gan_lab.command_line.nearest import nearest
from gan_lab.config import check_targets
from gan_lab.data.sources.listed import listed
from gan_lab.data.tokens import split, tokenizer_of
from gan_lab.engine.engine import Engine
from gan_lab.engine.seeding import generator_of
from gan_lab.errors import ConfigError, GanLabError
from gan_lab.sampling.label_space import Attributes, Classes
from gan_lab.sampling.photo_translator import PhotoTranslator, directions_of
from gan_lab.sampling.request import Request
from gan_lab.sampling.sampler import REFUSED, Sampler, all_images
from gan_lab.sampling.translate import translate
from gan_lab.storage.checkpoint import load as load_checkpoint
from gan_lab.storage.checkpoint import load_newest
from gan_lab.storage.files import read_json
from gan_lab.storage.lock import is_held
from gan_lab.wrappers.build import build_network

log = logging.getLogger(__name__)


class Trained:
    """A trained generator: `sample(n, seed)`, `translate(images)`, and where it comes from (`path`, `step`, `config`,
    and the state of the data's `stream`, which tells the data from others)."""

    def __init__(
        self, sampler: Sampler, path: Path, step: int, config: dict[str, Any], stream: dict[str, Any] | None = None
    ) -> None:
        self.sampler = sampler
        self.path = path
        self.step = step
        self.config = config
        self.stream = stream
        self._translators: dict[tuple[Any, ...], PhotoTranslator] = {}

    @property
    def folder(self) -> Path:
        """The folder of the run that the checkpoint belongs to; of one that lies elsewhere, its own."""
        folder = self.path.parent
        return folder.parent if folder.name == "checkpoints" else folder

    @property
    def classes(self) -> list[str]:
        """The names of the classes that can be asked for; empty where the generator takes no label."""
        space = self.sampler.label_space
        if not isinstance(space, Classes) or not space.count:
            return []
        return list(self.config.get("classes") or map(str, range(space.count)))

    @property
    def attributes(self) -> list[str]:
        """The names of the attributes that can be asked for; empty where the generator takes none."""
        space = self.sampler.label_space
        return list(space.shares) if isinstance(space, Attributes) else []

    def sample(
        self,
        n: int,
        seed: int = 0,
        label: int | str | Sequence[int | str] | None = None,
        truncation: float | None = None,
        input: Tensor | None = None,
        attributes: Sequence[str] | None = None,
        text: str | Sequence[str] | None = None,
    ) -> Tensor:
        """`n` images `(n, C, H, W)` in [-1, 1] on the CPU; the same seed gives the same images.

        `label`: a class by number or name, or several that take turns; None takes every class in turn. `attributes`:
        those that every image has, and with a `-` before their name those that none has; all others are there as often
        as in the data, by the seed. `truncation`
        keeps the latent's numbers below it (smaller: more typical, less varied). `input` `(n, C', H', W')` in [-1, 1]
        is what images are made from, by a generator that makes them from others; `text` a caption, or several that take
        turns, for one that reads them. Raises ConfigError for a class that is not there, for a caption without a word,
        and for what this generator does not take or cannot do without.
        """
        return all_images(
            self.sampler, self.request(n, seed, label, truncation, attributes, text)._replace(input=input)
        )

    def request(
        self,
        n: int,
        seed: int = 0,
        label: int | str | Sequence[int | str] | None = None,
        truncation: float | None = None,
        attributes: Sequence[str] | None = None,
        text: str | Sequence[str] | None = None,
    ) -> Request:
        """The same as a request: classes by number or name, or captions, which take turns."""
        labels = None if label is None else torch.tensor(self.labels(label))
        taken = None if labels is None else labels[torch.arange(n) % len(labels)]
        if self.attributes or attributes is not None:
            taken = self.with_attributes(attributes or (), n, seed)
        captions = None if text is None else self.tokens(text)
        told = None if captions is None else captions[torch.arange(n) % len(captions)]
        return Request(n, seed, label=taken, caption=told, truncation=truncation)

    def tokens(self, text: str | Sequence[str]) -> Tensor:
        """Captions as this run's generator reads them, `(n, L)` int64. Words that it has never read, and cannot make
        out of parts, are said. Raises ConfigError for a generator that reads none, and for a caption without a word."""
        captions = [text] if isinstance(text, str) else list(text)
        tokenizer = tokenizer_of(self.config)
        if "caption" not in self.sampler.takes or tokenizer is None:
            raise ConfigError(f"text: this generator {REFUSED['caption']}")
        if not captions:
            raise ConfigError("text: give a caption, or several")
        for caption in captions:
            if not split(caption):
                raise ConfigError(f"text={caption!r}: has no word; say what is to be seen")
        if unknown := sorted({word for caption in captions for word in tokenizer.unknown(caption)}):
            log.warning("text: this run has never read %s", ", ".join(unknown))
        return torch.from_numpy(tokenizer.encode(captions))

    @property
    def directions(self) -> tuple[str, ...]:
        """The ways that it goes between the data's a and b, its own first; none where it makes images from noise."""
        return directions_of(self.sampler, self.config) if "input" in self.sampler.takes else ()

    def translate(
        self,
        images: Any,
        direction: str | None = None,
        mask: Any = None,
        label: int | str | None = None,
        seed: int = 0,
        tile: int | None = None,
        overlap: int | None = None,
    ) -> Any:
        """What is made of pictures of any size, as they are given: a tensor `(N, C, H, W)` in [-1, 1], or a list (or
        one) of arrays `(H, W, C)` in uint8 or uint16 or of Pillow's images, which keep their bits and transparency.

        `mask`, of a run that fills holes: for each picture an array `(H, W)`, not 0 where something is missing.
        `direction`, `tile` and `overlap` as `gan-lab translate` has them. Raises ConfigError for what this run does not
        do, GanLabError for a picture that its network does not take.
        """
        translator = self.translator(direction, tile, overlap)
        return translate(translator, images, mask, None if label is None else self.labels(label)[0], seed)

    def translator(
        self,
        direction: str | None = None,
        tile: int | None = None,
        overlap: int | None = None,
        precision: str = "fp32",
    ) -> PhotoTranslator:
        """What makes photos of photos; the same for the same settings."""
        settings = direction, tile, overlap, precision
        if settings not in self._translators:
            self._translators[settings] = PhotoTranslator(self.sampler, self.config, *settings)
        return self._translators[settings]

    def with_attributes(self, attributes: Sequence[str], n: int, seed: int) -> Tensor:
        """Labels `(n, A)` of images that have these attributes, or have not those with a `-` before them; the others
        are drawn by the seed. Raises ConfigError for names that are none."""
        space, names = self.sampler.label_space, self.attributes
        if not isinstance(space, Attributes):
            knows = f"classes (label={listed(self.classes, 3)})" if self.classes else "no labels"
            raise ConfigError(f"attributes={listed(list(attributes))}: this generator was trained with {knows}")
        labels = space.drawn(n, generator_of(f"attributes {seed}"))
        for place, present in chosen_attributes(attributes, names).items():
            labels[:, place] = int(present)
        return labels

    def by_class(self, label: Sequence[int | str], rows: int, seed: int = 0) -> Tensor:
        """`rows` images of each class, row by row: `(rows * len(label), C, H, W)`; a row shares its latent."""
        labels = torch.tensor(self.labels(label))
        codes = self.sampler.codes(rows, seed).repeat_interleave(len(labels), 0)
        return all_images(self.sampler, Request(len(codes), seed, label=labels.repeat(rows), codes=codes))

    def labels(self, label: int | str | Sequence[int | str]) -> list[int]:
        """Classes as numbers. A word is a name first and a number second."""
        classes = self.classes
        if self.attributes:
            known = listed(self.attributes)
            raise ConfigError(f"label={label}: this generator knows attributes ({known}): attributes=[...]")
        if not classes:
            raise ConfigError(f"label={label}: this generator was trained without labels, it makes what it likes")
        words = [label] if isinstance(label, (int, str)) else label
        if not isinstance(words, Sequence) or not words:
            raise ConfigError(f"label={label}: name a class, or a list of them")
        found = []
        for word in words:
            if str(word) in classes:
                found.append(classes.index(str(word)))
            elif str(word).isdecimal() and int(word) < len(classes):
                found.append(int(word))
            else:
                known = ", ".join(classes[:12]) + (", ..." if len(classes) > 12 else "")
                raise ConfigError(f"label={word}: not one of the {len(classes)} classes ({known})")
        return found


def chosen_attributes(words: Sequence[str], names: Sequence[str]) -> dict[int, bool]:
    """Which attributes, by their places among `names`, are to be there (`smiling`) or not (`-smiling`). Raises
    ConfigError for a name that is none, and for one that is asked for both ways."""
    found: dict[int, bool] = {}
    for word in map(str, words):
        name = word if word in names else word.removeprefix("-")
        if name not in names:
            raise ConfigError(f"attributes: {name} is not one of {listed(list(names), 12)}{nearest(name, names)}")
        present = name == word
        if found.setdefault(names.index(name), present) is not present:
            raise ConfigError(f"attributes: {name} is asked for with and without a -; leave one")
    return found


def load(run: str | Path, checkpoint: str = "last", device: str = "auto", trust: Sequence[str] = ()) -> Trained:
    """Load the averaged generator of a run.

    `run` is a run folder or a checkpoint file; `checkpoint` is `last`, a step, or a path. The
    stored configuration is data: only classes of gan-lab, torch.nn, torch.optim and the modules in `trust` are built.
    Raises ConfigError for a folder that is no run, GanLabError for a checkpoint that cannot be read.
    """
    import hydra.utils

    path, state = find_checkpoint(Path(run), str(checkpoint))
    config = state["config"]
    stored = {key: config.get(key) for key in ("model", "algorithm", "wrappers")}
    stored |= {name: config["dataset"].get(name) for name in ("picture", "tokenizer")}
    stored["degradation"] = config.get("degradation")
    check_targets(stored, trust)
    engine = Engine(device=device, precision="fp32")
    algorithm: Any = hydra.utils.get_class(config["algorithm"]["_target_"])
    if not hasattr(algorithm, "sampler"):
        raise ConfigError(f"{path}: its algorithm {config['algorithm']['_target_']} is not a gan_lab Algorithm")
    networks = {}
    for role in (role for role in config["model"] if role.partition("_")[0] in algorithm.averaged):
        network = build_network(config, role)
        try:
            network.load_state_dict(state["ema"][role])
        except (KeyError, RuntimeError) as error:
            raise GanLabError(f"{path}: its weights do not fit its own configuration's {role}") from error
        networks[role] = engine.place(network).eval()
    return Trained(
        algorithm.sampler(networks, config["algorithm"], engine), path, state["step"], config, state.get("stream")
    )


def find_checkpoint(run: Path, name: str) -> tuple[Path, dict[str, Any]]:
    """The checkpoint that `run` and `name` mean. Raises ConfigError, in the user's words, when there is none."""
    if run.is_file():
        return run, load_checkpoint(run)
    if not run.is_dir():
        raise ConfigError(f"run={run}: no such run folder")
    if not any((run / "checkpoints").glob("*.pt")):
        if not any((run / file).exists() for file in ("config.yaml", "summary.json", ".hydra", "checkpoints")):
            raise ConfigError(f"run={run}: not a run folder (it has no checkpoints/)")
        raise ConfigError(f"run={run}: no checkpoint yet (state: {state_of(run)}){ahead(run)}")
    path, state, complaints = load_newest(run, name)
    for complaint in complaints:
        log.warning("%s; using %s instead", complaint, path.name)
    return path, state


def state_of(run: Path) -> str:
    """How a run says that it stands; interrupted where it says running and no process holds it."""
    said = read_json(run / "summary.json").get("state", "running")
    return "interrupted" if said == "running" and not is_held(run) else str(said)


def ahead(run: Path) -> str:
    """What leads to a first checkpoint, as a clause."""
    if is_held(run):
        return "; wait for its first one (trainer.checkpoint_every)"
    return f"; go on with it: {command('train', f'resume={shown(run)}')}"
