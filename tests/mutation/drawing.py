"""Which mutants of a tree are played."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Sequence
from pathlib import Path

from tests.mutation.by_hand import BY_HAND
from tests.mutation.mutant import Mutant
from tests.mutation.operators import python_mutants
from tests.mutation.settings import yaml_mutants

ROOMS = ("losses", "algorithms", "augmentations", "layers", "models", "metrics", "wrappers", "engine", "training")
GROUPS = ("algorithm", "augmentation", "dataset", "experiment", "loss", "metrics", "model", "optimizer", "technique")
SHARES = {  # of the drawn mutants
    "sign": 28,
    "constant": 20,
    "axis": 14,
    "reduction": 24,
    "detach": 10,
    "comparison": 20,
    "who": 28,
    "left out": 14,
    "setting": 34,
    "recipe": 14,
}
SKIPPED = re.compile(r"engine/graphs\.py|configs/dataset/(?!ring|grid)")  # for a GPU; of data that has to be fetched


def every_mutant(tree: Path) -> Iterator[Mutant]:
    """All of a tree, those made by hand first."""
    for path, old, new in BY_HAND:
        source = (tree / path).read_bytes() if (tree / path).exists() else b""
        if source.count(old.encode()) == 1:
            place = source.index(old.encode())
            yield Mutant(path, "by hand", place, place + len(old.encode()), new.encode(), source)
    files = [path for room in ROOMS for path in sorted((tree / "gan_lab" / room).rglob("*.py"))]
    files += [path for group in GROUPS for path in sorted((tree / "configs" / group).rglob("*.yaml"))]
    for file in files:
        path, source = file.relative_to(tree).as_posix(), file.read_bytes()
        if not SKIPPED.search(path):
            yield from (python_mutants if file.suffix == ".py" else yaml_mutants)(path, source)


def draw(mutants: Sequence[Mutant], seed: int, count: int) -> list[Mutant]:
    """All that were made by hand, and of every kind its share of `count`. A mutant's lot depends on the seed and itself
    alone, so another version of the code has the same mutants, as far as its lines are the same."""

    def lot(mutant: Mutant) -> str:
        return hashlib.sha1(f"{seed} {mutant.name}".encode()).hexdigest()

    by_hand = [mutant for mutant in mutants if mutant.kind == "by hand"]
    drawn, room = list(by_hand), (count - len(by_hand)) / sum(SHARES.values())
    for kind, share in SHARES.items():
        drawn += sorted((mutant for mutant in mutants if mutant.kind == kind), key=lot)[: max(0, round(share * room))]
    return sorted(drawn, key=lot)  # so that the first of them are a sample, too
