"""Modulated convolutions against kernels that are made sample by sample, as the paper has them."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor
from torch.nn.functional import conv2d
from torch.testing import assert_close

from gan_lab.layers.fir import BINOMIAL
from gan_lab.layers.modulated_convolution import ModulatedConv2d

N, C, OUT, D = 3, 5, 4, 6


def parts(up: bool = False, demodulate: bool = True, size: int = 3) -> tuple[ModulatedConv2d, Tensor, Tensor]:
    torch.manual_seed(0)
    layer = ModulatedConv2d(C, OUT, size, D, up, demodulate).double()
    return layer, torch.randn(N, C, 4, 6, dtype=torch.float64), torch.randn(N, D, dtype=torch.float64)


def kernels(layer: ModulatedConv2d, style: Tensor) -> Tensor:
    """(N, OUT, C, k, k): modulated, and demodulated by equation 3."""
    weight = layer.conv.weight
    assert isinstance(weight, Tensor)
    weight = weight.transpose(0, 1) if layer.up else weight
    own = layer.affine(style)[:, None, :, None, None] * weight
    if not layer.demodulate:
        return own / weight[0].numel() ** 0.5
    return own / (own.square().sum((2, 3, 4), keepdim=True) + 1e-8).sqrt()


def by_groups(layer: ModulatedConv2d, maps: Tensor, style: Tensor) -> Tensor:
    """One kernel a sample; up: by zeros between the values, the kernel, then the filter."""
    own = kernels(layer, style)
    size = own.shape[-1]
    if layer.up:
        spaced = maps.new_zeros(N, C, 2 * maps.shape[2] - 1, 2 * maps.shape[3] - 1)
        spaced[..., ::2, ::2] = maps
        maps, own = spaced, own.flip(3, 4)  # a true convolution
    padding = size - 1 if layer.up else size // 2
    made = conv2d(maps.reshape(1, N * C, *maps.shape[2:]), own.reshape(N * OUT, C, size, size), None, 1, padding, 1, N)
    made = made.view(N, OUT, *made.shape[2:])
    if not layer.up:
        return made
    line = torch.tensor(BINOMIAL, dtype=maps.dtype) / 4
    kernel = torch.outer(line, line).expand(OUT, 1, 4, 4)
    return conv2d(made, kernel, padding=(5 - size) // 2, groups=OUT)


@pytest.mark.parametrize("up", [False, True])
@pytest.mark.parametrize("demodulate", [True, False])
@pytest.mark.parametrize("size", [3, 1])
def test_it_is_a_convolution_by_a_kernel_of_each_sample(up: bool, demodulate: bool, size: int) -> None:
    layer, maps, style = parts(up, demodulate, size)
    shift = torch.randn(OUT, 1, 1, dtype=torch.float64)
    made = layer(maps, style, shift, gain=3.0)
    assert made.shape == (N, OUT, 8, 12) if up else (N, OUT, 4, 6)
    assert_close(made, 3 * by_groups(layer, maps, style) + shift)


def test_demodulated_kernels_have_length_one() -> None:
    """q / (q + 1e-8), whatever the size of the style; white maps keep their variance."""
    layer, _, style = parts()
    scales, factors = layer.factors(style)
    weight = layer.conv.weight
    assert isinstance(weight, Tensor)
    assert factors is not None
    squares = (scales[:, None, :, None, None] * weight).square().sum((2, 3, 4)) * factors.square()
    assert_close(squares, torch.ones_like(squares), rtol=1e-6, atol=0)
    wide = torch.randn(N, C, 256, 256, dtype=torch.float64)
    variance = layer(wide, style, torch.zeros((), dtype=torch.float64)).var((2, 3))
    assert_close(variance, torch.ones_like(variance), rtol=0.05, atol=0)


def test_three_times_the_style_is_the_same_convolution() -> None:
    layer, maps, style = parts()
    zero = torch.zeros((), dtype=torch.float64)
    first = layer(maps, style, zero)
    with torch.no_grad():
        layer.affine.weight.mul_(3)
        layer.affine.bias.mul_(3)  # type: ignore[union-attr]
    assert_close(layer(maps, style, zero), first)


def test_styles_start_at_one() -> None:
    layer, _, _ = parts()
    assert_close(layer.factors(torch.zeros(2, D, dtype=torch.float64))[0], torch.ones(2, C, dtype=torch.float64))


@pytest.mark.parametrize("up", [False, True])
def test_derivatives_of_both_orders(up: bool) -> None:
    layer, _, style = parts(up)
    maps = torch.randn(N, C, 2, 2, dtype=torch.float64, requires_grad=True)
    shift = torch.zeros(OUT, 1, 1, dtype=torch.float64)
    assert torch.autograd.gradgradcheck(lambda x, s: layer(x, s, shift), (maps, style.requires_grad_()))


def test_in_bf16_scales_and_norms_are_taken_in_full() -> None:
    layer, maps, style = parts()
    layer, maps, style = layer.float(), maps.float(), style.float()
    seen = layer.factors(style)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        again = layer.factors(style)
        made = layer(maps.bfloat16(), style, torch.zeros(OUT, 1, 1))
    assert seen[1] is not None
    assert again[1] is not None
    assert torch.equal(seen[0], again[0])
    assert torch.equal(seen[1], again[1])
    assert made.dtype == torch.bfloat16
    assert_close(made.float(), layer(maps, style, torch.zeros(OUT, 1, 1)), rtol=0.05, atol=0.05)
