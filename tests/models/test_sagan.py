"""The authors' networks at 128 pixels, and where attention goes at the other sizes."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn

from gan_lab.layers.attention import Attention
from gan_lab.layers.spectral_norm import SpectralNorm
from gan_lab.models.sagan import Discriminator, Generator


def maps_that_attend(network: nn.Module, *inputs: Tensor) -> list[tuple[int, ...]]:
    seen: list[tuple[int, ...]] = []
    for module in network.modules():
        if isinstance(module, Attention):
            module.register_forward_hook(lambda module, args, output: seen.append(tuple(output.shape[1:])))
    network(*inputs)
    return seen


def test_the_authors_channels_at_128_pixels() -> None:
    """1024-1024-512-256-128-64 and back with full hidden width, attention on 256 and 128 channels at 32x32.

    The counts by hand: the SNGAN networks of arXiv:1802.05957 (hidden width = wide) and the two attention blocks.
    """

    def conv(size: int, channels: int, out: int) -> int:
        return size * size * channels * out + out

    def attention(channels: int) -> int:
        return 2 * channels * channels // 8 + 2 * channels * channels // 2 + 1

    pairs = [(1024, 1024), (1024, 512), (512, 256), (256, 128), (128, 64)]
    generator = 129 * 16 * 1024 + 2 * 64 + conv(3, 64, 3) + attention(256)
    for wide, narrow in pairs:
        generator += conv(3, wide, narrow) + conv(3, narrow, narrow) + conv(1, wide, narrow) + 2000 * (wide + narrow)
    discriminator = attention(128) + 2 * conv(3, 1024, 1024) + 1025 + 1000 * 1024
    for narrow, wide in [(3, 64), (64, 128), (128, 256), (256, 512), (512, 1024)]:
        discriminator += conv(3, narrow, wide) + conv(3, wide, wide) + conv(1, narrow, wide)
    with torch.device("meta"):
        g, d = Generator((3, 128, 128), 128, num_classes=1000), Discriminator((3, 128, 128), num_classes=1000)
    assert sum(p.numel() for p in g.parameters()) == generator == 42_078_852
    assert sum(p.numel() for p in d.parameters()) == discriminator == 39_463_618


def test_no_map_is_wider_than_at_128_pixels() -> None:
    """Ours, for more pixels than the authors have: the inner maps of 256 pixels are 16 times `width` too."""
    with torch.device("meta"):
        at = {side: Generator((3, side, side), 4, 2) for side in (128, 256, 512)}
        judges = {side: Discriminator((3, side, side), 2) for side in (128, 256, 512)}
    for networks in (at, judges):
        most = {side: max(max(p.shape[:2]) for p in net.parameters() if p.dim() == 4) for side, net in networks.items()}
        assert most == dict.fromkeys((128, 256, 512), 32)


@pytest.mark.parametrize(
    ("shape", "in_generator", "in_discriminator"),
    [
        ((3, 128, 128), (8, 32, 32), (4, 32, 32)),
        ((3, 64, 64), (4, 32, 32), (2, 32, 32)),
        ((3, 32, 32), (2, 32, 32), (2, 16, 16)),
        ((1, 28, 28), (2, 28, 28), (2, 14, 14)),
        ((1, 16, 16), (2, 16, 16), (2, 8, 8)),
        ((1, 8, 8), (2, 8, 8), (2, 4, 4)),
        ((3, 96, 80), (8, 24, 20), (4, 24, 20)),
    ],
)
def test_where_attention_is(
    shape: tuple[int, int, int], in_generator: tuple[int, ...], in_discriminator: tuple[int, ...]
) -> None:
    assert maps_that_attend(Generator(shape, 4, width=2), torch.randn(2, 4)) == [in_generator]
    assert maps_that_attend(Discriminator(shape, width=2), torch.randn(1, *shape)) == [in_discriminator]


def test_both_players_are_normalised_but_for_the_tables() -> None:
    for network in (Generator((1, 16, 16), 4, 8, num_classes=3), Discriminator((1, 16, 16), 8, num_classes=3)):
        for module in network.modules():
            if isinstance(module, (nn.Conv2d, nn.Linear, nn.Embedding)):
                assert isinstance(module.parametrizations.weight[0], SpectralNorm)
    names = [name for name, _ in Generator((1, 16, 16), 4, 8, num_classes=3).named_parameters() if "norm1" in name]
    assert names == [f"blocks.{i}.norm1.{part}" for i in range(2) for part in ("scale", "shift")]
