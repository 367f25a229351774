"""Training a small network on labelled images: what the classifier and the classification accuracy score share."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from gan_lab.data.progress import Progress
from gan_lab.engine import optimizers
from gan_lab.features.extractor import resized

EPOCHS, LEAST, MOST = 10, 300, 1500  # of the images; batches
BATCH = 128
VERSION = 1  # of the network and of how it is trained: another one is another classifier

Places = NDArray[np.int64]
Change = Callable[[Tensor, torch.Generator], Tensor]  # of images (N, C, H, W)


class Network(nn.Module):
    """Images (N, C, h, w) in [-1, 1] to features (N, 128) and logits (N, K)."""

    def __init__(self, channels: int, classes: int) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        for width, stride in ((16, 1), (32, 2), (64, 2), (128, 2)):
            layers += [nn.Conv2d(channels, width, 3, stride, 1, bias=False), nn.BatchNorm2d(width), nn.ReLU()]
            channels = width
        self.layers = nn.Sequential(*layers)
        self.to_logits = nn.Linear(channels, classes)

    def forward(self, images: Tensor) -> tuple[Tensor, Tensor]:
        features = self.layers(images).mean((2, 3))
        return features, self.to_logits(features)


class Labelled(NamedTuple):
    """Images with labels, and how the network is to see them.

    `images` are uint8 `(N, C, H, W)`, made smaller to `size` where they are larger, or float32 in [-1, 1], taken as
    they are; `labels` int64 `(N,)`. Where an image is made of `parts`, each is classified by itself, into one of
    `classes`, and a label is a number whose digits to that base are the parts' classes.
    """

    images: NDArray[Any]
    labels: Places
    classes: int
    parts: int
    size: int
    device: torch.device

    def batch(self, places: Places) -> tuple[Tensor, Tensor]:
        """Images and labels of the parts, in the order of the places sorted."""
        images = torch.from_numpy(self.images[np.sort(places)])
        labels = torch.from_numpy(self.labels[np.sort(places)])
        each = self.of_parts(labels)
        images = images.reshape(len(images) * self.parts, -1, *images.shape[2:]).to(self.device)
        return images if images.is_floating_point() else resized(images, self.size)[0], each.to(self.device)

    def of_parts(self, labels: Tensor) -> Tensor:
        """The labels of the parts of images `(N,)`: `(N parts,)`."""
        return parts_of(labels, self.classes, self.parts)


def parts_of(labels: Tensor, classes: int, parts: int) -> Tensor:
    """The digits to base `classes` of labels `(N,)`: `(N parts,)`."""
    powers = torch.tensor([classes**place for place in reversed(range(parts))])
    return (labels[:, None] // powers % classes).reshape(-1)  # a b c of n^2 a + n b + c


def distinct_parts(data: Labelled) -> Labelled:
    """The parts of the images as images of their own, each that occurs once, where it occurs first."""
    found: dict[bytes, int] = {}
    for number, image in enumerate(data.images):
        for part, pixels in enumerate(image.reshape(data.parts, -1)):
            found.setdefault(pixels.tobytes(), number * data.parts + part)
    places = np.array(list(found.values()))
    images = np.stack(
        [data.images[place // data.parts].reshape(data.parts, -1)[place % data.parts] for place in places]
    )
    labels = data.of_parts(torch.from_numpy(np.asarray(data.labels))).numpy()[places]
    return data._replace(images=images.reshape(len(places), -1, *data.images.shape[2:]), labels=labels, parts=1)


def steps_for(count: int) -> int:
    """Batches to train for on so many images: ten epochs, 300 to 1500."""
    return min(max(EPOCHS * count // BATCH, LEAST), MOST)


def fitted(
    data: Labelled,
    seen: Places,
    steps: int,
    seed: int,
    generator: torch.Generator,
    change: Change | None = None,
) -> Network:
    """A network trained on the images at `seen`, its weights drawn from `seed` and its batches from `generator`; in
    evaluation mode. `change` is done to the images of a batch, and may draw from the same generator. The global random
    generators are as they were."""
    with torch.random.fork_rng(devices=[]):
        torch.default_generator.manual_seed(seed)  # this one alone: other devices' are not used
        network = Network(data.images.shape[1] // data.parts, data.classes)
    network.to(data.device).train()
    optimizer = torch.optim.Adam(network.parameters(), lr=2e-3)
    progress = Progress("training a classifier", steps * BATCH)
    with torch.enable_grad():
        for step in range(steps):
            progress.update(step * BATCH)
            optimizer.param_groups[0]["lr"] = 2e-3 * (1 - step / steps)
            chosen = seen[torch.randint(len(seen), (BATCH,), generator=generator).numpy()]
            images, labels = data.batch(chosen)
            if change is not None:
                images = change(images, generator)
            loss = cross_entropy(network(images)[1], labels)
            optimizer.zero_grad()
            loss.backward()
            optimizers.step(optimizer)
    progress.close()
    return network.eval()


def is_chance(accuracy: float, chance: float, count: int) -> bool:
    """Whether an accuracy in `count` answers lies within two standard deviations of guessing's, or below."""
    return accuracy <= chance + 2 * math.sqrt(chance * (1 - chance) / count)


@torch.no_grad()
def right(network: Network, data: Labelled, places: Places) -> Tensor:
    """Which parts of the images at `places` (in the order of `Labelled.batch`) are classified right: bool
    `(len(places), parts)`, on the CPU."""
    found = []
    for start in range(0, len(places), 256):
        images, labels = data.batch(places[start : start + 256])
        found.append((network(images)[1].argmax(1) == labels).cpu())
    return torch.cat(found).view(-1, data.parts)
