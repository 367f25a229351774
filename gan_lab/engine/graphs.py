"""Recording what a device is told to do, to tell it again by one call."""

from __future__ import annotations

import gc
import traceback
import weakref
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Protocol, TypeVar

import torch

T = TypeVar("T")
TORCH = str(Path(torch.__file__).parent)
_recorded: weakref.WeakSet[CudaGraph] = weakref.WeakSet()  # of this process


class Graph(Protocol):
    """A recording of what a device was told to do."""

    def record(self, play: Callable[[], T]) -> T:
        """Write down what `play` launches, doing none of it; returns where its results will lie. Whatever it raises,
        the device's generator can be drawn from afterwards; if it raises, older graphs must not be replayed again."""
        ...

    def replay(self) -> None:
        """Do it. Random numbers are drawn from the device's default generator as it stands now."""
        ...


class Graphs(Protocol):
    """Makes graphs that share their memory, since one is replayed at a time."""

    def __call__(self) -> Graph: ...

    def clear(self) -> None:
        """Give their memory back. They must have been dropped; graphs that are made afterwards share other memory."""
        ...


class CudaGraph:
    """`torch.cuda.CUDAGraph` on `device`, in the memory of `pool`."""

    def __init__(self, pool: Any, device: torch.device) -> None:
        self._pool, self._device = pool, device
        self._graph = torch.cuda.CUDAGraph()

    def record(self, play: Callable[[], T]) -> T:
        stream = torch.cuda.current_stream(self._device)
        try:
            # thread_local: a thread that pins memory for the next batch must not spoil the recording
            with (
                _no_collection(),
                torch.cuda.graph(self._graph, self._pool, stream, capture_error_mode="thread_local"),
            ):
                results = play()
            _recorded.add(self)
            return results
        except BaseException:
            renew_generator(self._device)
            raise

    def replay(self) -> None:
        self._graph.replay()


class CudaGraphs:
    """The graphs of a run on a CUDA device."""

    def __init__(self, device: torch.device) -> None:
        self._device = device
        self._pool = torch.cuda.graph_pool_handle()

    def __call__(self) -> CudaGraph:
        return CudaGraph(self._pool, self._device)

    def clear(self) -> None:
        gc.collect()  # what a failed recording has left lies in circles
        torch.cuda.empty_cache()
        self._pool = torch.cuda.graph_pool_handle()  # one that was given up must not be captured into again


def clear_workspaces() -> None:
    """Give back what cuBLAS keeps for every stream and thread, 32 MiB each on an H100, unless a graph works in it."""
    if not _recorded and hasattr(torch._C, "_cuda_clearCublasWorkspaces"):
        torch._C._cuda_clearCublasWorkspaces()


def renew_generator(device: torch.device) -> None:
    """Give the default generator of a CUDA device a new state, freshly seeded.

    A capture that the device has broken off leaves torch's generator in capture mode (until torch 2.12), where every
    later draw raises "Offset increment outside graph capture". Graphs recorded before hold the old state and are lost.
    """
    index = torch.cuda.current_device() if device.index is None else device.index
    fresh = torch.Generator(device)
    torch.cuda.default_generators[index].graphsafe_set_state(fresh.graphsafe_get_state())


def cause_of(error: BaseException) -> str:
    """Why a recording failed: the first thing that went wrong, and the last line outside of torch that led to it.

    The device reports a broken capture once more when it is ended; what broke it is the context of that report.
    """
    for link in _chain(error):
        error = link
    frames = [f for f in traceback.extract_tb(error.__traceback__) if not f.filename.startswith((TORCH, "<"))]
    where = f" (at {frames[-1].filename}:{frames[-1].lineno}, in {frames[-1].name})" if frames else ""
    first = next(iter(str(error).splitlines()), type(error).__name__)  # others tell how to debug CUDA
    return first[:160] + where


def is_broken_off(error: BaseException) -> bool:
    """Whether the device itself ended a capture, because something in it waited or there was no memory: then rounds of
    other kinds will not fare better."""
    return any(isinstance(link, torch.OutOfMemoryError) or "CUDA" in str(link) for link in _chain(error))


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__


@contextmanager
def _no_collection() -> Iterator[None]:
    """Python collects before this and not in here: what a collection frees on the device would break a capture."""
    gc.collect()
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()
