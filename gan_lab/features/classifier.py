"""Features of a small network that was trained once on the data's own labels: the extractor that needs no download."""

from __future__ import annotations

import hashlib
import io
import logging
import time
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from gan_lab.config import require_whole
from gan_lab.data.dataset import Dataset
from gan_lab.errors import ConfigError
from gan_lab.features.extractor import Extracted, Extractor, identity_of, resized
from gan_lab.features.fitting_classifier import (
    VERSION,
    Labelled,
    Network,
    distinct_parts,
    fitted,
    is_chance,
    parts_of,
    right,
    steps_for,
)
from gan_lab.features.random_convolutions import RandomConvolutions
from gan_lab.storage.files import write_whole
from gan_lab.storage.root import data_root
from gan_lab.storage.shared import made_once

log = logging.getLogger(__name__)

FEWEST, EACH = 100, 10  # images that one is trained of: in all, and of a class on average
MOST_HELD = 10_000  # images that it is judged by


class _KnowsNothing(Exception):
    """There is no classifier of this data."""


class Classifier(Extractor):
    """A convolutional network of four layers, trained for `steps` batches of 128 (null: ten epochs, 300 to 1500) from
    `seed` on nine tenths of the data; what it makes of the last tenth is its `accuracy`. It is kept beside the data, by
    the data's hash.

    Where the channels of an image are images of their own (stacked digits), it is trained on those, each that occurs
    taken once, so that none is both trained on and held out; features are laid side by side, and the probability of a
    class is the product of its parts'. Raises ConfigError for data without labels.

    Of fewer than `FEWEST` images, or `EACH` of a class on average, and where it comes out no better than chance, a
    classifier knows nothing: features are then those of `RandomConvolutions`, which is said, and nothing is kept.
    """

    name = "classifier"
    knows_classes = True

    def __init__(self, steps: int | None = None, seed: int = 0, size: int = 32) -> None:
        if steps is not None:
            require_whole(steps, "extractor.steps")
        self.steps = steps
        self.seed = seed
        self.size = size
        self._instead: Extractor | None = None

    def prepare(self, data: Dataset, device: torch.device) -> None:
        if data.store.labels is None or data.classes_of_part < 2:
            raise ConfigError(
                f"extractor: {data.store.name} has no classes to train a classifier on; take extractor=random"
            )
        self.parts, self.device, self._instead = data.parts, device, None
        try:
            self._get_ready(data)
        except _KnowsNothing as error:
            log.warning("extractor  %s; random features take its place (extractor=random)", error)
            self._instead = RandomConvolutions()
            self._instead.prepare(data, device)

    def settled(self) -> Extractor:
        return self if self._instead is None else self._instead

    def _get_ready(self, data: Dataset) -> None:
        images = len(data.store) * self.parts
        if images < max(FEWEST, EACH * data.classes_of_part):
            told = f"{len(data.store)} images in {data.classes_of_part} classes"
            raise _KnowsNothing(f"{told} are too few for a classifier")
        steps = self.steps or (steps_for(len(data.store)) if self.parts == 1 else "by what is distinct")
        decides = f"{VERSION} {data.store.sha256} {self.parts} {steps} {self.seed} {self.size}"
        digest = hashlib.sha256(decides.encode()).hexdigest()[:16]
        path = data_root() / "extractors" / f"classifier-{digest}.pt"
        stored = made_once(path, _load, lambda: self._train(data), _save)
        try:
            self._judge(data, float(stored["accuracy"]), min(max(len(data.store) // 10, 1), MOST_HELD))
        except _KnowsNothing:  # an earlier gan-lab has kept it
            path.unlink(missing_ok=True)
            raise
        channels, classes = data.store.shape[0] // self.parts, data.classes_of_part
        self.classes = classes**self.parts
        with torch.device("meta"):  # draws no random numbers
            self.network = Network(channels, classes)
        self.network.load_state_dict(stored["network"], assign=True)
        self.network.to(self.device).eval().requires_grad_(False)
        self.accuracy = float(stored["accuracy"])
        self.identity = identity_of(stored["network"])
        self.resizer = "native" if max(data.store.shape[1:]) <= self.size else f"bilinear{self.size}"

    @torch.no_grad()
    def __call__(self, images: Tensor) -> Extracted:
        if self._instead is not None:
            return self._instead(images)
        each = images.reshape(len(images) * self.parts, -1, *images.shape[2:])
        features, logits = self.network(resized(each.to(self.device), self.size)[0])
        features = features.reshape(len(images), -1).float().cpu()
        return Extracted(features, _of_all(logits.float().softmax(1).cpu(), self.parts))

    def _train(self, data: Dataset) -> dict[str, Any]:
        store, began = data.store, time.perf_counter()
        assert store.labels is not None
        labelled = Labelled(store.images, store.labels, data.classes_of_part, self.parts, self.size, self.device)
        if self.parts > 1:
            labelled = distinct_parts(labelled)
        count = len(labelled.labels)
        steps = self.steps or steps_for(count)
        log.info("extractor  training a classifier of %s, once, %d steps", store.name, steps)
        generator = torch.Generator().manual_seed(self.seed)
        order = torch.randperm(count, generator=generator).numpy()
        held, seen = np.split(order, [max(count // 10, 1)])
        network = fitted(labelled, seen, steps, self.seed, generator)
        found = right(network, labelled, held[:MOST_HELD])
        accuracy = int(found.sum()) / found.numel()
        self._judge(data, accuracy, found.numel())
        log.info("extractor  a classifier of %s was trained: %.1f%% right on held-out images (%.0f s; it is kept)",
                 store.name, 100 * accuracy, time.perf_counter() - began)  # fmt: skip
        state = {name: value.cpu() for name, value in network.state_dict().items()}
        return {"network": state, "accuracy": accuracy}

    def _judge(self, data: Dataset, accuracy: float, held: int) -> None:
        """Raise _KnowsNothing where so good an answer in `held` cases may be that of naming the commonest class."""
        classes = data.classes_of_part
        labels = parts_of(torch.from_numpy(np.asarray(data.store.labels)), classes, self.parts)
        chance = float(labels.bincount().max()) / len(labels)
        if is_chance(accuracy, chance, held):
            told = f"is right in {accuracy:.1%} of held-out images, no better than chance ({chance:.1%})"
            raise _KnowsNothing(f"a classifier of {data.store.name} {told}, and is not kept")


def _of_all(probabilities: Tensor, parts: int) -> Tensor:
    """`(N parts, k)` to `(N, k^parts)`: parts are independent."""
    each = probabilities.view(-1, parts, probabilities.shape[1])
    total = each[:, 0]
    for part in range(1, parts):
        total = (total[:, :, None] * each[:, part, None, :]).flatten(1)
    return total


def _load(path: Path) -> dict[str, Any]:
    stored: dict[str, Any] = torch.load(path, map_location="cpu", weights_only=True)
    return stored


def _save(path: Path, stored: dict[str, Any]) -> None:
    """Write it whole."""
    buffer = io.BytesIO()
    torch.save(stored, buffer)
    write_whole(path, lambda file: file.write(buffer.getvalue()))
