"""Bytes counted while they live, and what a system says is left."""

from __future__ import annotations

import gc
import weakref
from pathlib import Path

import pytest
import torch
from torch import nn

from gan_lab.engine.shortage import is_shortage
from gan_lab.training.memory import available as memory
from gan_lab.training.memory.available import Counted, Exceeded, available, peak, size, taken_by

CPU = torch.device("cpu")


def test_what_is_made_counts_until_it_is_given_back() -> None:
    x = torch.randn(50, 100)
    with Counted() as counted:
        y = x * 2
        assert counted.now == 20_000
        z = y.view(100, 50).t()[3:]  # the same memory
        y.add_(1).relu_()
        x.add_(1)  # not made here
        assert counted.now == 20_000
        del y
        assert counted.now == 20_000
        del z
        assert counted.now == 0
    assert counted.peak == 20_000


def test_two_layers_forward_and_backward() -> None:
    """h = x W (N, H) and relu(h) live when the loss does; then their gradients come and go."""
    n, d, hidden = 32, 10, 100
    x, first = torch.randn(n, d), torch.randn(d, hidden, requires_grad=True)
    with Counted() as counted:
        h = x @ first
        kept = torch.relu(h)
        loss = kept.sum()
        assert counted.now == 4 * (2 * n * hidden + 1)
        del h  # relu keeps its result alone
        loss.backward()
        assert counted.now == 4 * (n * hidden + 1 + 1 + d * hidden) - 4  # kept, the loss, the gradient
    # at most: kept, loss, its gradient 1, that of h, that of the weights
    assert counted.peak == 4 * (2 * n * hidden + 1 + 1 + d * hidden)


def test_an_optimizers_state_counts() -> None:
    layer = nn.Linear(30, 20, bias=False)
    optimizer = torch.optim.Adam(layer.parameters(), fused=True)
    x = torch.randn(5, 30)

    def play() -> None:
        layer(x).sum().backward()
        optimizer.step()

    # the gradient, two moments, the count of steps, and the loss is gone by then
    assert taken_by(play, CPU) == 4 * (3 * 600 + 1)
    layer.zero_grad(set_to_none=True)
    assert taken_by(play, CPU) < 4 * (2 * 600)


def test_a_limit() -> None:
    x = torch.zeros(100)
    assert taken_by(lambda: x + 1, CPU, limit=400) == 400
    with pytest.raises(Exceeded, match="at one time"):
        taken_by(lambda: x + 1, CPU, limit=399)
    assert is_shortage(Exceeded())


class Allocator:
    """Stands in for the account that CUDA's allocator keeps."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now = self.most = 100
        self.broken = 0  # of what it holds, in pieces that nobody can use
        for name in ("memory_allocated", "max_memory_allocated", "max_memory_reserved"):
            monkeypatch.setattr(torch.cuda, name, lambda device, name=name: getattr(self, name)())
        monkeypatch.setattr(torch.cuda, "reset_peak_memory_stats", self.reset)
        monkeypatch.setattr(torch.cuda, "empty_cache", lambda: None)

    def memory_allocated(self) -> int:
        return self.now

    def max_memory_allocated(self) -> int:
        return self.most

    def max_memory_reserved(self) -> int:
        return self.most + self.broken

    def reset(self, device: torch.device) -> None:
        self.most = self.now

    def take(self, passing: int, staying: int) -> None:
        self.most = max(self.most, self.now + passing)
        self.now += staying


@pytest.mark.parametrize(("benchmark", "expected"), [(True, 47), (False, 1000)])
def test_on_cuda_the_second_time_counts(monkeypatch: pytest.MonkeyPatch, benchmark: bool, expected: int) -> None:
    """The first of a shape includes kernels that are only tried; what it leaves (an optimizer's state) counts."""
    monkeypatch.setattr(torch.backends.cudnn, "benchmark", benchmark)
    allocator, played = Allocator(monkeypatch), []

    def play() -> None:
        first = not played
        played.append(1)
        allocator.take(1000 if first else 40, 7 if first else 0)

    assert taken_by(play, torch.device("cuda")) == expected
    assert len(played) == 1 + benchmark


def test_what_the_allocator_holds(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.backends.cudnn, "benchmark", False)
    allocator = Allocator(monkeypatch)
    allocator.broken = 30
    assert taken_by(lambda: allocator.take(40, 0), torch.device("cuda"), held=True) == 70


def test_nothing_is_left_behind() -> None:
    kept = [torch.ones(10)]
    counted = Counted()
    with counted:
        kept.append(kept[0] + 1)
        kept[0] + 2  # nobody keeps this one
    assert (counted.now, counted.peak) == (40, 80)
    kept.clear()
    assert (counted.now, counted._alive) == (0, {})
    watched = weakref.ref(counted)
    del counted
    gc.collect()
    assert watched() is None


def test_a_real_failure_of_the_allocator_is_a_shortage() -> None:
    with pytest.raises(RuntimeError) as error:
        torch.empty(1 << 60, dtype=torch.uint8)
    assert is_shortage(error.value)
    assert is_shortage(torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2 GiB"))
    assert is_shortage(MemoryError())
    assert not is_shortage(RuntimeError("mat1 and mat2 shapes cannot be multiplied"))
    assert not is_shortage(ValueError("out of memory"))


def test_what_there_is_on_this_machine() -> None:
    room = available(CPU)
    assert room is not None
    assert 2**20 < room < 2**50
    assert 2**20 < peak(CPU) < 2**50


def test_the_lowest_limit_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, room in (("_machine", 900), ("_control_group", None), ("_own_limit", 300)):
        monkeypatch.setattr(memory, name, lambda room=room: room)
    assert available(CPU) == 300
    monkeypatch.setattr(memory, "_own_limit", lambda: -5)
    assert available(CPU) == 0
    for name in ("_machine", "_own_limit"):
        monkeypatch.setattr(memory, name, lambda: None)
    assert available(CPU) is None


def write(folder: Path, **files: object) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in files.items():
        (folder / name.replace("__", ".")).write_text(f"{text}\n")


def test_control_groups_of_the_second_version(tmp_path: Path) -> None:
    write(tmp_path / "proc/self", cgroup="0::/user/job")
    root = tmp_path / "sys/fs/cgroup"
    write(root / "user/job", memory__max="max", memory__current=10, memory__stat="anon 5\ninactive_file 3")
    assert memory._control_group(tmp_path) is None
    write(root / "user", memory__max=1000, memory__current=600, memory__stat="anon 5\ninactive_file 50")
    assert memory._control_group(tmp_path) == 450
    write(root / "user/job", memory__max=500)
    assert memory._control_group(tmp_path) == 450
    write(root / "user/job", memory__max=300)
    assert memory._control_group(tmp_path) == 293


def test_control_groups_of_the_first_version_in_a_container(tmp_path: Path) -> None:
    """The path is the host's; the group itself is mounted as the root."""
    write(tmp_path / "proc/self", cgroup="9:name=systemd:/\n4:cpu,memory:/docker/abc\n0::/")
    files = {"memory__limit_in_bytes": 1 << 62, "memory__usage_in_bytes": 30, "memory__stat": "total_inactive_file 7"}
    write(tmp_path / "sys/fs/cgroup/memory", **files)
    assert memory._control_group(tmp_path) is None
    write(tmp_path / "sys/fs/cgroup/memory", memory__limit_in_bytes=100)
    assert memory._control_group(tmp_path) == 77
    assert memory._control_group(tmp_path / "elsewhere") is None


def test_sizes_in_words() -> None:
    assert [size(n) for n in (2**19, 340 * 2**20, 1.25 * 2**30)] == ["0.5 MiB", "340 MiB", "1.2 GiB"]
