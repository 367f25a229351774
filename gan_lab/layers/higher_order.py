"""Layers whose fused kernels cannot be differentiated three times, composed of operations that can."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.overrides import TorchFunctionMode

from gan_lab.distributed.world import world


class HigherOrder(TorchFunctionMode):
    """While it is entered, batch and instance normalisation and attention are computed by differentiable parts.

    A penalty on a gradient inside a step that is itself differentiated takes a third derivative, which torch's kernels
    for these layers do not have. The results are the same to rounding; everything else is called as it is.
    """

    def __torch_function__(
        self, func: Callable[..., Any], types: Sequence[type], args: Sequence[Any] = (), kwargs: Any = None
    ) -> Any:
        play = DIFFERENTIABLE.get(func, func)
        return play(*args, **(kwargs or {}))


def batch_norm(
    input: Tensor,
    running_mean: Tensor | None,
    running_var: Tensor | None,
    weight: Tensor | None = None,
    bias: Tensor | None = None,
    training: bool = False,
    momentum: float = 0.1,
    eps: float = 1e-5,
) -> Tensor:
    """`torch.nn.functional.batch_norm`: (N, C, ...) by the statistics of each channel over the batch and all places.

    The batch is that of all processes that play the round.
    """
    if not training:
        return functional.batch_norm(input, running_mean, running_var, weight, bias, training, momentum, eps)
    over = [0, *range(2, input.dim())]
    images = input.to(torch.promote_types(input.dtype, torch.float32))
    mean, variance = world().moments(images, over)
    if running_mean is not None and running_var is not None:
        count = images.numel() // images.shape[1] * world().size
        with torch.no_grad():  # `.data`: as torch's kernel, unnoticed by backward passes that hold them
            running_mean.data.lerp_(mean.detach().flatten().to(running_mean.dtype), momentum)
            unbiased = variance.detach().flatten() * (count / max(count - 1, 1))
            running_var.data.lerp_(unbiased.to(running_var.dtype), momentum)
    return _affine((images - mean) * (variance + eps).rsqrt(), weight, bias).to(input.dtype)


def instance_norm(
    input: Tensor,
    running_mean: Tensor | None = None,
    running_var: Tensor | None = None,
    weight: Tensor | None = None,
    bias: Tensor | None = None,
    use_input_stats: bool = True,
    momentum: float = 0.1,
    eps: float = 1e-5,
) -> Tensor:
    """`torch.nn.functional.instance_norm`: (N, C, ...) by each image's own statistics of each channel."""
    if running_mean is not None or running_var is not None or not use_input_stats:
        return functional.instance_norm(input, running_mean, running_var, weight, bias, use_input_stats, momentum, eps)
    images = input.to(torch.promote_types(input.dtype, torch.float32))
    variance, mean = torch.var_mean(images, list(range(2, input.dim())), correction=0, keepdim=True)
    return _affine((images - mean) * (variance + eps).rsqrt(), weight, bias).to(input.dtype)


def twice_differentiable() -> AbstractContextManager[Any]:
    """For passes whose gradient is differentiated: attention by its formula, whose fused kernels do not allow it."""
    return sdpa_kernel(SDPBackend.MATH)


def attention(*args: Any, **kwargs: Any) -> Tensor:
    """`torch.nn.functional.scaled_dot_product_attention` by its formula."""
    with twice_differentiable():
        return functional.scaled_dot_product_attention(*args, **kwargs)


def _of_one_image(image: Tensor, weight: Tensor | None, bias: Tensor | None, *rest: Any) -> Tensor:
    """`torch.batch_norm`, of which `gan_lab.layers.instance_norm` asks by itself, of one image at a time."""
    eps = rest[4]
    return instance_norm(image, weight=weight, bias=bias, eps=eps)


def _affine(normal: Tensor, weight: Tensor | None, bias: Tensor | None) -> Tensor:
    """Scale and shift channel by channel."""
    channels = (1, -1, *[1] * (normal.dim() - 2))
    if weight is not None:
        normal = normal * weight.view(channels)
    return normal if bias is None else normal + bias.view(channels)


DIFFERENTIABLE: dict[Callable[..., Any], Callable[..., Any]] = {
    functional.batch_norm: batch_norm,
    functional.instance_norm: instance_norm,
    torch.batch_norm: _of_one_image,
    functional.scaled_dot_product_attention: attention,
}
