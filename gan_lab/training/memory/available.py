"""Memory: how much there is, how much a computation takes at most, and how much was taken so far.

On CUDA the caching allocator keeps account. Elsewhere tensors are counted while they live, operation by operation.
"""

from __future__ import annotations

import os
import sys
import weakref
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

UNLIMITED = 1 << 60  # what a control group without a limit says is more


class Exceeded(MemoryError):
    """More tensors were alive at one time than a limit admits."""


class Counted(TorchDispatchMode):
    """Counts the bytes of the tensors that are made while it is entered: `now`, those that live, and `peak`.

    Whatever an operation returns in memory that none of its arguments had is new, and counts until that memory is given
    back; backward passes are seen too. Scratch memory inside a kernel is not. With a `limit` the operation that passes
    it raises Exceeded.
    """

    def __init__(self, limit: int | None = None) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.now = self.peak = 0
        self.limit = limit
        self._alive: dict[int, weakref.ref[torch.UntypedStorage]] = {}

    @classmethod
    def _should_skip_dynamo(cls) -> bool:  # nothing is compiled in here, so that torch need not load its compiler
        return False

    def __torch_dispatch__(self, func: Any, types: Any, args: Sequence[Any] = (), kwargs: Any = None) -> Any:
        result = func(*args, **(kwargs or {}))
        old = {id(storage) for storage in _storages((args, kwargs))}
        for storage in _storages(result):
            if id(storage) not in old and id(storage) not in self._alive:
                self._count(storage)
        return result

    def _count(self, storage: torch.UntypedStorage) -> None:
        key, taken = id(storage), storage.nbytes()

        def given_back(_: weakref.ref[torch.UntypedStorage]) -> None:
            self.now -= taken
            del self._alive[key]

        self._alive[key] = weakref.ref(storage, given_back)
        self.now += taken
        self.peak = max(self.peak, self.now)
        if self.limit is not None and self.now > self.limit:
            raise Exceeded(f"{size(self.now)} at one time")


def _storages(tree: Any) -> Iterator[torch.UntypedStorage]:
    """The memory of every tensor in a tree; the same object for as long as that memory lives."""
    for leaf in tree_leaves(tree):
        if isinstance(leaf, Tensor) and leaf.layout == torch.strided:
            yield leaf.untyped_storage()


def taken_by(play: Callable[[], object], device: torch.device, limit: int | None = None, held: bool = False) -> int:
    """The most bytes that `play()` needs at one time beside what is taken already; on CUDA, if `held`, with what the
    allocator cannot use of the pieces that it breaks them out of.

    Raises Exceeded where it is counted and passes `limit`; on CUDA what there is is the limit. There it is played twice
    and measured once: the first time of a shape, cuDNN tries kernels out, with memory that no later time needs.
    """
    if device.type == "cuda":
        before = torch.cuda.memory_allocated(device)
        if torch.backends.cudnn.benchmark:
            play()
        torch.cuda.empty_cache()
        torch.cuda.reset_peak_memory_stats(device)
        play()
        most = torch.cuda.max_memory_reserved(device) if held else torch.cuda.max_memory_allocated(device)
        return int(most) - int(before)
    counted = Counted(limit)
    with counted:
        play()
    return counted.peak


def peak(device: torch.device) -> int:
    """The most bytes taken so far: on CUDA by tensors, since the run began; elsewhere by the process. 0: not known."""
    if device.type == "cuda":
        return int(torch.cuda.max_memory_allocated(device))
    if device.type == "mps":
        return int(torch.mps.driver_allocated_memory())  # now: it keeps no account of the most
    try:
        import resource
    except ImportError:  # Windows
        return 0
    most: int = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return most if sys.platform == "darwin" else most * 1024


def available(device: torch.device) -> int | None:
    """How many bytes tensors can still take on a device; None where nobody tells."""
    if device.type == "cuda":
        free, _ = torch.cuda.mem_get_info(device)
        return int(free) + torch.cuda.memory_reserved(device) - torch.cuda.memory_allocated(device)
    if device.type == "mps":
        return int(torch.mps.recommended_max_memory() - torch.mps.current_allocated_memory())
    rooms = [room for room in (_machine(), _control_group(), _own_limit()) if room is not None]
    return max(min(rooms), 0) if rooms else None


def _machine() -> int | None:
    """What the machine can give: what Linux calls available; half of all memory where it is only known how much that
    is."""
    try:
        lines = Path("/proc/meminfo").read_text().splitlines()
        return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("MemAvailable:"))
    except (OSError, StopIteration):
        pass
    try:
        return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") // 2
    except (AttributeError, ValueError, OSError):
        return None


def _control_group(root: Path = Path("/")) -> int | None:
    """What the limits of this process's control groups leave: of the second version, else of the first. Pages of files
    that the system would give up count as free."""
    try:
        lines = (root / "proc/self/cgroup").read_text().splitlines()
    except OSError:
        return None
    rooms: list[int] = []
    for _, kinds, path in (line.split(":", 2) for line in lines):
        if kinds == "":
            rooms += _rooms(root / "sys/fs/cgroup", path, "memory.max", "memory.current", "inactive_file")
        elif "memory" in kinds.split(","):
            files = ("memory.limit_in_bytes", "memory.usage_in_bytes", "total_inactive_file")
            rooms += _rooms(root / "sys/fs/cgroup/memory", path, *files)
    return min(rooms, default=None)


def _rooms(mount: Path, path: str, limit: str, usage: str, spare: str) -> Iterator[int]:
    """What a control group and those around it leave; in a container the group itself is mounted as the root."""
    group = mount / path.strip("/")
    for place in {group, *group.parents, mount}:
        try:
            if not place.is_relative_to(mount) or not (most := (place / limit).read_text().strip()).isdecimal():
                continue
            pages = dict(line.split() for line in (place / "memory.stat").read_text().splitlines())
            if int(most) < UNLIMITED:
                yield int(most) - int((place / usage).read_text()) + int(pages.get(spare, 0))
        except (OSError, ValueError):
            continue


def _own_limit() -> int | None:
    """Half of the address space that `ulimit -v` leaves to this process, which breaks up, and which threads reserve."""
    try:
        import resource

        most, _ = resource.getrlimit(resource.RLIMIT_AS)
        if most == resource.RLIM_INFINITY:
            return None
        return (most - int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()) // 2
    except (ImportError, OSError):
        return None


def size(count: float) -> str:
    """`340 MiB`, `1.2 GiB`."""
    mebibytes = count / 2**20
    return f"{mebibytes / 1024:.1f} GiB" if mebibytes >= 1024 else f"{mebibytes:.3g} MiB"
