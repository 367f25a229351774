"""Networks, latents, an augmentation and a loss that record who saw what: every image says whose it is.

A picture has four channels, each a code in all of its pixels: its TAG (the class, or the number of the input, that it
belongs to), its ORIGIN (a column of the data, or the generator that made it), its MARKS (how often it was augmented)
and its SOURCE (the batch that it comes from, or the latent that it was made of).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn.functional import avg_pool2d, normalize, one_hot

from gan_lab.algorithms.latents import Latent
from gan_lab.algorithms.stage import Stage
from gan_lab.data.batch import Batch
from gan_lab.layers.critique import Critique
from gan_lab.losses.adversarial import AdversarialLoss

TAG, ORIGIN, MARKS, SOURCE = range(4)
IMAGE, INPUT, MADE = 1, 2, 3  # origins; MADE + i is the i-th generator
SIZE, CLASSES = 4, 8


def codes(images: Tensor, channel: int) -> list[int]:
    """One code of every picture. Penalties move an image by less than a code."""
    found = images.detach().reshape(-1, 4, *images.shape[2:])[:, channel].amax((1, 2))
    return (found + 0.25).floor().int().tolist()


def tags(column: Tensor | None) -> list[int] | None:
    """The tags of labels, or of pictures."""
    if column is None:
        return None
    return codes(column, TAG) if column.dim() == 4 else column.tolist()


def batch(number: int, peaked: bool = False) -> Batch:
    """Four samples whose image, label and input have the same tag, in an order that no other batch has. `peaked`: an
    image differs from its mean over each 2 x 2 pixels, and what differs has the same codes."""
    label = torch.tensor([1, 2, 3, 4]).roll(number)
    pattern = torch.full((SIZE, SIZE), 2 / 3 if peaked else 1.0)
    pattern[::2, ::2] = 2.0 if peaked else 1.0
    image, input = (
        torch.tensor([[tag, origin, 0, number] for tag in label]).view(4, 4, 1, 1) * pattern
        for origin in (IMAGE, INPUT)
    )
    return Batch(image, label, input)


class Seen(NamedTuple):
    """One picture (or latent) that a network was given, with the tag of its condition."""

    role: str
    mover: str
    tag: int
    origin: int
    marks: int
    source: int
    told: int | None
    gradient: bool  # whether what it was given carries one


class Scored(NamedTuple):
    """What the adversarial loss was asked: scores of real images, and of generated ones."""

    player: str
    real: Tensor | None
    fake: Tensor


class Journal:
    """What happened in a round, in its order, and in whose move."""

    def __init__(self) -> None:
        self.mover = ""
        self.seen: list[Seen] = []
        self.scored: list[Scored] = []
        self.adapted: list[Tensor] = []

    def note(self, role: str, given: Tensor, found: list[list[int]], condition: Tensor | None) -> None:
        """Keep what a network was given, `found` being its codes by channel."""
        told = tags(condition)
        for index, (tag, origin, marks, source) in enumerate(zip(*found, strict=True)):
            if told is not None:
                assert len(told) == len(found[TAG]), f"{role} was told of {len(told)} conditions"
            one = None if told is None else told[index]
            self.seen.append(Seen(role, self.mover, tag, origin, marks, source, one, given.requires_grad))

    def of(self, role: str, mover: str, *origins: int) -> list[Seen]:
        """What a network was given in somebody's move, of these origins (none: of all)."""
        found = [seen for seen in self.seen if (seen.role, seen.mover) == (role, mover)]
        return [seen for seen in found if not origins or seen.origin in origins]


class Growable(nn.Module):
    """What a network that grows has; the others are whole from the start."""

    fade: Tensor

    def __init__(self, role: str, journal: Journal, grown: bool = True) -> None:
        super().__init__()
        self.role, self.journal, self.grown = role, journal, grown
        self.weight = nn.Parameter(torch.ones(()))
        self.register_buffer("fade", torch.zeros(()))

    def enter(self, stage: Stage) -> None:
        self.grown = stage.image_size is None


class Making(Growable):
    """A generator. Its pictures have the tag of its input, else of its condition, and hardly depend on its weight."""

    def __init__(self, role: str, journal: Journal, origin: int, size: int = SIZE, grown: bool = True) -> None:
        super().__init__(role, journal, grown)
        self.origin, self.size = origin, size

    def forward(self, source: Tensor, condition: Tensor | None = None) -> Tensor:
        n = len(source)
        if source.dim() == 4:
            found = [codes(source, channel) for channel in range(4)]
        else:
            numbers = source[:, 0].detach().round().int().tolist()
            found = [tags(condition) or [0] * n, [0] * n, [0] * n, numbers]
        self.journal.note(self.role, source, found, condition)
        code = torch.tensor([[found[TAG][i], self.origin, 0, found[SOURCE][i]] for i in range(n)])
        small = 0.01 * self.weight * source.flatten(1).mean(1).sin()
        return (code + small[:, None])[:, :, None, None].expand(n, 4, self.size, self.size)


class Encoding(Making):
    """A generator whose encoder looks at the input itself, and at its mean over each 2 x 2 pixels."""

    def translate(self, source: Tensor) -> tuple[Tensor, list[Tensor]]:
        return self(source), self.features(source)

    def features(self, images: Tensor) -> list[Tensor]:
        return [images, self.weight * avg_pool2d(images, 2)]


class Projecting(nn.Module):
    """A projector to what it was given and where that was, with what it was asked in `asked`."""

    def __init__(self) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.ones(()))
        self.asked: list[tuple[Sequence[Tensor], Sequence[Tensor]]] = []

    def forward(self, maps: Sequence[Tensor], places: Sequence[Tensor]) -> list[Tensor]:
        self.asked.append((maps, places))
        found = []
        for each, at in zip(maps, places, strict=True):
            patches = each.flatten(2).transpose(1, 2)[:, at]
            where = torch.stack(((self.weight * at).cos(), (self.weight * at).sin()), -1)
            found.append(normalize(torch.cat((patches, where.expand(len(each), -1, -1)), -1), dim=-1))
        return found


class Judging(Growable):
    """A discriminator. A score is the origin, features are all codes and the class is the tag, times its weight."""

    def __init__(self, role: str, journal: Journal, image_shape: list[int] | None = None, grown: bool = True) -> None:
        super().__init__(role, journal, grown)
        self.packed = (image_shape or [4])[0] > 4

    def forward(self, images: Tensor, condition: Tensor | None = None) -> Critique:
        self.journal.note(self.role, images, [codes(images, channel) for channel in range(4)], condition)
        n, single = len(images), images.reshape(-1, 4, *images.shape[2:])
        features = self.weight * single.amax((2, 3))
        if self.packed:
            return Critique(features[:, ORIGIN].view(n, -1).mean(1), features.view(n, -1))
        classes = self.weight * 50.0 * one_hot(torch.tensor(codes(images, TAG)), CLASSES)
        return Critique(features[:, ORIGIN], features, classes, (features,))


class Counting(Latent):
    """Latents that are numbered, from 100 on, and never the same."""

    def __init__(self) -> None:
        super().__init__(2)
        self.count = 100

    def _draw(self, empty: Tensor, generator: torch.Generator | None) -> Tensor:
        first, self.count = self.count, self.count + len(empty)
        return empty.copy_(torch.arange(first, self.count)[:, None])


class Marking(nn.Module):
    """An augmentation that marks what passes, and adapts to scores."""

    def __init__(self, journal: Journal) -> None:
        super().__init__()
        self.journal = journal
        self.register_buffer("mark", torch.tensor([0.0, 0.0, 1.0, 0.0]).view(1, 4, 1, 1))

    def forward(self, images: Tensor) -> Tensor:
        return images + self.mark

    def adapt(self, scores: Tensor) -> None:
        self.journal.adapted.append(scores)


class Scoring(AdversarialLoss):
    """A Wasserstein loss that keeps what it was asked."""

    def __init__(self, journal: Journal, needs_real: bool = True) -> None:
        self.journal = journal
        self.needs_real = needs_real  # type: ignore[misc]

    def discriminator(self, real: Tensor, fake: Tensor) -> Tensor:
        self.journal.scored.append(Scored("discriminator", real, fake))
        return fake.mean() - real.mean()

    def generator(self, fake: Tensor, real: Tensor | None = None) -> Tensor:
        self.journal.scored.append(Scored("generator", real, fake))
        return -fake.mean()
