"""Instance normalisation in the layout of convolutions, against torch's."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.testing import assert_close

from gan_lab.distributed.world import World
from gan_lab.engine.whole_batch import whole_batch
from gan_lab.layers.higher_order import HigherOrder
from gan_lab.layers.instance_norm import InstanceNorm2d, instance_norm


def maps(count: int, dtype: torch.dtype = torch.float64) -> Tensor:
    torch.manual_seed(0)
    drawn = 2 * torch.randn(count, 3, 4, 5, dtype=torch.float64) + torch.arange(count).view(-1, 1, 1, 1)
    return drawn.to(dtype, memory_format=torch.channels_last)


@pytest.mark.parametrize("count", [1, 3])
@pytest.mark.parametrize("affine", [False, True])
def test_numbers_and_gradients(count: int, affine: bool) -> None:
    ours, torchs = InstanceNorm2d(3, affine=affine).double(), nn.InstanceNorm2d(3, affine=affine).double()
    weights = list(torchs.parameters())
    for parameter in (*ours.parameters(), *weights):
        nn.init.constant_(parameter, 0.7)
    found = []
    for layer in (ours, torchs):
        images = maps(count).requires_grad_()
        out = layer(images)
        found.append((out, *torch.autograd.grad(out.pow(3).sum(), [images, *layer.parameters()], create_graph=True)))
    assert_close(found[0], found[1], rtol=1e-10, atol=1e-10)
    assert found[0][0].is_contiguous(memory_format=torch.channels_last)


def test_a_penalty_on_the_gradient() -> None:
    """Twice differentiable as it is, and three times where a round asks for it."""
    assert torch.autograd.gradgradcheck(instance_norm, (maps(2).requires_grad_(),))

    def third(images: Tensor) -> Tensor:
        with HigherOrder():
            out = instance_norm(images)
            (gradient,) = torch.autograd.grad(out.pow(3).sum(), images, create_graph=True)
            (penalty,) = torch.autograd.grad(gradient.square().sum(), images, create_graph=True)
        return penalty

    assert torch.autograd.gradcheck(third, (maps(1).requires_grad_(),), atol=1e-3)


def test_no_other_process_has_a_share_in_an_image() -> None:
    class Alone(World):
        def moments(self, images: Tensor, over: list[int]) -> tuple[Tensor, Tensor]:
            raise AssertionError("statistics over all processes")

    with whole_batch(Alone(), 2, 1):
        assert_close(instance_norm(maps(2)), functional.instance_norm(maps(2)))


def test_half_precision() -> None:
    with torch.autocast("cpu", dtype=torch.bfloat16):
        out = instance_norm(maps(2, torch.bfloat16))
    assert out.dtype == torch.bfloat16
    assert_close(out.float(), functional.instance_norm(maps(2).float()), rtol=2e-2, atol=2e-2)


def test_one_place_has_no_variance() -> None:
    with pytest.raises(ValueError, match="more than 1 spatial element"):
        instance_norm(torch.ones(2, 3, 1, 1))
