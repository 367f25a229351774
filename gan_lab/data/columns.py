"""A column of pictures as a stream draws from it: whole or a window of each, on the device or through the map."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from gan_lab.data.shapes import Window
from gan_lab.data.store import normalised
from gan_lab.data.tokens import PADDING


class Pictures:
    """The pictures `(N, C, H, W)` of a column of a store, of which `window` is cut out (None: nothing is).

    They live on the device once they were moved there; until then they are read through the map. Both give equal
    pixels. Colour is in channels_last memory format where that is asked for.
    """

    def __init__(self, stored: NDArray[Any], window: Window | None, channels_last: bool) -> None:
        self.stored = stored
        self.window = window
        self.channels_last = channels_last and stored.shape[1] > 1
        self.shape: tuple[int, ...] = (stored.shape[1], *(stored.shape[2:] if window is None else window[:2]))
        self._resident: Tensor | None = None

    def move_to(self, device: torch.device) -> None:
        """Copy them there, in the order in which a batch needs them: `(N, H, W, C)` for channels_last."""
        pixels = torch.from_numpy(np.array(self.stored))
        self._resident = (pixels.permute(0, 2, 3, 1).contiguous() if self.channels_last else pixels).to(device)

    def take(self, indices: Tensor, corners: Tensor | None) -> Tensor:
        """`(n, C, H, W)` as stored, of pictures that live on the device."""
        assert self._resident is not None
        if self.window is None or corners is None:
            # as a matrix: in four dimensions index_select wakes all threads, dearer than the copy on a busy CPU
            pixels = self._resident.view(len(self.stored), -1).index_select(0, indices)
            pixels = pixels.view(-1, *self._resident.shape[1:])
        else:
            pixels = self._cut(indices, corners * self.window.step)
        return pixels.permute(0, 3, 1, 2) if self.channels_last else pixels

    def _cut(self, indices: Tensor, corners: Tensor) -> Tensor:
        assert self._resident is not None
        assert self.window is not None
        which = indices.view(-1, 1, 1)
        rows = corners[:, :1, None] + torch.arange(self.window.height, device=corners.device).view(1, -1, 1)
        columns = corners[:, 1:, None] + torch.arange(self.window.width, device=corners.device).view(1, 1, -1)
        if self.channels_last:
            return self._resident[which, rows, columns]
        channels = torch.arange(self.shape[0], device=corners.device).view(1, -1, 1, 1)
        return self._resident[which[..., None], channels, rows[:, None], columns[:, None]]

    def read(self, indices: NDArray[np.int64], corners: NDArray[np.int64] | None, pinned: bool) -> Tensor:
        """`(n, C, H, W)` as stored, in memory of the host. NumPy's copying leaves Python to other threads, and wakes no
        second team of torch's."""
        dtype = torch.uint8 if self.stored.dtype == np.uint8 else torch.float32
        pixels = torch.empty((len(indices), *self.shape), dtype=dtype, pin_memory=pinned)
        if self.window is None or corners is None:
            np.take(self.stored, indices, axis=0, out=pixels.numpy(), mode="clip")
            return pixels
        height, width, step = self.window
        for row, index, (top, left) in zip(pixels.numpy(), indices, (corners * step).tolist(), strict=True):
            row[:] = self.stored[index, :, top : top + height, left : left + width]
        return pixels

    def shown(self, pixels: Tensor, flips: Tensor | None, turns: Tensor | None) -> Tensor:
        """Pixels as stored, as float32 in [-1, 1]: mirrored where `flips` says so, then turned to the left by `turns`
        quarters."""
        if flips is not None:
            pixels = torch.where(flips.view(-1, 1, 1, 1), pixels.flip(3), pixels)
        if turns is not None:
            turns = turns.view(-1, 1, 1, 1)
            pixels = torch.where(turns % 2 == 1, pixels.rot90(1, (2, 3)), pixels)
            pixels = torch.where(turns >= 2, pixels.rot90(2, (2, 3)), pixels)
        return normalised(laid_out(pixels, self.channels_last))


class Captions:
    """The captions `(N, K, L)` of a store, up to K of each sample; what is all padding is none."""

    def __init__(self, stored: NDArray[np.int64]) -> None:
        self._tokens = torch.from_numpy(np.array(stored))
        self._counts = self._tokens.ne(PADDING).any(2).sum(1)

    @property
    def several(self) -> bool:
        """Whether one has to be chosen."""
        return self._tokens.shape[1] > 1

    def move_to(self, device: torch.device) -> None:
        self._tokens, self._counts = self._tokens.to(device), self._counts.to(device)

    def take(self, indices: Tensor, which: Tensor | None) -> Tensor:
        """`(n, L)`: of each sample the caption number `which`, modulo how many it has."""
        if which is None:
            return self._tokens[:, 0].index_select(0, indices)
        return self._tokens[indices, which % self._counts[indices]]


def laid_out(pixels: Tensor, channels_last: bool) -> Tensor:
    """Pictures `(n, C, H, W)` in the memory format of a batch."""
    last = channels_last and pixels.shape[1] > 1
    return pixels.contiguous(memory_format=torch.channels_last if last else torch.contiguous_format)
