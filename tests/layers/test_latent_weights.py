"""What generators say of their first features, beside the features themselves."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn
from torch.testing import assert_close

from gan_lab.algorithms.pyramid import CoarseToFine
from gan_lab.layers.latent_weights import of_layer, placed
from gan_lab.models import (
    biggan,
    cdcgan,
    cgan,
    conv_gan,
    dcgan,
    fastgan,
    lapgan,
    lsgan,
    mlp,
    points,
    progressive,
    r3gan,
    resnet,
    sagan,
    sngan,
    sngan_dcgan,
    stylegan,
    stylegan2,
    stylegan3,
)

SHAPE, DIM = (1, 16, 16), 7
# A network, the part whose output are its first features, and how many classes it knows.
CASES: dict[str, tuple[Callable[[], nn.Module], str, int]] = {
    "mlp": (lambda: mlp.Generator(SHAPE, DIM, 4), "layers.1", 0),
    "mlp, no norm": (lambda: mlp.Generator(SHAPE, DIM, 4, batch_norm=False), "layers.0", 0),
    "dcgan": (lambda: dcgan.Generator(SHAPE, DIM, 4), "layers.1", 0),
    "lsgan": (lambda: lsgan.Generator(SHAPE, DIM, 4), "layers.1", 0),
    "conv_gan": (lambda: conv_gan.Generator(SHAPE, DIM, 4), "layers.0", 0),
    "sngan_dcgan": (lambda: sngan_dcgan.Generator(SHAPE, DIM, 4), "layers.0", 0),
    "sngan_dcgan, norm": (lambda: sngan_dcgan.Generator(SHAPE, DIM, 4, first_norm=True), "layers.1", 0),
    "points": (lambda: points.Generator((2, 1, 1), DIM, 1.0, 8), "layers.0", 0),
    "cdcgan": (lambda: cdcgan.Generator(SHAPE, DIM, 4, 3), "network.layers.1", 3),
    "cgan": (lambda: cgan.Generator(SHAPE, DIM, 4, 3, embedding_dim=2), "network.layers.1", 3),
    "resnet": (lambda: resnet.Generator(SHAPE, DIM, 4), "project", 0),
    "sngan": (lambda: sngan.Generator(SHAPE, DIM, 4, 3), "project", 3),
    "sagan": (lambda: sagan.Generator(SHAPE, DIM, 8), "project", 0),
    "biggan, one chunk": (lambda: biggan.Generator(SHAPE, DIM, 4, 3, hierarchical=False), "project", 3),
    "r3gan": (lambda: r3gan.Generator(SHAPE, DIM, 16), "basis", 0),
    "r3gan, classes": (lambda: r3gan.Generator(SHAPE, DIM, 16, 3), "basis", 3),
    "fastgan": (lambda: fastgan.Generator(SHAPE, DIM, 8), "first.1", 0),
}


def drawn_statistics(network: nn.Module) -> nn.Module:
    """In evaluation, with BatchNorms that are not the identity, in float64."""
    torch.manual_seed(0)
    for module in network.modules():
        if isinstance(module, (nn.BatchNorm1d, nn.BatchNorm2d)):
            assert module.running_var is not None
            module.running_var.uniform_(0.5, 2.0)
            if module.affine:
                nn.init.uniform_(module.weight, 0.5, 2.0)
    return network.eval().double()


def outputs(network: nn.Module, part: str, call: Callable[[], object]) -> Tensor:
    """What came out of a part, places by channels, the channels last."""
    seen: list[Tensor] = []
    hook = network.get_submodule(part).register_forward_hook(lambda *given: seen.append(given[2].clone()))
    call()
    hook.remove()
    maps = seen[0]
    return maps.permute(0, 2, 3, 1).flatten(1) if maps.dim() == 4 else maps


@pytest.mark.parametrize("case", CASES)
@torch.no_grad()
def test_a_step_moves_the_first_features_as_the_weights_say(case: str) -> None:
    torch.manual_seed(0)
    make, part, classes = CASES[case]
    network = drawn_statistics(make())
    label = torch.ones(2, dtype=torch.int64) if classes else None
    codes, step = torch.randn(2, DIM).double(), torch.randn(DIM).double()
    before = outputs(network, part, lambda: network(codes, label))
    after = outputs(network, part, lambda: network(codes + step, label))
    (weights,) = network.latent_weights()  # type: ignore[operator]
    assert_close(after - before, (weights @ step).expand(2, -1))


@torch.no_grad()
def test_progressive_of_a_normalised_latent() -> None:
    torch.manual_seed(0)
    network = progressive.Generator(SHAPE, DIM, 4, 8, num_classes=3)
    (weights,) = network.latent_weights()
    vectors, step = torch.randn(2, DIM + 3), torch.randn(DIM)
    moved = network.dense(vectors + torch.cat([step, torch.zeros(3)])) - network.dense(vectors)
    assert_close(moved, (weights @ step).expand(2, -1))


@torch.no_grad()
def test_biggan_has_rows_for_every_chunk() -> None:
    """A step in one chunk is what the scales and shifts of its block hear, and no other."""
    torch.manual_seed(0)
    network = biggan.Generator(SHAPE, DIM, 4, num_classes=3).eval()
    weights = network.latent_weights()
    assert len(weights) == len(network.chunks) == 3
    start = 0
    for at, (each, size) in enumerate(zip(weights, network.chunks, strict=True)):
        inside = each[:, start : start + size]
        assert inside.abs().sum() > 0
        assert_close(each.square().sum(), inside.square().sum())
        start += size
        if at:
            vectors = network.blocks[at - 1].norm1.scale.weight[:, -size:]
            assert_close(inside[: len(vectors)], vectors)


@torch.no_grad()
def test_the_coarsest_level_of_a_pyramid() -> None:
    coarse, fine = lapgan.CoarseGenerator(SHAPE, DIM, 1, 8), lapgan.Generator(SHAPE, 0, 4)
    whole = CoarseToFine([coarse, fine])
    first, second = whole.latent_weights()
    assert first.shape == (8, DIM + 256)
    assert second.shape == (0, DIM + 256)
    assert_close(first[:, :DIM], coarse.layers[0].weight)


@pytest.mark.parametrize(
    "network",
    [
        lambda: stylegan.Generator(SHAPE, DIM, 4, 8, style_dim=5, depth=1),
        lambda: stylegan2.Generator(SHAPE, DIM, 4, 8, style_dim=5, depth=1),
        lambda: stylegan2.Generator(SHAPE, DIM, 4, 8, style_dim=5, depth=1, architecture="orig"),
        lambda: stylegan3.Generator(SHAPE, DIM, 4, 8, style_dim=5, depth=1),
    ],
)
@torch.no_grad()
def test_each_style_is_read_as_its_weights_say(network: Callable[[], nn.Module]) -> None:
    """A step of one layer's style moves what its linear layers give, and no others."""
    torch.manual_seed(0)
    generator: nn.Module = network().eval()
    for name, module in generator.named_modules():
        if name.endswith("affine"):
            nn.init.normal_(module.weight)
    weights = generator.latent_weights()  # type: ignore[operator]
    assert len(weights) == generator.num_ws
    styles, step = torch.randn(1, len(weights), 5), torch.randn(5)
    before = read(generator, styles)
    for at, each in enumerate(weights):
        changed = styles.clone()
        changed[:, at] += step
        moves = [after - old for after, old in zip(read(generator, changed), before, strict=True)]
        assert_close(torch.cat([move[0] for move in moves if move.abs().sum() > 0]), each @ step)


def read(generator: nn.Module, styles: Tensor) -> list[Tensor]:
    """What every linear layer of a style gives, in their order."""
    seen: list[Tensor] = []
    parts = [module for name, module in generator.named_modules() if name.endswith("affine")]
    hooks = [part.register_forward_hook(lambda *given: seen.append(given[2])) for part in parts]
    generator.synthesise(styles)  # type: ignore[operator]
    for hook in hooks:
        hook.remove()
    return seen


def test_a_convolution_of_one_pixel() -> None:
    layer = nn.ConvTranspose2d(3, 2, (2, 2), bias=False)
    maps = layer(torch.eye(3)[:, :, None, None])
    assert_close(of_layer(layer), maps.permute(0, 2, 3, 1).flatten(1).T)


def test_columns_in_their_place() -> None:
    assert placed(torch.ones(1, 2), 1, 4).tolist() == [[0.0, 1.0, 1.0, 0.0]]
