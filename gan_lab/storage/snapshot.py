"""A state as it is at one moment, in memory of its own, to be written down while the run goes on."""

from __future__ import annotations

import copy
from collections.abc import Iterator, Mapping
from typing import Any

import torch
from torch import Tensor


class Snapshot:
    """A copy, on the CPU, of a tree of dictionaries, lists, tuples, dense tensors and plain values.

    Memory is copied as it lies there, and tensors that share it still do: a file of the copy is byte for byte a file of
    the original. It goes into the memory of the copy before, because fresh memory costs more than the copying.

    CUDA copies to pinned memory, behind the work that it has been given so far: nobody waits for it here, and what it
    is given afterwards does not change the copy.
    """

    def __init__(self) -> None:
        self._memory: list[Tensor] = []  # uint8, one for every storage of the latest state
        self._copied: list[torch.cuda.Event] = []
        self._state: dict[str, Any] = {}

    def take(self, state: Mapping[str, Any]) -> None:
        """Copy `state`, over what was copied before."""
        spare, self._memory = iter(self._memory), []
        copies: dict[tuple[torch.device, int], Tensor] = {}
        memo: dict[int, Any] = {}
        for tensor in _tensors(state):
            place = (tensor.device, tensor.untyped_storage().data_ptr())
            if place not in copies:
                copies[place] = _copy(tensor, next(spare, None))
                self._memory.append(copies[place])
            memo[id(tensor)] = _view(copies[place], tensor)
        self._copied = [_mark(device) for device in {device for device, _ in copies} if device.type == "cuda"]
        self._state = copy.deepcopy(dict(state), memo)

    def state(self) -> dict[str, Any]:
        """The copy, once all of it has arrived. May be called from another thread."""
        for event in self._copied:
            event.synchronize()
        return self._state


def _tensors(value: Any) -> Iterator[Tensor]:
    if isinstance(value, Tensor):
        yield value
    elif isinstance(value, dict):
        for part in value.values():
            yield from _tensors(part)
    elif isinstance(value, (list, tuple)):
        for part in value:
            yield from _tensors(part)


def _copy(tensor: Tensor, spare: Tensor | None) -> Tensor:
    """The memory that `tensor` lies in, into `spare` where that fits: uint8 `(bytes,)`, pinned for CUDA."""
    source = torch.empty(0, dtype=torch.uint8, device=tensor.device).set_(tensor.untyped_storage())
    if spare is None or len(spare) != len(source):
        spare = torch.empty(len(source), dtype=torch.uint8, pin_memory=tensor.is_cuda)
    return spare.copy_(source, non_blocking=tensor.is_cuda)


def _view(memory: Tensor, tensor: Tensor) -> Tensor:
    """What `tensor` is, in `memory`."""
    place = (tensor.storage_offset(), tensor.size(), tensor.stride())
    return torch.empty(0, dtype=tensor.dtype).set_(memory.untyped_storage(), *place)


def _mark(device: torch.device) -> torch.cuda.Event:
    """An event behind everything on the device's current stream; who waits for it sleeps."""
    event = torch.cuda.Event(blocking=True)
    event.record(torch.cuda.current_stream(device))
    return event
