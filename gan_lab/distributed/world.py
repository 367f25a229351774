"""The processes that play one game: what each knows of the others, and what they tell one another.

Every process, a rank, has all networks and plays its equal share of every piece of a batch. Nothing is wrapped around
the networks: what belongs to the whole batch (a gradient, a statistic, a remembered mean) is taken over all ranks by
whoever needs it, through `world()`. Sums over ranks are differentiated as often as one likes: the derivative of a total
is the total of the derivatives. So one process and several play the same game, to rounding.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import reduce
from typing import Any, TypeVar

import torch
from torch import Tensor
from torch import distributed as dist
from torch.nn.functional import pad

T = TypeVar("T")


class Total(torch.autograd.Function):
    """The sum of a tensor over all ranks. Its derivative is itself."""

    @staticmethod
    def forward(tensor: Tensor) -> Tensor:
        total = tensor.clone(memory_format=torch.contiguous_format)
        dist.all_reduce(total)
        return total

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Any, ...], output: Tensor) -> None:
        """There is nothing to remember."""

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> Tensor:
        total: Tensor = Total.apply(gradients[0])
        return total


class World:
    """`size` processes, this one the `rank`-th of them; one alone, without torch.distributed, where nothing is said.

    Of one process every method is the identity. Of several, all must call the same methods in the same order. While a
    round is played `piece` are the images of this rank's share of a piece of a batch, and `pieces` how many there are.
    """

    def __init__(self, rank: int = 0, size: int = 1) -> None:
        self.rank = rank
        self.size = size
        self.piece = 0
        self.pieces = 1

    @classmethod
    def of_default_group(cls) -> World:
        """That of torch.distributed's default group, where it has been initialised."""
        if dist.is_available() and dist.is_initialized():
            return cls(dist.get_rank(), dist.get_world_size())
        return cls()

    @property
    def capturable(self) -> bool:
        """Whether what the ranks tell one another can be part of a CUDA graph."""
        return self.size == 1 or _carrier("cuda") == dist.Backend.NCCL

    @property
    def is_main(self) -> bool:
        """Whether this is the process that writes."""
        return self.rank == 0

    def total(self, tensor: Tensor) -> Tensor:
        """The sum over all ranks."""
        if self.size == 1:
            return tensor
        total: Tensor = Total.apply(tensor)
        return total

    def mean(self, tensor: Tensor) -> Tensor:
        """The mean over all ranks: of means of every rank's images that of all images."""
        return tensor if self.size == 1 else self.total(tensor) / self.size

    def means(self, tensors: Sequence[Tensor | None]) -> Sequence[Tensor | None]:
        """The mean over all ranks of each, by one sum of one vector; what is None is so on all ranks."""
        there = [tensor for tensor in tensors if tensor is not None]
        if self.size == 1 or not there:
            return tensors
        parts = self.mean(torch.cat([tensor.flatten() for tensor in there])).split([t.numel() for t in there])
        whole = iter([part.view_as(tensor) for part, tensor in zip(parts, there, strict=True)])
        return [None if tensor is None else next(whole) for tensor in tensors]

    def moments(self, tensor: Tensor, over: Sequence[int]) -> tuple[Tensor, Tensor]:
        """Mean and variance (uncorrected) along the dimensions `over`, which stay, of the values of all ranks."""
        variance, mean = torch.var_mean(tensor, list(over), correction=0, keepdim=True)
        if self.size == 1:
            return mean, variance
        means, variances = self.gather(torch.stack((mean, variance)).unsqueeze(0)).unbind(1)  # (ranks, ...)
        whole = means.mean(0)
        return whole, (variances + (means - whole).square()).mean(0)

    def gather(self, tensor: Tensor) -> Tensor:
        """The rows of all ranks, (n, ...) each, in order: (size n, ...)."""
        if self.size == 1:
            return tensor
        before, after = self.rank * len(tensor), (self.size - 1 - self.rank) * len(tensor)
        return self.total(pad(tensor, (0, 0) * (tensor.dim() - 1) + (before, after)))

    def share(self, tensor: Tensor) -> Tensor:
        """This rank's rows of something that is there for all, (size n, ...) to (n, ...): of every piece its part."""
        if self.size == 1:
            return tensor
        blocks = tensor.chunk(max(self.blocks(len(tensor) // self.size), 1))
        parts = [block.chunk(self.size)[self.rank] for block in blocks]
        return parts[0] if len(parts) == 1 else torch.cat(parts)

    def blocks(self, rows: int) -> int:
        """How many pieces side by side `rows` of this rank are, two batches at most; 0: they are no images of it."""
        if not self.piece or rows % self.piece or rows > 2 * self.piece * self.pieces:
            return 0
        return rows // self.piece

    def reduce_gradients(self, parameters: Sequence[Tensor], terms: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """Make every gradient the mean over all ranks, and return that of the 0-d `terms`, by one sum of one vector.

        A gradient that a rank does not have counts as zeros; one that no rank has stays None, since an optimizer leaves
        its parameter alone then. Gradients are laid out as their parameters are.
        """
        if self.size == 1:
            return dict(terms)
        missing = [parameter.grad is None for parameter in parameters]
        dtype = reduce(torch.promote_types, (parameter.dtype for parameter in parameters), torch.float32)
        sizes = [*(parameter.numel() for parameter in parameters), len(missing), len(terms)]
        flat = parameters[0].new_zeros(sum(sizes), dtype=dtype)
        *spaces, there, figures = flat.split(sizes)
        gradients = [_laid_out_as(parameter, space) for parameter, space in zip(parameters, spaces, strict=True)]
        torch._foreach_copy_(
            [gradient for gradient, gone in zip(gradients, missing, strict=True) if not gone],
            [parameter.grad for parameter in parameters if parameter.grad is not None],
        )
        for has_one, gone in zip(there.unbind(), missing, strict=True):
            has_one.fill_(not gone)
        figures.copy_(torch.stack([term.detach() for term in terms.values()]))
        dist.all_reduce(flat)
        flat /= self.size
        nowhere = self._nowhere(missing, there)
        for parameter, gradient, gone in zip(parameters, gradients, nowhere, strict=True):
            parameter.grad = None if gone else gradient.to(parameter.dtype)
        return dict(zip(terms, figures.clone().unbind(), strict=True))

    def _nowhere(self, missing: list[bool], there: Tensor) -> list[bool]:
        """Which gradients no rank has. Only a rank that misses one asks the device; while a graph is captured, which is
        the same on all ranks, nobody does."""
        if not any(missing) or (there.is_cuda and torch.cuda.is_current_stream_capturing()):
            return missing
        return [not share > 0 for share in there.tolist()]

    def broadcast(self, tensors: Iterable[Tensor]) -> None:
        """Give all ranks what rank 0 has, in place."""
        if self.size > 1:
            with torch.no_grad():
                for tensor in tensors:
                    dense = tensor.contiguous()
                    dist.broadcast(dense, 0)
                    if dense is not tensor:
                        tensor.copy_(dense)

    def agree(self, value: T) -> T:
        """What rank 0 says: a decision of the host that all must take alike."""
        if self.size == 1:
            return value
        said: list[Any] = [value]
        dist.broadcast_object_list(said, 0)
        decided: T = said[0]
        return decided

    def any(self, flag: bool) -> bool:
        """Whether it is so on any rank."""
        return bool(self.most(int(flag))[0])

    def most(self, *numbers: int) -> list[int]:
        """Of each number of the host the largest of all ranks. No device is waited for, where the host has a way."""
        if self.size == 1:
            return list(numbers)
        there = torch.tensor(numbers, device="cpu" if _carrier("cpu") else "cuda")
        dist.all_reduce(there, dist.ReduceOp.MAX)
        return [int(number) for number in there.tolist()]

    def barrier(self) -> None:
        """Wait for all ranks."""
        self.most(0)

    def all(self, value: T) -> list[T]:
        """What every rank says, in their order."""
        said: list[Any] = [value]
        if self.size > 1:
            said *= self.size
            dist.all_gather_object(said, value)
        return said

    @contextmanager
    def playing(self, piece: int, pieces: int = 1) -> Iterator[None]:
        """A round in here is played by all ranks: `world()` is this one. A rank has `piece` images of each piece."""
        global _world
        before, _world, self.piece, self.pieces = _world, self, piece, pieces
        try:
            yield
        finally:
            _world, self.piece, self.pieces = before, 0, 1

    @contextmanager
    def rows(self, piece: int) -> Iterator[None]:
        """In here this rank's share of a piece has so many rows: fewer than images, where a row stands for several. 0:
        nothing that is drawn is for images, and all ranks draw the same."""
        before, self.piece = self.piece, piece
        try:
            yield
        finally:
            self.piece = before


_world = World()


def world() -> World:
    """The processes that play the round which is under way; between rounds every process is alone.

    So what a look between two rounds passes through the networks concerns nobody else.
    """
    return _world


def own_device(device: torch.device, together: World) -> torch.device:
    """Of CUDA devices, where no one was named, that of this process: each takes another while there are enough."""
    if device.type != "cuda" or device.index is not None or together.size == 1:
        return device
    place = int(os.environ.get("LOCAL_RANK", "0")) % torch.cuda.device_count()
    torch.cuda.set_device(place)
    return torch.device("cuda", place)


def _carrier(device: str) -> str | None:
    """The backend that carries tensors of such a device, of the default group; None where there is none."""
    known = dist.distributed_c10d._get_default_group()
    try:
        return str(known._get_backend(torch.device(device)).name())
    except RuntimeError:
        return None


def _laid_out_as(parameter: Tensor, space: Tensor) -> Tensor:
    """`space` (numel,) as a tensor like `parameter`, also in the order of its dimensions in memory."""
    return space.as_strided(
        parameter.shape, torch.empty_like(parameter, device="meta").stride(), space.storage_offset()
    )
