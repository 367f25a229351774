"""A state as it is at one moment, in memory of its own, to be written down while the run goes on."""

from __future__ import annotations

import copy
from collections.abc import Iterator, Mapping
from itertools import accumulate
from typing import Any

import torch
from torch import Tensor

Place = tuple[torch.device, int]
ALIGNED = 64  # bytes: any number may begin there


class Snapshot:
    """A copy, on the CPU, of a tree of dictionaries, lists, tuples, dense tensors and plain values.

    Memory is copied as it lies there, and tensors that share it still do: a file of the copy is byte for byte a file of
    the original. It goes into the memory of the copy before, because fresh memory costs more than the copying.

    CUDA copies to pinned memory, behind the work that it has been given so far: nobody waits for it here, and what it
    is given afterwards does not change the copy. It is one piece of memory, of which each storage has a part: pinned
    memory comes in powers of two, and many small pieces would take up to twice what they hold.
    """

    def __init__(self) -> None:
        self._memory: dict[bool, Tensor] = {}  # uint8, pinned or not
        self._copied: list[torch.cuda.Event] = []
        self._state: dict[str, Any] = {}

    def take(self, state: Mapping[str, Any]) -> None:
        """Copy `state`, over what was copied before."""
        tensors = list(_tensors(state))
        sources = {_place(tensor): _bytes(tensor) for tensor in tensors}
        parts = self._parts(sources)
        for place, source in sources.items():
            parts[place].copy_(source, non_blocking=source.is_cuda)
        memo: dict[int, Any] = {id(tensor): _view(parts[_place(tensor)], tensor) for tensor in tensors}
        cuda = {device for device, _ in sources if device.type == "cuda"}
        self._copied = [_mark(device) for device in cuda]
        self._state = copy.deepcopy(dict(state), memo)

    def _parts(self, sources: Mapping[Place, Tensor]) -> dict[Place, Tensor]:
        """Memory for each source, a storage of its own that lies in ours."""
        parts = {}
        for pinned in (False, True):
            own = {place: len(source) for place, source in sources.items() if source.is_cuda == pinned}
            ends = list(accumulate(-(-size // ALIGNED) * ALIGNED for size in own.values()))
            memory = self._memory.get(pinned)
            if own and (memory is None or len(memory) < ends[-1]):
                self.state()  # nothing may be on its way into memory that is given up
                memory = self._memory[pinned] = torch.empty(ends[-1], dtype=torch.uint8, pin_memory=pinned)
            for (place, size), start in zip(own.items(), [0, *ends], strict=False):
                assert memory is not None
                parts[place] = torch.from_numpy(memory.numpy()[start : start + size])
        return parts

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


def _place(tensor: Tensor) -> Place:
    return tensor.device, tensor.untyped_storage().data_ptr()


def _bytes(tensor: Tensor) -> Tensor:
    """All the memory that a tensor lies in, as uint8 `(bytes,)`."""
    return torch.empty(0, dtype=torch.uint8, device=tensor.device).set_(tensor.untyped_storage())


def _view(memory: Tensor, tensor: Tensor) -> Tensor:
    """What `tensor` is, in `memory`."""
    place = (tensor.storage_offset(), tensor.size(), tensor.stride())
    return torch.empty(0, dtype=tensor.dtype).set_(memory.untyped_storage(), *place)


def _mark(device: torch.device) -> torch.cuda.Event:
    """An event behind everything on the device's current stream; who waits for it sleeps."""
    event = torch.cuda.Event(blocking=True)
    event.record(torch.cuda.current_stream(device))
    return event
