"""Captions that belong to other images of the batch."""

from __future__ import annotations

import torch
from torch import Tensor

from gan_lab.distributed.world import world

FACTOR = 0x5DEECE66D  # of a hash of tokens, wrapping around in int64


def mismatched(captions: Tensor) -> tuple[Tensor, Tensor]:
    """For each of the captions (N, L) of a batch the next one that is not the same, as tokens (N, L), and whether there
    is one, (N,): where all are equal, none is.

    Next is counted over the whole batch, all ranks', and around its end. Images of one caption are never told each
    other's; of images that have several captions those are compared that were drawn. Captions are told apart by a hash
    in int64: equal ones always have the same. Nothing is waited for.
    """
    everyone = world().gather(captions)
    keys, mine = digest(everyone), digest(captions)
    count, own = len(keys), len(mine)
    first = world().rank * own
    places = torch.arange(count, device=captions.device)
    steps = (places[None] - places[first : first + own, None] - 1) % count  # 0: the next one; the image itself is last
    equal = mine[:, None] == keys[None]
    steps = torch.where(equal, count, steps)
    return everyone.index_select(0, steps.argmin(1)), ~equal.all(1)


def digest(captions: Tensor) -> Tensor:
    """(N, L) int64 to (N,): equal for equal captions."""
    places = torch.arange(1, captions.shape[1] + 1, device=captions.device)
    mixed = (captions + 1) * (places * FACTOR + 1)
    return (mixed ^ (mixed >> 29)).mul(FACTOR).sum(1)
