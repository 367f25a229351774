"""A graph for a device that has none: the operators of a round, with the tensors that they got, to do them again.

A replay does what was written down and calls no Python of the round. So whatever Python decided while it was written
(a number, a branch, a tensor made of numbers) is frozen in it, and whatever has moved since is not found: as on CUDA.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple, TypeVar

import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

T = TypeVar("T")
JUNK = 0x55


class Done(NamedTuple):
    """An operator, what it was given, and where its new results lie; `None` for one that shares memory with these."""

    operator: Any
    args: Sequence[Any]
    kwargs: dict[str, Any]
    results: list[Tensor | None]


class Recording(TorchDispatchMode):
    """Writes down operators as they are done. `before` are copies of all memory that was there, by its place."""

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.done: list[Done] = []
        self.made: dict[int, Tensor] = {}
        self.before: dict[int, tuple[Tensor, Tensor]] = {}

    @classmethod
    def _should_skip_dynamo(cls) -> bool:
        return False

    def __torch_dispatch__(self, operator: Any, types: Any, args: Sequence[Any] = (), kwargs: Any = None) -> Any:
        kwargs = kwargs or {}
        given = {_place(tensor): tensor for tensor in _tensors((args, kwargs))}
        for place, tensor in given.items():
            if place not in self.made and place not in self.before:
                memory = _memory(tensor)
                self.before[place] = memory, memory.clone()
        result = operator(*args, **kwargs)
        results = [None if _place(each) in given else each for each in _tensors(result)]
        self.made |= {_place(each): each for each in results if each is not None}
        if any(each is not None for each in results) or operator._schema.is_mutable:
            self.done.append(Done(operator, args, kwargs, results))
        return result


class Tape:
    """A graph on the CPU. Recording leaves no trace but the tensors that it made, which its `tapes` share: before every
    replay all of them are spoiled, since on CUDA the graphs of a run use the same memory."""

    def __init__(self, tapes: Tapes) -> None:
        self.tapes, self.replays = tapes, 0
        self.recording = Recording()

    def record(self, play: Callable[[], T]) -> T:
        random = torch.get_rng_state()
        with self.recording:
            results = play()
        for memory, value in self.recording.before.values():
            memory.copy_(value)
        torch.set_rng_state(random)
        self.spoil()
        return results

    def spoil(self) -> None:
        for tensor in self.recording.made.values():
            if tensor.is_floating_point():
                _whole(tensor).fill_(torch.nan)
            else:
                _memory(tensor).fill_(JUNK if tensor.dtype != torch.bool else 1)

    @torch.no_grad()
    def replay(self) -> None:
        self.replays += 1
        for tape in self.tapes:
            tape.spoil()
        for operator, args, kwargs, results in self.recording.done:
            for old, new in zip(results, _tensors(operator(*args, **kwargs)), strict=True):
                if old is not None:
                    old.copy_(new)


class Tapes(list[Tape]):
    """Makes the graphs of a run and keeps them as they come; `cleared`: how often their memory was given back."""

    def __init__(self, kind: type[Tape] = Tape) -> None:
        super().__init__()
        self.kind, self.cleared = kind, 0

    def __call__(self) -> Tape:
        self.append(self.kind(self))
        return self[-1]

    def clear(self) -> None:
        self.cleared += 1


def _tensors(tree: Any) -> Iterator[Tensor]:
    yield from (leaf for leaf in tree_leaves(tree) if isinstance(leaf, Tensor))


def _place(tensor: Tensor) -> int:
    return int(tensor.untyped_storage()._cdata)


def _memory(tensor: Tensor) -> Tensor:
    """All of the memory that a tensor lies in, as bytes."""
    return torch.empty(0, dtype=torch.uint8).set_(tensor.untyped_storage())


def _whole(tensor: Tensor) -> Tensor:
    """All of the memory that a tensor lies in, as numbers of its kind."""
    return torch.empty(0, dtype=tensor.dtype).set_(tensor.untyped_storage())
