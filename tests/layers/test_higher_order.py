"""HigherOrder layers against torch's own, and their third derivatives."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.nn.functional import scaled_dot_product_attention
from torch.testing import assert_close

from gan_lab.layers.higher_order import HigherOrder

LAYERS: dict[str, tuple[Any, tuple[int, ...]]] = {
    "batch 1d": (lambda: nn.BatchNorm1d(3), (4, 3)),
    "batch 2d": (lambda: nn.BatchNorm2d(3), (2, 3, 4, 4)),
    "batch plain": (lambda: nn.BatchNorm2d(3, affine=False, momentum=None), (2, 3, 4, 4)),
    "batch evaluated": (lambda: nn.BatchNorm2d(3).eval(), (2, 3, 4, 4)),
    "instance": (lambda: nn.InstanceNorm2d(3, affine=True), (2, 3, 4, 4)),
    "instance tracked": (lambda: nn.InstanceNorm2d(3, track_running_stats=True), (2, 3, 4, 4)),
    "attention": (lambda: Attention(), (2, 3, 4)),
}


class Attention(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        return scaled_dot_product_attention(x, x, x)


EXACT = [(name, torch.float64) for name in LAYERS]
AUTOCAST = [(name, torch.bfloat16) for name in LAYERS if name != "attention"]  # kernel and formula round differently


@pytest.mark.parametrize(("name", "dtype"), EXACT + AUTOCAST)
def test_the_same_numbers(name: str, dtype: torch.dtype) -> None:
    """Output, gradient and running statistics after two passes."""
    build, shape = LAYERS[name]
    results = []
    for composed in (False, True):
        torch.manual_seed(0)
        layer = build().to(torch.float32 if dtype is torch.bfloat16 else dtype)
        total: Any = 0
        for _ in range(2):
            images = (2 * torch.randn(*shape, dtype=torch.float64) + 1).to(dtype).requires_grad_()
            if composed:
                with HigherOrder():
                    out = layer(images)
            else:
                out = layer(images)
            total = total + out.square().sum()
        results.append((out.detach(), *torch.autograd.grad(total, images), layer.state_dict()))
    tolerance = {"rtol": 5e-2, "atol": 5e-2} if dtype is torch.bfloat16 else {"rtol": 1e-9, "atol": 1e-9}
    assert_close(results[1], results[0], **tolerance)


@pytest.mark.parametrize("name", ["batch 2d", "instance", "attention"])
def test_third_derivatives(name: str) -> None:
    """A penalty's gradient, differentiated once more: against finite differences."""
    torch.manual_seed(0)
    build, shape = LAYERS[name]
    layer = build().double()

    def penalty_gradient(images: Tensor) -> Tensor:
        with HigherOrder():
            total = layer(images).pow(3).sum()
        (gradient,) = torch.autograd.grad(total, images, create_graph=True)
        (second,) = torch.autograd.grad(gradient.square().sum(), images, create_graph=True)
        return second

    images = torch.randn(*shape, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(penalty_gradient, images, fast_mode=True)
