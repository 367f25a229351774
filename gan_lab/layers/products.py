"""Convolutions on a CPU as one matrix product over the whole batch, where that is faster than torch's own kernels.

In bf16 those are slow for small maps, the gradient by the kernel most of all: a 4x4 map fills a matrix unit badly, a
batch of them does not. Here a patch of an image is a row of a matrix, so that a convolution is a product, and so are
both of its gradients. Measured on two AVX-512/AMX cores, DCGAN's layer from 256 to 512 channels and a 4x4 map, batch
128: forward 17 ms against 36, by the images 27 against 49, by the kernel 25 against 118. In fp32,
and for an image's few channels, torch's kernels are at least as fast.

Three bilinear maps are each other's derivatives, which makes all of them differentiable any number of times. With
images x (N, C, H, W), maps y (N, O, h, w) and a kernel k (O, C, a, b), all three as torch lays them out:

- `Convolve` (x, k) -> y, what `torch.nn.functional.conv2d` computes;
- `Spread` (y, k) -> x, its adjoint, what `conv_transpose2d` computes;
- `Correlate` (x, y) -> k, the gradient of either by its kernel.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from typing import Any, NamedTuple

import torch
from torch import Tensor
from torch.nn.functional import conv2d, conv_transpose2d, pad

SCRATCH = 16 * 2**20  # bytes of patches at a time
FEW = 4  # channels: an image's
# Where the product is faster: up to so many places of the map times how often a pixel is copied (kernel over stride).
CONVOLVE, SPREAD, CORRELATE = 256, 64, 600
_own = threading.local()


class Shape(NamedTuple):
    """Stride and padding, and the image's height and width, which the map's size does not tell."""

    stride: tuple[int, int]
    padding: tuple[int, int]
    image: tuple[int, int]


class Held(NamedTuple):
    """A tensor that a function computes with and does not pass a gradient to."""

    tensor: Tensor


class ByKernel(torch.autograd.Function):
    """Stands for what a map's result owes to its kernel: the gradient that comes back here is passed on to the kernel.

    A function is asked for the gradients of all its inputs as soon as one is wanted, and the gradient by the kernel is
    the dearest of all: a generator that moves through a discriminator's convolutions, or a penalty on the gradient by
    the images, wants it of none of them. A node of its own is left out by autograd then. Its result holds no numbers.
    """

    @staticmethod
    def forward(kernel: Tensor, other: Held, shape: Shape, spreads: bool) -> Tensor:
        height, width = shape.image if spreads else _map_size(kernel, shape)
        channels = kernel.shape[1] if spreads else len(kernel)
        return kernel.new_empty(()).expand(len(other.tensor), channels, height, width)

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Any, ...], output: Tensor) -> None:
        kernel, other, ctx.shape, ctx.spreads = inputs
        ctx.save_for_backward(kernel, other.tensor)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor | None, ...]:
        (kernel, other), (gradient,) = ctx.saved_tensors, gradients
        images, maps = (gradient, other) if ctx.spreads else (other, gradient)
        return correlate(images, maps, kernel, ctx.shape), None, None, None


class Linear(torch.autograd.Function):
    """In its first argument, with a kernel held; the second is the kernel's `ByKernel`, or None."""

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Any, ...], output: Tensor) -> None:
        ctx.save_for_backward(inputs[2].tensor)
        ctx.shape = inputs[-1]


class Convolve(Linear):
    """Images to maps."""

    @staticmethod
    def forward(images: Tensor, by_kernel: Tensor | None, held: Held, shape: Shape) -> Tensor:
        kernel = held.tensor
        if not _worth(images, kernel, shape, CONVOLVE):
            return conv2d(images, kernel, None, shape.stride, shape.padding)
        matrix = _rows(kernel).T  # (a b C, O)
        height, width = _map_size(kernel, shape)
        maps = images.new_empty(len(images), height, width, len(kernel))
        for part, patches in _patches(images, kernel.shape[2:], shape.stride, shape.padding):
            torch.mm(patches, matrix, out=maps[part].view(len(patches), -1))
        return maps.permute(0, 3, 1, 2)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor | None, ...]:
        (kernel,), (gradient,) = ctx.saved_tensors, gradients
        by_images = spread(gradient, kernel, ctx.shape) if ctx.needs_input_grad[0] else None
        return by_images, gradient if ctx.needs_input_grad[1] else None, None, None


class Spread(Linear):
    """Maps to images."""

    @staticmethod
    def forward(maps: Tensor, by_kernel: Tensor | None, held: Held, shape: Shape) -> Tensor:
        if not _worth(maps, held.tensor, shape, SPREAD):
            return _native_spread(maps, held.tensor, shape)
        return _spread_blocks(maps, held.tensor, shape)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor | None, ...]:
        (kernel,), (gradient,) = ctx.saved_tensors, gradients
        by_maps = convolve(gradient, kernel, ctx.shape) if ctx.needs_input_grad[0] else None
        return by_maps, gradient if ctx.needs_input_grad[1] else None, None, None


class Correlate(torch.autograd.Function):
    """Images and maps to a kernel shaped like `kernel`."""

    @staticmethod
    def forward(images: Tensor, maps: Tensor, kernel: Tensor, shape: Shape) -> Tensor:
        size = kernel.shape[2:]
        if not _worth(images, kernel, shape, CORRELATE):
            arguments = (list(shape.stride), list(shape.padding), [1, 1], False, [0, 0], 1, [False, True, False])
            gradient: Tensor = torch.ops.aten.convolution_backward(maps, images, kernel, None, *arguments)[1]
            return gradient
        rows = maps.permute(0, 2, 3, 1)  # (N, h, w, O)
        total: Tensor | None = None
        exact = torch.promote_types(images.dtype, torch.float32)
        for part, patches in _patches(images, size, shape.stride, shape.padding):
            product = rows[part].reshape(len(patches), -1).T @ patches
            total = product if total is None else total.to(exact) + product
        assert total is not None
        return _kernel(total.to(images.dtype), size)

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Any, ...], output: Tensor) -> None:
        ctx.save_for_backward(*inputs[:2])
        ctx.shape = inputs[-1]

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor | None, ...]:
        (images, maps), (gradient,) = ctx.saved_tensors, gradients
        by_images = spread(maps, gradient, ctx.shape) if ctx.needs_input_grad[0] else None
        by_maps = convolve(images, gradient, ctx.shape) if ctx.needs_input_grad[1] else None
        return by_images, by_maps, None, None


def convolve(images: Tensor, kernel: Tensor, shape: Shape) -> Tensor:
    maps: Tensor = Convolve.apply(images, _by_kernel(kernel, images, shape, False), Held(kernel), shape)
    return maps


def spread(maps: Tensor, kernel: Tensor, shape: Shape) -> Tensor:
    images: Tensor = Spread.apply(maps, _by_kernel(kernel, maps, shape, True), Held(kernel), shape)
    return images


def _by_kernel(kernel: Tensor, other: Tensor, shape: Shape, spreads: bool) -> Tensor | None:
    if not (kernel.requires_grad and torch.is_grad_enabled()):
        return None
    token: Tensor = ByKernel.apply(kernel, Held(other), shape, spreads)
    return token


def correlate(images: Tensor, maps: Tensor, kernel: Tensor, shape: Shape) -> Tensor:
    gradient: Tensor = Correlate.apply(images, maps, kernel.detach(), shape)
    return gradient


def worth(tensor: Tensor, kernel: Tensor, shape: Shape) -> bool:
    """Whether any of the three maps is faster as a product."""
    return _worth(tensor, kernel, shape, CORRELATE)


def _worth(tensor: Tensor, kernel: Tensor, shape: Shape, limit: int) -> bool:
    """Whether a product is faster than torch's kernel: in bf16, for small maps of more than an image's channels."""
    if tensor.dtype != torch.bfloat16 or kernel.shape[1] <= FEW:
        return False
    height, width = _map_size(kernel, shape)
    return height * width * kernel.shape[2] * kernel.shape[3] <= limit * shape.stride[0] * shape.stride[1]


def _patches(
    images: Tensor, size: torch.Size, stride: tuple[int, int], padding: tuple[int, int]
) -> Iterator[tuple[slice, Tensor]]:
    """The patches under a kernel of `size`, some images at a time: `(n h w, a b C)`, in scratch that is used again."""
    kernel_height, kernel_width = size
    padded = pad(images.permute(0, 2, 3, 1), (0, 0, padding[1], padding[1], padding[0], padding[0])).contiguous()
    count, height, width, channels = padded.shape
    rows, columns = (height - kernel_height) // stride[0] + 1, (width - kernel_width) // stride[1] + 1
    per_image = rows * columns * kernel_height * kernel_width * channels
    share = max(min(SCRATCH // (per_image * padded.element_size()), count), 1)
    scratch = _scratch(share * per_image, images)
    along = padded.stride()
    for start in range(0, count, share):
        part = padded[start : start + share]
        seen = part.as_strided(
            (len(part), rows, columns, kernel_height, kernel_width * channels),
            (along[0], stride[0] * along[1], stride[1] * along[2], along[1], 1),
            part.storage_offset(),
        )
        patches = scratch[: len(part) * per_image].view(seen.shape).copy_(seen)
        yield slice(start, start + share), patches.view(-1, kernel_height * kernel_width * channels)


def _scratch(size: int, like: Tensor) -> Tensor:
    """Memory that is used again and again: fresh pages cost more than what is written to them."""
    kept: Tensor | None = getattr(_own, str(like.dtype), None)
    if kept is None or len(kept) < size:
        kept = like.new_empty(size)
        setattr(_own, str(like.dtype), kept)
    return kept


def _spread_blocks(maps: Tensor, kernel: Tensor, shape: Shape) -> Tensor:
    """Products of patches of the map, one for all places of a stride: an image's blocks of `stride` pixels.

    A pixel u = s b + r of the padded image is reached from the places b - t of the map through the kernel's rows
    s t + r, t = 0 ... T - 1: T x T places of the map are a row, and s x s pixels of the image come out of it.
    """
    channels, (down, right) = kernel.shape[1], shape.stride
    split, taps = _taps(kernel, shape.stride)
    matrix = split.permute(2, 4, 0, 3, 5, 1).reshape(taps[0] * taps[1] * len(kernel), down * right * channels)
    blocks = (maps.shape[2] + taps[0] - 1, maps.shape[3] + taps[1] - 1)
    padded = maps.new_empty(len(maps), blocks[0], down, blocks[1], right, channels)
    size = torch.Size(taps)
    for part, patches in _patches(maps, size, (1, 1), (taps[0] - 1, taps[1] - 1)):
        product = (patches @ matrix).view(-1, *blocks, down, right, channels)
        padded[part] = product.permute(0, 1, 3, 2, 4, 5)
    return _cropped(padded.view(len(maps), blocks[0] * down, blocks[1] * right, channels), shape)


def _taps(kernel: Tensor, stride: tuple[int, int]) -> tuple[Tensor, tuple[int, int]]:
    """The kernel (O, C, a, b), reversed, by the places of the map and those within a stride: (O, C, T, s, T, s)."""
    high, wide = kernel.shape[2:]
    taps = -(-high // stride[0]), -(-wide // stride[1])
    grown = pad(kernel, (0, taps[1] * stride[1] - wide, 0, taps[0] * stride[0] - high))
    return grown.view(*kernel.shape[:2], taps[0], stride[0], taps[1], stride[1]).flip(2, 4), taps


def _cropped(padded: Tensor, shape: Shape) -> Tensor:
    """The image (N, C, H, W) in its padded form (N, ..., ..., C), which may end before pixels that nothing reaches."""
    (top, left), (height, width) = shape.padding, shape.image
    missing = (max(top + height - padded.shape[1], 0), max(left + width - padded.shape[2], 0))
    if any(missing):
        padded = pad(padded, (0, 0, 0, missing[1], 0, missing[0]))
    return padded[:, top : top + height, left : left + width].contiguous().permute(0, 3, 1, 2)


def _native_spread(maps: Tensor, kernel: Tensor, shape: Shape) -> Tensor:
    rest = [
        size - ((at - 1) * step - 2 * border + reach)
        for size, at, step, border, reach in zip(
            shape.image, maps.shape[2:], shape.stride, shape.padding, kernel.shape[2:], strict=True
        )
    ]
    return conv_transpose2d(maps, kernel, None, shape.stride, shape.padding, rest)


def _map_size(kernel: Tensor, shape: Shape) -> tuple[int, int]:
    height, width = (
        (size + 2 * border - reach) // step + 1
        for size, border, reach, step in zip(shape.image, shape.padding, kernel.shape[2:], shape.stride, strict=True)
    )
    return height, width


def _rows(kernel: Tensor) -> Tensor:
    """(O, a b C): a view of a kernel in channels_last."""
    return kernel.permute(0, 2, 3, 1).reshape(len(kernel), -1)


def _kernel(rows: Tensor, size: torch.Size) -> Tensor:
    """(O, C, a, b) of rows (O, a b C), in channels_last."""
    return rows.view(len(rows), *size, -1).permute(0, 3, 1, 2)
