"""Whether generated images have the attributes that were asked for, as a classifier of real images sees it."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import binary_cross_entropy_with_logits

from gan_lab.config import require_whole
from gan_lab.data.progress import Progress
from gan_lab.engine import optimizers
from gan_lab.features.extractor import resized
from gan_lab.features.fitting_classifier import BATCH, VERSION, Network, steps_for
from gan_lab.metrics.base import Accumulator, Fewest, Measure, Part
from gan_lab.metrics.figure import Value
from gan_lab.metrics.reference import Reference

LEAST = 100  # images that a classifier is trained of
HELD = 10  # every so many-th image is held out
MOST = 10_000  # images that it is trained of, and a tenth as many it is judged by
AT_ONCE = 256
SIZE, RATE = 32, 2e-3


class AttributeAccuracy(Measure):
    """How often an attribute that an image was asked to have is found in it, and one that it was asked not to have is
    not: the mean of both shares over the attributes, so that 0.5 is chance however rare they are. In [0, 1].

    A classifier (the network of the extractor `classifier`, one logit for each attribute) is trained on nine tenths of
    the data for `steps` batches of 128; null: ten epochs, 300 to 1500. Beside the figure stands
    `attribute_accuracy_real`, of the last tenth of the data's own images: its ceiling. Attributes that all or none of
    the images were asked for do not count.
    """

    features = False
    labels = True
    about = "attributes"

    def __init__(self, steps: int | None = None, seed: int = 0) -> None:
        self.steps = None if steps is None else require_whole(steps, "metrics.attribute_accuracy.steps")
        self.seed = require_whole(seed, "metrics.attribute_accuracy.seed", 0)
        self._known: dict[str, tuple[Network, float]] = {}  # by what it was trained on

    def settings_of(self, reference: Reference, n: int) -> dict[str, Any]:
        return {"steps": self.steps or steps_for(len(reference.places(MOST))), "seed": self.seed, "version": VERSION}

    def why_not(self, reference: Reference) -> str | None:
        store = reference.data.store
        if store.attributes is None:
            return "the data has no attributes"
        return "the data is points" if store.dtype != "uint8" else None

    def fewest(self, reference: Reference) -> Fewest:
        return Fewest(LEAST, 2)

    def begin(self, n: int) -> Accumulator:
        return _Asked(self)

    def classifier(self, reference: Reference) -> tuple[Network, float]:
        """Trained when it is first asked for, with what it makes of images that it has not seen."""
        key = reference.data.store.sha256
        if key not in self._known:
            images, wanted = reference.images(MOST), reference.labels(MOST)
            assert wanted is not None
            held = np.arange(len(images)) % HELD == 0
            steps = self.steps or steps_for(len(images))
            network = fitted(images[~held], wanted[~held], steps, self.seed, reference.device)
            self._known[key] = network, accuracy(found(network, images[held]), wanted[held])
        return self._known[key]


class _Asked(Accumulator):
    """Keeps images and what was asked of them."""

    def __init__(self, measure: AttributeAccuracy) -> None:
        self.measure = measure
        self._images: list[Tensor] = []
        self._wanted: list[Tensor] = []

    def add(self, part: Part) -> None:
        assert part.labels is not None
        self._images.append(part.images)
        self._wanted.append(part.labels)

    def values(self, reference: Reference) -> list[Value]:
        network, ceiling = self.measure.classifier(reference)
        figure = accuracy(found(network, torch.cat(self._images)), torch.cat(self._wanted))
        return [
            Value("attribute_accuracy", figure, lower_is_better=False),
            Value("attribute_accuracy_real", ceiling, lower_is_better=False),
        ]


def accuracy(present: Tensor, wanted: Tensor) -> float:
    """The mean over attributes of the mean of two shares, from what was found `(n, A)` bool and what was asked for
    `(n, A)` of 0 and 1; not a number where no attribute was asked for both ways."""
    asked = wanted.bool()
    shares = []
    for have, want in zip(present.T, asked.T, strict=True):
        if want.any() and not want.all():
            shares.append((have[want].double().mean() + (~have[~want]).double().mean()) / 2)
    return float(torch.stack(shares).mean()) if shares else float("nan")


def fitted(images: Tensor, wanted: Tensor, steps: int, seed: int, device: torch.device) -> Network:
    """A network trained on uint8 images (n, C, H, W) and their attributes (n, A) by binary cross-entropy, in evaluation
    mode. The global random generators are as they were."""
    with torch.random.fork_rng(devices=[]):
        torch.default_generator.manual_seed(seed)
        network = Network(images.shape[1], wanted.shape[1])
    network.to(device).train()
    optimizer = torch.optim.Adam(network.parameters(), lr=RATE)
    generator = torch.Generator().manual_seed(seed)
    progress = Progress("training a classifier of attributes", steps * BATCH)
    with torch.enable_grad():
        for step in range(steps):
            progress.update(step * BATCH)
            optimizer.param_groups[0]["lr"] = RATE * (1 - step / steps)
            chosen = torch.randint(len(images), (BATCH,), generator=generator)
            logits = network(resized(images[chosen].to(device), SIZE)[0])[1]
            loss = binary_cross_entropy_with_logits(logits, wanted[chosen].to(device, logits.dtype))
            optimizer.zero_grad()
            loss.backward()
            optimizers.step(optimizer)
    progress.close()
    return network.eval()


@torch.no_grad()
def found(network: Network, images: Tensor) -> Tensor:
    """Which attributes the network sees in uint8 images (n, C, H, W): bool (n, A), on the CPU."""
    device = network.to_logits.weight.device
    logits = [network(resized(part.to(device), SIZE)[0])[1] for part in images.split(AT_ONCE)]
    return (torch.cat(logits) > 0).cpu()
