"""What recording does around a capture, with stand-ins for torch's CUDA classes; and how a failed one is told."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager
from types import SimpleNamespace
from typing import Any

import pytest
import torch

from gan_lab.engine import graphs
from gan_lab.engine.graphs import CudaGraphs, cause_of, clear_workspaces, is_broken_off

DEVICE = torch.device("cuda", 1)


class Card:
    """Stands in for `torch.cuda`, and remembers what it was asked for."""

    def __init__(self) -> None:
        self.asked: list[Any] = []
        self.pools, self.breaks = 0, ""
        self.default_generators = [None, SimpleNamespace(graphsafe_set_state=lambda s: self.asked.append(("state", s)))]

    def graph_pool_handle(self) -> int:
        self.pools += 1
        return self.pools

    def current_stream(self, device: torch.device) -> str:
        return f"stream of {device}"

    def empty_cache(self) -> None:
        self.asked.append("empty_cache")

    class CUDAGraph:
        def replay(self) -> None: ...

    @contextmanager
    def graph(self, graph: object, pool: int, stream: str, capture_error_mode: str) -> Iterator[None]:
        self.asked.append((pool, stream, capture_error_mode))
        try:
            yield
        finally:
            if self.breaks:
                raise RuntimeError(self.breaks)


@pytest.fixture
def card(monkeypatch: pytest.MonkeyPatch) -> Card:
    card = Card()
    monkeypatch.setattr(graphs.torch, "cuda", card)
    fresh = SimpleNamespace(graphsafe_get_state=lambda: "fresh")
    monkeypatch.setattr(graphs.torch, "Generator", lambda device: fresh if device == DEVICE else None)
    return card


def test_a_capture_is_of_the_stream_and_memory_of_the_device(card: Card) -> None:
    make = CudaGraphs(DEVICE)
    seen = []
    assert make().record(lambda: seen.append(gc.isenabled()) or 7) == 7
    assert card.asked == [(1, "stream of cuda:1", "thread_local")]
    assert (seen, gc.isenabled()) == ([False], True)  # Python frees nothing on the device meanwhile
    make.clear()
    make().record(lambda: None)
    assert card.asked[1:] == ["empty_cache", (2, "stream of cuda:1", "thread_local")]


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt])
def test_after_a_capture_that_failed_the_generator_is_a_new_one(card: Card, error: type[BaseException]) -> None:
    def play() -> None:
        raise error

    with pytest.raises(error):
        CudaGraphs(DEVICE)().record(play)
    assert card.asked[1:] == [("state", "fresh")]
    assert gc.isenabled()


def test_what_is_told_is_what_went_wrong_first(card: Card) -> None:
    """The end of a broken capture reports that it is broken, not why."""

    def play() -> None:
        raise ValueError("operation not permitted when stream is capturing\nSearch for it in the manual")

    card.breaks = "CUDA error: operation failed due to a previous error during capture"
    with pytest.raises(RuntimeError) as caught:
        CudaGraphs(DEVICE)().record(play)
    told = cause_of(caught.value)
    assert told.startswith("operation not permitted when stream is capturing (at ")
    assert told.endswith(f"{__file__}:{play.__code__.co_firstlineno + 1}, in play)")
    assert is_broken_off(caught.value)


def test_lines_of_torch_are_left_out() -> None:
    with pytest.raises(RuntimeError) as caught:
        torch.nn.Linear(2, 2)(torch.ones(1, 3))
    assert cause_of(caught.value).endswith(", in test_lines_of_torch_are_left_out)")


@pytest.mark.parametrize(
    ("error", "broken"),
    [
        (torch.OutOfMemoryError("no memory"), True),
        (RuntimeError("CUDA error: operation would make the legacy stream depend on a capturing stream"), True),
        (ValueError("no"), False),
    ],
)
def test_whether_the_device_broke_it_off(error: Exception, broken: bool) -> None:
    assert is_broken_off(error) == broken


def test_workspaces_are_given_back_where_no_graph_works_in_them(card: Card, monkeypatch: pytest.MonkeyPatch) -> None:
    cleared: list[int] = []
    monkeypatch.setattr(torch._C, "_cuda_clearCublasWorkspaces", lambda: cleared.append(1), raising=False)
    graph = CudaGraphs(DEVICE)()
    graph.record(lambda: None)
    clear_workspaces()
    assert cleared == []
    del graph
    clear_workspaces()
    assert cleared == [1]
