"""Codes of images in a file: what `gan-lab project` finds, and `gan-lab edit` goes on from."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import torch
from torch import Tensor

from gan_lab.errors import ConfigError
from gan_lab.sampling.space import Space
from gan_lab.storage.tensors import read_tensors, write_tensors


def write_codes(
    path: Path,
    space: Space,
    codes: Tensor,
    label: Tensor | None,
    more: Mapping[str, Tensor],
    about: Mapping[str, str],
) -> None:
    """Codes `(N, ..., dim)` and classes `(N,)` of a space, and whatever else was found, with words about it."""
    labels = {} if label is None else {"label": label}
    write_tensors(path, {"codes": codes.float(), **labels, **more}, {**about, "space": space.name})


def read_codes(path: Path, space: Space) -> tuple[Tensor, Tensor | None]:
    """Raises ConfigError for codes that are not those of this space."""
    tensors, about = read_tensors(path, "codes", "codes")
    codes, label = tensors["codes"], tensors.get("label")
    like = space.codes(1, 0)
    where = about.get("space", space.name)
    if codes.shape[1:] != like.shape[1:] or where != space.name or not len(codes):
        raise ConfigError(
            f"codes: {path} has {tuple(codes.shape)} of {where}, and codes of this run are (N, "
            f"{', '.join(map(str, like.shape[1:]))}) in {space.name}"
        )
    if not space.num_classes:
        return codes, None
    if (
        label is None
        or label.shape != codes.shape[:1]
        or not 0 <= int(label.min()) <= int(label.max()) < space.num_classes
    ):
        raise ConfigError(f"codes: {path} does not say of which of the {space.num_classes} classes each is")
    return codes, label.to(torch.int64)
