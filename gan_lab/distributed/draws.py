"""Random numbers of the whole batch: every rank draws all of them and keeps its own."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_map_only

from gan_lab.distributed.world import World

FILLS = frozenset("normal_ uniform_ random_ exponential_ geometric_ cauchy_ log_normal_".split())  # and bernoulli_ by p
LIKES = frozenset(("rand_like", "randn_like", "randint_like"))
NEW = frozenset(("rand", "randn", "randint"))
BY_TENSORS = frozenset(("bernoulli", "multinomial", "normal", "poisson", "binomial"))
OTHERS = frozenset(  # what draws by one of those, or by `native_dropout`
    "bernoulli_ native_dropout dropout dropout_ dropout1d dropout2d dropout3d feature_dropout feature_dropout_ "
    "alpha_dropout alpha_dropout_ feature_alpha_dropout feature_alpha_dropout_ gumbel_softmax "
    "scaled_dot_product_attention multi_head_attention_forward".split()
)
DRAWING = FILLS | LIKES | NEW | BY_TENSORS | OTHERS


class Draws(TorchDispatchMode):
    """While it is entered, what is drawn for images of this rank is drawn for those of all ranks.

    The ranks' generators are in equal states and stay so, and a rank keeps the numbers that one process would give to
    its images: drawn in memory of the same layout, in the same order. Whether numbers are for images is told by their
    first dimension (`World.blocks`); others, as a number for the whole batch, are the same on all ranks. What is drawn
    from a generator that was named is left alone.
    """

    def __init__(self, world: World) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.world = world

    @classmethod
    def _should_skip_dynamo(cls) -> bool:  # nothing is compiled in here, so that torch need not load its compiler
        return False

    def __torch_dispatch__(self, func: Any, types: Any, args: Sequence[Any] = (), kwargs: Any = None) -> Any:
        options = kwargs or {}
        name = func.overloadpacket.__name__
        if name not in DRAWING or options.get("generator") is not None:
            return func(*args, **options)
        if name in NEW or func is torch.ops.aten.normal.float_float:
            place = next(i for i, argument in enumerate(args) if isinstance(argument, (list, tuple)))
            count, *rest = args[place] or [0]
            if not self.world.blocks(count):
                return func(*args, **options)
            return self._own(func(*args[:place], [count * self.world.size, *rest], *args[place + 1 :], **options))
        tensor: Tensor = args[0]
        if not tensor.dim() or not self.world.blocks(len(tensor)):
            return func(*args, **options)
        if name == "native_dropout":
            mask = self._own(func(self._whole(tensor).fill_(1), *args[1:])[1])
            return tensor * mask * (1 / (1 - args[1]) if args[1] < 1 else 0.0), mask
        if name in BY_TENSORS:
            return self._own(func(*tree_map_only(Tensor, self._gathered, tuple(args)), **options))
        rest = tree_map_only(Tensor, self._gathered, tuple(args[1:]))
        drawn = self._own(func(self._whole(tensor), *rest, **options))
        return drawn if name in LIKES else tensor.copy_(drawn)

    def _whole(self, tensor: Tensor) -> Tensor:
        """Memory for the rows of all ranks, in the layout of this one's."""
        strides = tensor.stride()
        order = sorted(range(tensor.dim()), key=lambda dim: (-strides[dim], dim))
        shape = (len(tensor) * self.world.size, *tensor.shape[1:])
        return torch.empty_permuted(shape, order, dtype=tensor.dtype, device=tensor.device)

    def _gathered(self, tensor: Tensor) -> Tensor:
        if not tensor.dim() or not self.world.blocks(len(tensor)):
            return tensor
        blocks = tensor.chunk(self.world.blocks(len(tensor)))
        return torch.cat([self.world.gather(block) for block in blocks])

    def _own(self, whole: Tensor) -> Tensor:
        return self.world.share(whole).clone()
