"""Blocks whose insides are computed twice instead of kept (Chen et al. 2016, arXiv:1604.06174)."""

from __future__ import annotations

import types
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, ExitStack, nullcontext
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.modules.conv import _ConvNd
from torch.overrides import _get_current_function_mode_stack
from torch.utils.checkpoint import checkpoint

from gan_lab.distributed.world import world
from gan_lab.layers.higher_order import HigherOrder
from gan_lab.wrappers.base import Build

CONTAINERS = ("blocks", "layers")
OWN = ("torch.nn.", "gan_lab.")  # whose layers are known: dropout draws random numbers, and what says so by `draws`
OFFERING = (
    "biggan, biggan_cifar, dfgan, fastgan, gan_cls, progressive, r3gan, sagan, sngan, srresnet, stylegan, "
    "stylegan2, stylegan3, wgan_gp_resnet"
)


class ActivationCheckpointing:
    """Called with a factory of a network, of either player: what it builds keeps, of each block, only what goes in. The
    rest is computed again when the backward pass comes to the block: less memory, about a third more time.

    The blocks are what the network's `recomputed` names (a list of modules); without it the elements of its `blocks`,
    or `layers`, that hold at least two convolutions or linear layers. The network stays itself: state, names and
    parameters are the same with and without, so that a checkpoint of one fits the other.

    The numbers are the same too, to the last bit. A block is computed again from the buffers that it began with
    (running statistics, power iterations), in copies, so that nothing moves twice; and from the random state that it
    began with, where it has dropout or layers of somebody else's. A penalty's own backward pass computes blocks once
    more and keeps what it needs to be differentiated, so it gains less. Passes without gradients are left alone, and so
    are those that an unrolled game only supposes and those that torch.compile traces, which decides for itself.

    Raises ValueError for a network without blocks.
    """

    def __call__(self, build: Build) -> nn.Module:
        network = build()
        blocks = list(recomputable(network))
        if not blocks:
            kind = type(network)
            raise ValueError(
                f"the network inside ({kind.__module__}.{kind.__qualname__}) has no blocks to compute again; leave it "
                f"out, or take a model that has them: {OFFERING}"
            )
        for block in blocks:  # a bound method of the block: a copy of the block gets one of its own
            object.__setattr__(block, "forward", types.MethodType(_recomputed, block))
        return network


def recomputable(network: nn.Module) -> Iterator[nn.Module]:
    """The blocks of a network, and of the networks that it consists of; none lies in another."""
    inside: set[nn.Module] = set()
    for module in network.modules():
        if module not in inside:
            for block in _named(module):
                inside.update(block.modules())
                yield block


def _named(module: nn.Module) -> list[nn.Module]:
    """The blocks that a module has by its own account, or by the names of its parts."""
    if hasattr(module, "recomputed"):
        own: Iterable[nn.Module] = module.recomputed  # type: ignore[assignment]
        return list(own)
    containers = (getattr(module, name, None) for name in CONTAINERS)
    elements = [e for c in containers if isinstance(c, (nn.Sequential, nn.ModuleList)) for e in c]
    return [e for e in elements if sum(isinstance(part, (_ConvNd, nn.Linear)) for part in e.modules()) > 1]


def _recomputed(block: nn.Module, *inputs: Any) -> Any:
    """The forward pass of a block, its insides forgotten."""
    play = partial(type(block).forward, block)
    if not torch.is_grad_enabled() or torch.compiler.is_compiling() or _is_supposed(block):
        return play(*inputs)
    before = Before(block)
    contexts: Callable[[], Any] = lambda: (nullcontext(), before)  # noqa: E731
    return checkpoint(play, *inputs, use_reentrant=False, preserve_rng_state=_draws(block), context_fn=contexts)


def _is_supposed(block: nn.Module) -> bool:
    """Whether this pass is played with other parameters than the network's, or other kernels, which are gone when it
    would be computed again (`gan_lab.algorithms.unrolled`)."""
    if any(isinstance(mode, HigherOrder) for mode in _get_current_function_mode_stack()):
        return True
    return any(not isinstance(parameter, nn.Parameter) for parameter in block.parameters())


def _draws(block: nn.Module) -> bool:
    """Whether a block may draw random numbers, so that the random state it began with is to be kept. While a graph is
    captured that is a place among the graph's own numbers (torch 2.11 and 2.14 were tried; where a torch cannot, the
    round is not captured)."""
    for module in block.modules():
        if isinstance(module, (nn.modules.dropout._DropoutNd, nn.RReLU)) or getattr(module, "draws", False):
            return True
        if not f"{type(module).__module__}.".startswith(OWN):
            return True
    return False


class Before(AbstractContextManager[None]):
    """The buffers of a block as they were when this was made, and how many rows a piece had. Entered any number of
    times: inside, the block has copies of the buffers, which it may change."""

    def __init__(self, block: nn.Module) -> None:
        self._places = [(m, name, b) for m in block.modules() for name, b in m._buffers.items() if b is not None]
        self._values: list[Tensor] = [buffer.clone() for *_, buffer in self._places]
        self._piece, self._inside = world().piece, ExitStack()
        self._present: list[Tensor | None] = []

    def __enter__(self) -> None:
        self._inside.enter_context(world().rows(self._piece))
        self._present = [module._buffers[name] for module, name, _ in self._places]
        for (module, name, _), value in zip(self._places, self._values, strict=True):
            module._buffers[name] = value.clone()

    def __exit__(self, *error: object) -> None:
        for (module, name, _), present in zip(self._places, self._present, strict=True):
            module._buffers[name] = present
        self._inside.close()
