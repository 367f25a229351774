"""A round's figures, on the device they were computed on, and how they come to the host without anybody waiting."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import torch
from torch import Tensor


class DeviceMetrics(Mapping[str, Tensor]):
    """Named 0-d tensors that lie side by side in `values` (M,), float32: one copy moves them all."""

    def __init__(self, names: Sequence[str], values: Tensor) -> None:
        self.names = tuple(names)
        self.vector = values

    @classmethod
    def of(cls, metrics: Mapping[str, Tensor]) -> DeviceMetrics:
        """Lay 0-d tensors side by side, unless they lie so."""
        if isinstance(metrics, cls):
            return metrics
        return cls(tuple(metrics), torch.stack([value.detach().float() for value in metrics.values()]))

    def __getitem__(self, name: str) -> Tensor:
        try:
            return self.vector[self.names.index(name)]
        except ValueError:
            raise KeyError(name) from None

    def __iter__(self) -> Iterator[str]:
        return iter(self.names)

    def __len__(self) -> int:
        return len(self.names)


class HostCopy:
    """Numbers on their way to the host. On CUDA they are copied behind the work given so far, into pinned memory, and
    the round goes on; everywhere else they are there at once."""

    def __init__(self, numbers: Tensor) -> None:
        self._arrived: torch.cuda.Event | None = None
        if numbers.device.type == "cuda":
            self._numbers = torch.empty(numbers.shape, dtype=numbers.dtype, pin_memory=True)
            self._numbers.copy_(numbers, non_blocking=True)
            self._arrived = torch.cuda.Event()
            self._arrived.record(torch.cuda.current_stream(numbers.device))
        else:
            self._numbers = numbers.detach().cpu()

    @property
    def ready(self) -> bool:
        """Whether `wait` would return at once."""
        return self._arrived is None or self._arrived.query()

    def wait(self) -> Tensor:
        """The numbers, on the CPU."""
        if self._arrived is not None:
            self._arrived.synchronize()
        return self._numbers
