"""How often each class is drawn, in whole numbers."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from gan_lab.data.balance import Balanced, balanced
from gan_lab.data.batch import Batch
from gan_lab.data.packing import pack
from gan_lab.data.store import Store
from gan_lab.data.stream import Stream
from gan_lab.errors import ConfigError

from .conftest import Array

SIZES = {"a": 16, "b": 4, "c": 0, "d": 4}
LABELS = np.repeat(np.arange(4), list(SIZES.values()))


class Unequal(Array):
    """Every pixel of an image is its index; classes are as large as SIZES says, in a mixed order."""

    classes = list(SIZES)  # noqa: RUF012

    def __init__(self) -> None:
        super().__init__(24, (1, 1, 1))
        self.images[:, 0, 0, 0] = np.arange(24)
        self.labels = np.random.default_rng(0).permutation(LABELS).tolist()

    def __iter__(self) -> Any:
        for (name, image, _), label in zip(super().__iter__(), self.labels, strict=True):
            yield name, image, label


@pytest.fixture
def store(root: Path) -> Store:
    return pack(Unequal(), (1, 1, 1), "crop", root / "unequal-1x1x1-0", "unequal")


def drawn(batch: Batch) -> list[int]:
    return ((batch.image.flatten() + 1) * 127.5).round().int().tolist()


@pytest.mark.parametrize(
    ("balance", "each"),
    [
        ("uniform", [8, 8, 0, 8]),
        ("sqrt", [12, 6, 0, 6]),  # 4 : 2 : 2
        ({"b": 2.0}, [14, 7, 0, 3]),  # 16 : 8 : 4 of 28, the rest of 24 to the largest remainder: 13.71, 6.86, 3.43
        ({"a": 0, "d": 0}, [0, 24, 0, 0]),
        ({"a": 1, "b": 1, "d": 1}, [16, 4, 0, 4]),
    ],
)
def test_an_epoch_draws_each_class_so_often(balance: Any, each: list[int], store: Store) -> None:
    for kind in ({}, {"resident_limit": 0}):
        stream = Stream(store, 5, 0, balance=balance, **kind)  # type: ignore[arg-type]
        labels = torch.cat([stream.next().label for _ in range(24)])  # type: ignore[misc]
        for epoch in labels.view(5, 24):
            assert epoch.bincount(minlength=4).tolist() == each


def test_no_image_is_drawn_again_before_all_others_of_its_class() -> None:
    """16 images of which an epoch shows 8, and 4 of which it shows each twice; 3 epochs of 5 of 4 go on in between."""
    for draws in ([8, 8, 0, 8], [5, 5, 0, 14]):
        selection = Balanced(LABELS, draws)
        epochs = [selection.epoch(3, epoch) for epoch in range(16)]
        for number, wanted in enumerate(draws):
            size, before = int((number == LABELS).sum()), 0
            seen: Counter[int] = Counter()
            for epoch in epochs:
                seen.update(index for index in epoch.tolist() if LABELS[index] == number)
                before += wanted
                counts = [seen[index] for index in np.flatnonzero(number == LABELS).tolist()]
                assert sum(counts) == before
                assert not size or set(counts) <= {before // size, -(-before // size)}
        assert not torch.equal(epochs[0].sort().values, epochs[1].sort().values)
        assert LABELS[epochs[0].numpy()].tolist() != sorted(LABELS[epochs[0].numpy()])


def test_seed_and_name_decide() -> None:
    selection = Balanced(LABELS, [8, 8, 0, 8])
    first = selection.epoch(0, 4)
    assert torch.equal(Balanced(LABELS, [8, 8, 0, 8]).epoch(0, 4), first)
    for other in (selection.epoch(1, 4), selection.epoch(0, 4, " input"), selection.epoch(0, 5)):
        assert not torch.equal(other, first)


@pytest.mark.parametrize("kind", [{}, {"resident_limit": 0}])
def test_every_state_goes_on_exactly(kind: dict[str, Any], store: Store) -> None:
    def fresh(**of: Any) -> Stream:
        return Stream(store, 10, 5, balance="uniform", **kind, **of)

    stream = fresh()
    states, batches = [], []
    for _ in range(7):
        states.append(stream.state_dict())
        batches.append(drawn(stream.next()))
    for k, state in enumerate(states):
        other, ranks = fresh(), [fresh(rank=rank, world=2) for rank in range(2)]
        for each in (other, *ranks):
            each.load_state_dict(state)
        assert [drawn(other.next()) for _ in batches[k:]] == batches[k:]
        assert [index for rank in ranks for index in drawn(rank.next())] == batches[k]


def test_without_a_balance_each_is_drawn_once(store: Store) -> None:
    assert balanced(None, store) is None
    assert sorted(drawn(Stream(store, 24, 0).next())) == list(range(24))


def test_what_the_data_does_not_have(store: Store, root: Path) -> None:
    for balance, told in (
        ({"bb": 1}, "dataset.balance.bb: none of the data's classes (a, b, c, d); nearest: b"),
        ({"a": 0, "b": 0, "d": 0}, "leaves no image"),
    ):
        with pytest.raises(ConfigError) as error:
            balanced(balance, store)
        assert told in str(error.value)

    class Unlabelled(Array):
        classes = None

        def __iter__(self) -> Any:
            return ((name, image, None) for name, image, _ in super().__iter__())

    plain = pack(Unlabelled(), (3, 4, 4), "crop", root / "plain-4x4x3-0", "plain")
    with pytest.raises(ConfigError, match=r"dataset\.balance=sqrt: plain has no classes to balance"):
        balanced("sqrt", plain)
