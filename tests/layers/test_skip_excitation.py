"""Skip-layer excitation: a gate between 0 and 1 for each channel, of another map."""

from __future__ import annotations

import torch
from torch.testing import assert_close

from gan_lab.layers.skip_excitation import SkipExcitation


def test_each_channel_is_scaled_by_what_the_other_map_gives() -> None:
    torch.manual_seed(0)
    layer = SkipExcitation(3, 5).double()
    source, maps = torch.randn(2, 3, 8, 12).double(), torch.randn(2, 5, 16, 16).double()
    pooled = source.unflatten(3, (4, 3)).unflatten(2, (4, 2)).mean((3, 5))
    hidden = torch.einsum("ncij,ocij->no", pooled, layer.gate[1].weight)
    gate = (torch.nn.functional.silu(hidden) @ layer.gate[3].weight[:, :, 0, 0].T).sigmoid()
    assert_close(layer(source, maps), maps * gate[:, :, None, None])
    assert ((gate > 0) & (gate < 1)).all()


def test_without_weights_half_of_everything_is_left() -> None:
    layer, maps = SkipExcitation(2, 3), torch.randn(2, 3, 4, 4)
    with torch.no_grad():
        layer.gate[3].weight.zero_()
    assert_close(layer(torch.randn(2, 2, 4, 4), maps), maps / 2)


def test_the_gradient_reaches_both() -> None:
    source, maps = torch.randn(1, 2, 4, 4, requires_grad=True), torch.randn(1, 3, 8, 8, requires_grad=True)
    SkipExcitation(2, 3)(source, maps).square().sum().backward()
    assert source.grad is not None
    assert maps.grad is not None
    assert source.grad.count_nonzero() == source.numel()
