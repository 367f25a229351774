"""The published parameter counts, the latent's way into the blocks, and the recipes."""

from __future__ import annotations

import pytest
import torch
from torch import nn
from torch.testing import assert_close

from gan_lab.layers.spectral_norm import SpectralNorm
from gan_lab.models.biggan import Discriminator, Generator, chunks
from tests.compose import composed


def parameters(network: nn.Module) -> int:
    return sum(parameter.numel() for parameter in network.parameters())


def test_published_counts_at_128_pixels() -> None:
    """Width 96, 1000 classes, z of 120: 70,433,988 and 87,982,370, as in the test "whether resnet_biggan matches the
    original BigGAN architecture" of google/compare_gan. Their sum is the 158.3 M of arXiv:1809.11096, table 1, to
    0.1 M."""
    with torch.device("meta"):
        generator = Generator((3, 128, 128), 120, width=96, num_classes=1000)
        discriminator = Discriminator((3, 128, 128), width=96, num_classes=1000)
    assert parameters(generator) == 70_433_988
    assert parameters(discriminator) == 87_982_370
    assert round(parameters(generator) + parameters(discriminator), -5) == 158_400_000


def test_published_counts_on_cifar_10() -> None:
    """The CIFAR-10 networks of ajbrock/BigGAN-PyTorch, "about 4.3M parameters" in its issue 78; by hand."""

    def conv(size: int, channels: int, out: int) -> int:
        return size * size * channels * out + out

    c = 4 * 64
    up = 2 * conv(3, c, c) + conv(1, c, c) + 2 * 2 * 10 * c
    by_hand = 129 * 16 * c + 3 * up + 2 * c + conv(3, c, 3)
    generator = Generator((3, 32, 32), 128, 64, 10, shared_dim=0, hierarchical=False, attention=0, weights="normal")
    assert parameters(generator) == by_hand == 4_304_387
    first = conv(3, 3, c) + conv(3, c, c) + conv(1, 3, c)
    by_hand = first + (2 * conv(3, c, c) + conv(1, c, c)) + 2 * 2 * conv(3, c, c) + c + 1 + 10 * c
    assert parameters(Discriminator((3, 32, 32), 64, 10, attention=0, weights="normal")) == by_hand == 4_207_361


@pytest.mark.parametrize(
    ("size", "first", "blocks", "plain_at"),
    [
        (64, 16, [16, 8, 4, 2], [1, 2, 4, 8, 16]),
        (128, 16, [16, 8, 4, 2, 1], [1, 2, 4, 8, 16, 16]),
        (256, 16, [16, 8, 8, 4, 2, 1], [1, 2, 4, 8, 8, 16, 16]),
        (512, 16, [16, 8, 8, 4, 2, 1, 1], [1, 1, 2, 4, 8, 8, 16, 16]),
        (32, 4, [4, 4, 4], [4, 4, 4, 4]),
    ],
)
def test_channels_of_the_authors(size: int, first: int, blocks: list[int], plain_at: list[int]) -> None:
    with torch.device("meta"):
        generator, discriminator = Generator((3, size, size), 120, 10), Discriminator((3, size, size), 10)
    assert generator.project.map_shape == (4, 4, 10 * first)
    assert [block.conv1.out_channels for block in generator.blocks] == [10 * times for times in blocks]
    downs = [block for block in discriminator.blocks if hasattr(block, "down")]
    assert [block.conv2.out_channels for block in downs] == [10 * times for times in plain_at]
    assert [block.down for block in downs] == [True] * (2 if size == 32 else len(downs) - 1) + [False] * (
        2 if size == 32 else 1
    )


@pytest.mark.parametrize(("size", "attends"), [(32, None), (64, 32), (128, 64), (256, 64)])
def test_where_attention_is(size: int, attends: int | None) -> None:
    generator, discriminator = Generator((1, size, size), 8, width=1), Discriminator((1, size, size), width=1)
    seen: list[int] = []
    for network in (generator, discriminator):
        for name, module in network.named_modules():
            if type(module).__name__ == "Attention":
                module.register_forward_hook(lambda module, args, output: seen.append(output.shape[-1]))
                assert name
    discriminator(generator(torch.randn(2, 8)))
    assert seen == ([attends] * 2 if attends else [])


def test_the_latent_is_split() -> None:
    """20 numbers for the first map, 20 for each block, behind the class: a chunk moves its own block's BatchNorms."""
    assert chunks(120, 6) == [20] * 6
    assert chunks(128, 6) == [22, 22, 21, 21, 21, 21]
    torch.manual_seed(0)
    generator = Generator((1, 16, 16), 9, width=4, num_classes=3, shared_dim=5).eval()
    conditions: list[torch.Tensor] = []
    for block in generator.blocks:
        block.register_forward_hook(lambda module, args, output: conditions.append(args[1]))
    latent, label = torch.randn(2, 9), torch.tensor([2, 0])
    generator(latent, label)
    embedded = generator.embedding.weight[label]
    assert_close(conditions[0], torch.cat([embedded, latent[:, 3:6]], 1))
    assert_close(conditions[1], torch.cat([embedded, latent[:, 6:9]], 1))


def test_normalised_but_for_the_embedding() -> None:
    generator = Generator((1, 16, 16), 9, width=4, num_classes=3)
    for module in generator.modules():
        if isinstance(module, (nn.Conv2d, nn.Linear)):
            assert isinstance(module.parametrizations.weight[0], SpectralNorm)
    assert not hasattr(generator.embedding, "parametrizations")


def test_first_weights() -> None:
    """Orthogonal rows or columns, whichever are fewer; or N(0, 0.02); biases 0."""
    torch.manual_seed(0)
    discriminator = Discriminator((3, 32, 32), width=8)
    kernel = discriminator.blocks[1].conv1.parametrizations.weight.original.detach().flatten(1)
    assert_close(kernel @ kernel.T, torch.eye(32), atol=1e-5, rtol=0)
    normal = Discriminator((3, 32, 32), width=8, weights="normal").blocks[1].conv1.parametrizations.weight.original
    assert_close(normal.detach().std(), torch.tensor(0.02), rtol=0.05, atol=0)
    assert all(m.bias.count_nonzero() == 0 for m in discriminator.modules() if isinstance(m, nn.Conv2d))


def test_refusals() -> None:
    with pytest.raises(ValueError, match="latent_dim must be at least 3 to be split into as many chunks, not 2"):
        Generator((1, 16, 16), 2)
    with pytest.raises(ValueError, match="shared_dim must be at least 1 where the latent is hierarchical"):
        Generator((1, 16, 16), 9, num_classes=3, shared_dim=0)
    with pytest.raises(ValueError, match='weights must be "orthogonal" or "normal", not "glorot"'):
        Discriminator((1, 16, 16), weights="glorot")
    with pytest.raises(ValueError, match="double at most 7 times, not 8: at most 512x512"):
        Discriminator((3, 1024, 1024))


@pytest.mark.parametrize(
    ("model", "rates", "betas", "steps", "decay"),
    [
        ("sngan", (2e-4, 2e-4), [0.0, 0.9], 5, 0.999),
        ("sngan_dcgan", (2e-4, 2e-4), [0.5, 0.999], 1, 0.999),
        ("sagan", (1e-4, 4e-4), [0.0, 0.9], 1, 0.999),
        ("biggan", (5e-5, 2e-4), [0.0, 0.999], 2, 0.9999),
        ("biggan_cifar", (2e-4, 2e-4), [0.0, 0.999], 4, 0.9999),
    ],
)
def test_recipes(model: str, rates: tuple[float, float], betas: list[float], steps: int, decay: float) -> None:
    config = composed(f"model={model}")
    optimizers = [config["optimizer"][role] for role in ("generator", "discriminator")]
    assert tuple(optimizer["lr"] for optimizer in optimizers) == rates
    assert [optimizer["betas"] for optimizer in optimizers] == [betas, betas]
    assert (config["algorithm"]["critic_steps"], config["algorithm"]["ema"]["decay"]) == (steps, decay)
    loss = config["loss"]
    assert loss["adversarial"]["_target_"].endswith("NonSaturating" if model == "sngan_dcgan" else "Hinge")
    penalties = {name: (node["weight"], node["player"]) for name, node in loss["regularizers"].items()}
    assert penalties == ({"orthogonal": (1e-4, "generator")} if model == "biggan" else {})
