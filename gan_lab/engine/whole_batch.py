"""A round that several processes play as one would: with the random numbers and statistics of the whole batch."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional
from torch.overrides import TorchFunctionMode

from gan_lab.distributed.draws import DRAWING, Draws
from gan_lab.distributed.world import World
from gan_lab.layers.higher_order import batch_norm

BACKWARD = frozenset((Tensor.backward, torch.autograd.backward, torch.autograd.grad))


class WholeBatch(TorchFunctionMode):
    """While it is entered, random numbers are drawn for the images of all ranks (`Draws`), and BatchNorm, whoever's,
    takes its statistics over them."""

    def __init__(self, world: World) -> None:
        super().__init__()
        self.world = world

    def __torch_function__(
        self, func: Callable[..., Any], types: Sequence[type], args: Sequence[Any] = (), kwargs: Any = None
    ) -> Any:
        options = kwargs or {}
        if func is functional.batch_norm:
            return batch_norm(*args, **options)
        if getattr(func, "__name__", "") in DRAWING:
            with Draws(self.world):
                return func(*args, **options)
        if func in BACKWARD:
            with _kept_in_backward(self):
                return func(*args, **options)
        return func(*args, **options)


@contextmanager
def whole_batch(world: World, images: int, pieces: int) -> Iterator[None]:
    """A round in here is played by all ranks of `world`, each with `images` images of a batch cut into `pieces`."""
    with world.playing(images // pieces, pieces), WholeBatch(world):
        yield


@contextmanager
def _kept_in_backward(mode: WholeBatch) -> Iterator[None]:
    """torch has left a mode while it does what the mode was asked about, be it a backward pass; but what is computed
    again in there (`torch.utils.checkpoint`) must draw and normalise as it did before."""
    autograd: Any = torch.autograd
    run = autograd._engine_run_backward

    def run_inside(*args: Any, **options: Any) -> Any:
        with mode:
            return run(*args, **options)

    autograd._engine_run_backward = run_inside
    try:
        yield
    finally:
        autograd._engine_run_backward = run
