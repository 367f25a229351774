"""Directions with names, and the file that keeps them."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import torch
from torch import Tensor

from gan_lab.errors import ConfigError
from gan_lab.sampling.space import Space
from gan_lab.storage.tensors import read_tensors, write_tensors

DRAWN = 2000  # codes whose deviation is taken


class Directions(NamedTuple):
    """Unit vectors `(K, dim)` of a space (z or w) with `names`. `values` `(K,)` is what the method found them worth,
    `layers` where codes are moved, None: everywhere; `deviations` `(K,)` how much codes vary along each, which is what
    a strength of 1 means."""

    names: list[str]
    vectors: Tensor
    values: Tensor
    deviations: Tensor
    space: str
    method: str
    layers: list[int] | None = None

    def chosen(self, names: Sequence[str]) -> Directions:
        """Some of them. Raises ConfigError for a name that there is not."""
        for name in names:
            if name not in self.names:
                raise ConfigError(f"show: {name!r} is not one of {', '.join(self.names)}")
        at = [self.names.index(name) for name in names]
        return self._replace(
            names=list(names), vectors=self.vectors[at], values=self.values[at], deviations=self.deviations[at]
        )


def signed(vectors: Tensor) -> Tensor:
    """Of each `(K, D)` and its opposite, which are one direction to a method, that whose largest number is above 0."""
    largest = vectors.gather(1, vectors.abs().argmax(1, keepdim=True))
    return vectors * largest.sign()


def deviations(space: Space, vectors: Tensor) -> Tensor:
    """`(K,)`: the standard deviation of codes along each of the unit vectors `(K, dim)`."""
    drawn = space.vectors(space.codes(DRAWN, 0)).double()
    return (drawn @ vectors.double().T).std(0)


def write_directions(path: Path, directions: Directions) -> None:
    about = {
        "names": json.dumps(directions.names),
        "space": directions.space,
        "method": directions.method,
        "layers": json.dumps(directions.layers),
    }
    tensors = {"directions": directions.vectors.float(), "values": directions.values.float()}
    write_tensors(path, {**tensors, "deviations": directions.deviations.float()}, about)


def read_directions(path: Path, space: Space) -> Directions:
    """Raises ConfigError for a file without directions, and for directions of another space than this run's."""
    tensors, about = read_tensors(path, "directions", "directions")
    vectors = tensors["directions"]
    where = about.get("space", space.name)
    if vectors.dim() != 2 or vectors.shape[1] != space.dim or where != space.name:
        raise ConfigError(
            f"directions: {path} has vectors {tuple(vectors.shape)} of {where}, and codes of this run are of "
            f"{space.dim} numbers in {space.name}"
        )
    count = len(vectors)
    try:
        names = json.loads(about["names"]) if "names" in about else [f"direction-{number}" for number in range(count)]
        layers = json.loads(about.get("layers", "null"))
    except ValueError as error:
        raise ConfigError(f"directions: what {path} says of its vectors is no JSON ({error})") from error
    if layers is not None:
        space.require_layers(layers)
    lengths = vectors.double().norm(dim=1, keepdim=True)
    if len(names) != count or not bool((lengths > 0).all()):
        raise ConfigError(f"directions: {path} has {count} vectors and {len(names)} names, and none may be 0")
    units = vectors.double() / lengths
    values = tensors.get("values", torch.full((count,), torch.nan))
    along = tensors["deviations"].double() if "deviations" in tensors else deviations(space, units)
    return Directions([str(name) for name in names], units, values, along, space.name, about.get("method", "?"), layers)
