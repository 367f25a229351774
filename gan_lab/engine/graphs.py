"""Recording what a device is told to do, to tell it again by one call."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol, TypeVar

import torch

T = TypeVar("T")


class Graph(Protocol):
    """A recording of what a device was told to do."""

    def record(self, play: Callable[[], T]) -> T:
        """Write down what `play` launches, doing none of it; returns where its results will lie."""
        ...

    def replay(self) -> None:
        """Do it. Random numbers are drawn from the device's default generator as it stands now."""
        ...


class CudaGraph:
    """`torch.cuda.CUDAGraph`. The graphs of a run share one pool of memory, since one is replayed at a time."""

    def __init__(self, pool: Any) -> None:
        self._pool = pool
        self._graph = torch.cuda.CUDAGraph()

    def record(self, play: Callable[[], T]) -> T:
        stream = torch.cuda.current_stream()
        # thread_local: a thread that pins memory for the next batch must not spoil the recording
        with torch.cuda.graph(self._graph, self._pool, stream, capture_error_mode="thread_local"):
            return play()

    def replay(self) -> None:
        self._graph.replay()


def cuda_graphs() -> Callable[[], Graph]:
    """Makes graphs that share their memory."""
    pool = torch.cuda.graph_pool_handle()
    return lambda: CudaGraph(pool)
