"""How far a network sees: what tiles must share so that what is made of them is what would be made of the whole."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

import torch
from torch import Tensor, nn

from gan_lab.sampling.request import Request
from gan_lab.sampling.sampler import Sampler

WIDTHS = (64, 256, 1024, 4096)  # pixels; who sees to the ends of the last sees everything
HEIGHTS = (
    1,
    4,
    16,
)  # times `multiple`: some networks mirror a few pixels at the border, and need more of them than that


def reach_of(sampler: Sampler, channels: int, multiple: int = 1) -> int | None:
    """Up to how many pixels beside its own a pixel of an image depends on, to any side: half the receptive field,
    rounded down. None where that is the whole input (statistics of the image, attention), and where no input of a
    probe's size is taken.

    Measured, not derived: a column of the input is nan, and so is all that depends on it, with trained weights as with
    any. A gradient would tell the same and hold every map of a deep network. Networks with strides see blocks of
    `multiple` pixels, so a column is so wide. Rows are asked only where a kernel is not square.
    """
    found = _reach(sampler, channels, multiple, upright=False)
    if found is None or not any(_is_oblong(module) for module in sampler.network.modules()):
        return found
    upright = _reach(sampler, channels, multiple, upright=True)
    return None if upright is None else max(found, upright)


def _reach(sampler: Sampler, channels: int, multiple: int, upright: bool) -> int | None:
    """To the sides, or (`upright`) up and down."""
    gaps = any(_widest(module, "dilation") > 1 for module in sampler.network.modules())
    for width in WIDTHS[2:] if gaps else WIDTHS:  # in a short strip what lies beyond a gap is beyond the end
        length = max(-(-width // multiple), 3) * multiple
        made = _depend(sampler, channels, multiple, length, upright)
        if made is None:
            return None
        seen = made.nonzero().flatten()
        if not len(seen):
            return 0
        first, last = int(seen[0]), int(seen[-1])
        if first > 0 and last < len(made) - 1:
            begin = length // 2 // multiple * multiple
            scale = len(made) / length
            return max(begin - int(first // scale), int(last // scale) - (begin + multiple - 1), 0)
    return None


def _depend(sampler: Sampler, channels: int, multiple: int, length: int, upright: bool) -> Tensor | None:
    """Which columns of what is made of a strip depend on a column in its middle; None where no strip is taken."""
    begin = length // 2 // multiple * multiple
    for height in HEIGHTS:
        strip = torch.zeros(1, channels, height * multiple, length)
        strip[..., begin : begin + multiple] = torch.nan
        with _as_before(sampler.network), contextlib.suppress(RuntimeError, ValueError):
            made = next(iter(sampler.images(Request(1, input=strip.transpose(2, 3) if upright else strip))))
            return (made.transpose(2, 3) if upright else made).isnan().any(1).any(1)[0]
    return None


def _widest(module: nn.Module, name: str) -> int:
    size = getattr(module, name, 1)
    return max(size) if isinstance(size, tuple) else int(size)


def _is_oblong(module: nn.Module) -> bool:
    size = getattr(module, "kernel_size", 1)
    return isinstance(size, tuple) and len(set(size)) > 1


@contextlib.contextmanager
def _as_before(network: nn.Module) -> Iterator[None]:
    """Statistics of what is made of nan are not kept; and without kernels of cuDNN that compute several pixels from one
    sum (Winograd), where those beside the right ones would be nan as well."""
    before = {name: buffer.clone() for name, buffer in network.named_buffers()}
    try:
        with torch.backends.cudnn.flags(enabled=False):
            yield
    finally:
        for name, buffer in network.named_buffers():
            buffer.copy_(before[name])
