"""The paper's blocks, first weights, sizes and burn-in."""

from __future__ import annotations

import math
from itertools import pairwise
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn
from torch.func import functional_call
from torch.nn.functional import conv2d, leaky_relu
from torch.testing import assert_close

from gan_lab.config import schedules
from gan_lab.losses.regularizers import R1, R2, Turn
from gan_lab.models.r3gan import Basis, Block, Discriminator, Generator, groups, stages
from gan_lab.training.run import Run
from tests.compose import composed, tiny_run


def parameters(network: nn.Module) -> int:
    return sum(parameter.numel() for parameter in network.parameters())


def count(widths: list[int], latent: int, outputs: int) -> int:
    """Two blocks a stage, 16 channels a group, the width changed where it changes; a basis, and three colours."""
    total = 0
    for width in widths:
        inside = 2 * width
        total += 2 * (2 * width * inside + inside * 16 * 9 + 2 * inside)
    total += sum(before * after for before, after in pairwise(widths) if before != after)
    return total + widths[0] * 16 + latent * widths[0] + outputs * widths[0] + 3 * widths[-1]


@pytest.mark.parametrize(
    ("size", "widths", "generator", "discriminator"),
    [
        (32, [768] * 4, 20_732_160, 20_683_776),
        (64, [768] * 4 + [384], 22_429_824, 22_381_440),
        (256, [768] * 4 + [384, 192, 96], 23_057_952, 23_009_568),
    ],
)
def test_the_sizes_of_the_authors_configurations(
    size: int, widths: list[int], generator: int, discriminator: int
) -> None:
    """CIFAR-10, FFHQ-64 and FFHQ-256 of the authors' train.py, counted by hand: 23.06M and 23.01M at 256 pixels."""
    with torch.device("meta"):
        networks = Generator((3, size, size), 64), Discriminator((3, size, size))
    assert [parameters(network) for network in networks] == [generator, discriminator]
    assert (count(widths, latent=64, outputs=0), count(widths, latent=0, outputs=1)) == (generator, discriminator)


def test_classes_cost_two_tables_and_wider_ends() -> None:
    """G: 64 numbers a class, and the basis reads 128; D: `width` outputs, not one, and as many numbers a class."""
    with torch.device("meta"):
        generator, discriminator = (
            Generator((3, 32, 32), 64, num_classes=10),
            Discriminator((3, 32, 32), num_classes=10),
        )
    assert parameters(generator) == 20_732_160 + 10 * 64 + 64 * 768
    assert parameters(discriminator) == 20_683_776 + 10 * 768 + 767 * 768


def test_stages_and_groups() -> None:
    assert stages(3, 768, 2) == [768] * 3
    assert stages(8, 768, 2) == [768, 768, 768, 768, 384, 192, 96, 48]
    assert stages(7, 2, 2) == [2, 2, 2, 2, 1, 1, 1]
    assert [groups(channels) for channels in (1536, 768, 192, 96, 200, 34, 16, 8)] == [96, 48, 12, 6, 10, 2, 1, 1]
    with pytest.raises(ValueError, match="width and blocks must be at least 1, not 8 and 0"):
        stages(3, 8, 0)


def test_a_block_starts_as_the_identity() -> None:
    torch.manual_seed(0)
    block = Block(24, depth=8)
    features = torch.randn(2, 24, 5, 5)
    assert torch.equal(block(features), features)
    expand, _, grouped, _, shrink = block.layers
    gain = math.sqrt(2 / 1.04) * 8 ** (-1 / 4)
    assert_close(expand.weight.std(), torch.tensor(gain / math.sqrt(24)), rtol=0.1, atol=0)
    assert (grouped.groups, grouped.weight.shape) == (3, (48, 16, 3, 3))
    assert_close(grouped.weight.std(), torch.tensor(gain / math.sqrt(16 * 9)), rtol=0.1, atol=0)
    assert shrink.weight.count_nonzero() == 0
    assert expand.bias.count_nonzero() == grouped.bias.count_nonzero() == 0
    assert shrink.bias is None


def test_what_a_block_computes() -> None:
    torch.manual_seed(0)
    block = Block(24, depth=8).double()
    for parameter in block.parameters():
        nn.init.normal_(parameter, 0.0, 0.3)
    features = torch.randn(2, 24, 5, 5, dtype=torch.float64)
    kept = features.clone()
    expand, _, grouped, _, shrink = block.layers
    inside = leaky_relu(conv2d(features, expand.weight, expand.bias), 0.2)
    inside = torch.cat(
        [
            conv2d(part, weight, bias, padding=1)
            for part, weight, bias in zip(
                inside.chunk(3, 1), grouped.weight.chunk(3), grouped.bias.chunk(3), strict=True
            )
        ],
        1,
    )
    assert_close(block(features), features + conv2d(leaky_relu(inside, 0.2), shrink.weight))
    assert torch.equal(features, kept)  # no activation in place on what the shortcut reads


def test_the_basis() -> None:
    torch.manual_seed(0)
    basis = Basis(6, 5, 4, 7)
    latent = torch.randn(3, 6)
    expected = torch.einsum("hwc,nc->nchw", basis.pictures, latent @ basis.amounts.weight.T)
    assert_close(basis(latent), expected, check_stride=False)
    assert basis(latent).is_contiguous(memory_format=torch.channels_last)


def test_the_end_of_the_discriminator() -> None:
    """A depthwise convolution over the whole map and a linear layer; with classes, times the vector of the class."""
    torch.manual_seed(0)
    images = torch.randn(3, 1, 16, 24)
    for classes, label in ((None, None), (5, torch.tensor([4, 0, 4]))):
        network = Discriminator((1, 16, 24), width=6, num_classes=classes)
        last = network.layers(network.of_image(images))
        features = torch.einsum("nchw,hwc->nc", last, network.pictures)
        critique = network(images, label)
        assert_close(critique.features, features)
        linear = features @ network.to_score.weight.T
        expected = linear[:, 0] if label is None else (linear * network.of_label.weight[label]).sum(1)
        assert_close(critique.scores, expected)


def test_first_vectors_of_the_classes() -> None:
    """Linear layers on one-hot labels, N(0, 1/K); the discriminator's product is kept at the size of one factor."""
    torch.manual_seed(0)
    generator = Generator((1, 16, 16), 500, width=4, num_classes=10)
    discriminator = Discriminator((1, 16, 16), width=256, num_classes=10)
    assert_close(generator.of_label.weight.std(), torch.tensor(10**-0.5), rtol=0.05, atol=0)
    assert_close(discriminator.of_label.weight.std(), torch.tensor(2560**-0.5), rtol=0.1, atol=0)


@pytest.mark.parametrize("shape", [(1, 16, 16), (1, 28, 28), (3, 32, 32), (3, 96, 80), (3, 128, 128)], ids=str)
@pytest.mark.parametrize("classes", [None, 4])
def test_shapes_ranges_and_labels(shape: tuple[int, int, int], classes: int | None) -> None:
    torch.manual_seed(0)
    generator = Generator(shape, 10, width=8, num_classes=classes)
    discriminator = Discriminator(shape, width=8, num_classes=classes)
    assert generator.num_classes == discriminator.num_classes == (classes or 0)
    label = torch.tensor([0, 3]) if classes else None
    images = generator(torch.randn(1, 10).expand(2, 10), label)
    assert images.shape == (2, *shape)
    assert images.abs().max() <= 1
    scores = discriminator(images[:1].expand(2, *shape), label).scores
    assert scores.shape == (2,)
    if classes:
        assert (images[0] != images[1]).float().mean() > 0.9
        assert scores[0] != scores[1]
        with pytest.raises(ValueError, match="call it with a label"):
            generator(torch.randn(2, 10))
        with pytest.raises(ValueError, match="call it with a label"):
            discriminator(images)


def awake(network: nn.Module) -> nn.Module:
    """The last convolutions of the blocks no longer 0."""
    for block in network.modules():
        if isinstance(block, Block):
            nn.init.normal_(block.layers[-1].weight, 0.0, 0.3)
    return network


def test_every_parameter_learns() -> None:
    """At the start all but what lies behind a zero convolution; after the first step everything."""
    torch.manual_seed(0)
    networks = Generator((3, 16, 16), 6, width=8, num_classes=3), Discriminator((3, 16, 16), width=8, num_classes=3)
    label = torch.arange(9) % 3
    for asleep in (True, False):
        generator, discriminator = networks
        for network in networks:
            network.zero_grad()
        discriminator(generator(torch.randn(9, 6), label), label).scores.square().sum().backward()
        for network in networks:
            behind = {
                id(parameter)
                for block in network.modules()
                if isinstance(block, Block)
                for parameter in block.layers[:-1].parameters()
            }
            for name, parameter in network.named_parameters():
                assert parameter.grad is not None, name
                assert (parameter.grad.count_nonzero() == 0) == (asleep and id(parameter) in behind), name
            awake(network)


@pytest.mark.parametrize("kind", [R1, R2])
def test_double_backward_is_the_derivative_of_the_penalty(kind: type[R1] | type[R2]) -> None:
    torch.manual_seed(0)
    discriminator = awake(Discriminator((1, 16, 16), width=4, num_classes=3)).double()
    weights = {name: 2 * p.detach() for name, p in discriminator.named_parameters()}
    direction = {name: torch.randn_like(p) for name, p in weights.items()}
    real, fake = torch.randn(2, 4, 1, 16, 16, dtype=torch.float64)
    label = torch.tensor([0, 1, 2, 0])

    def penalty(given: dict[str, Tensor]) -> Tensor:
        return kind()(Turn(real, fake, lambda images: functional_call(discriminator, given, (images, label)).scores))

    leaves = {name: p.clone().requires_grad_() for name, p in weights.items()}
    gradients = torch.autograd.grad(penalty(leaves), list(leaves.values()), allow_unused=True)
    slope = sum((g * d).sum() for g, d in zip(gradients, direction.values(), strict=True) if g is not None)
    ahead, behind = ({n: p + sign * 1e-7 * direction[n] for n, p in weights.items()} for sign in (1, -1))
    numeric = (penalty(ahead) - penalty(behind)).detach() / 2e-7
    assert numeric.abs() > 1e-3
    assert_close(slope, numeric, rtol=1e-5, atol=0)


def settings(folder: Path, *shown: int) -> list[list[float]]:
    """Rate, beta2 and gamma of both players or penalties, the augmentation's p and the average's half-life in the
    rounds after so many images."""
    run = tiny_run(folder, "model=r3gan")
    game, seen = run.algorithm, []
    for images in shown:
        game.schedule_step(0, images)
        seen.append(now(run))
    return seen


def now(run: Run) -> list[float]:
    game, row = run.algorithm, []
    for role in ("generator", "discriminator"):
        row += [game.base_rates[role][0], game.optimizers[role].param_groups[0]["betas"][1]]
    row += [float(game.regularizers[name].weight) for name in ("r1", "r2")]
    return [*row, float(game.augmentation.burn_in.p), game.averages["generator"].half_life]  # type: ignore


def test_burn_in(tmp_path: Path) -> None:
    """The CIFAR-10 numbers of the authors' configuration: at the start, on the way of the cosine, at the end."""
    start, early, half, end, after = settings(tmp_path, 0, 5_000_000, 10_000_000, 20_000_000, 10**9)
    assert_close(start, [2e-4, 0.9, 2e-4, 0.9, 0.05, 0.05, 0.0, 0.0], rtol=1e-12, atol=0)
    # a quarter of the way: (1 - cos 45 degrees) / 2
    done = (1 - math.sqrt(0.5)) / 2
    begun = [2e-4 - done * 1.5e-4, 0.9 + done * 0.09] * 2 + [0.05 - done * 0.045] * 2 + [done * 0.55, done * 5e6]
    assert_close(early, begun, rtol=1e-6, atol=0)  # p lies in float32
    assert_close(half, [1.25e-4, 0.945, 1.25e-4, 0.945, 0.0275, 0.0275, 0.275, 2.5e6], rtol=1e-6, atol=0)
    assert_close(end, [5e-5, 0.99, 5e-5, 0.99, 0.005, 0.005, 0.55, 5e6], rtol=1e-6, atol=0)
    assert after == end


def test_the_batch_size_does_not_change_the_way(tmp_path: Path) -> None:
    """Eight images in batches of 4 and of 8, of a burn-in of 32: the next round has the same numbers."""
    seen = {}
    for batch in (4, 8):
        words = ("loss.regularizers.r1.schedule.weight.steps=32", f"trainer.batch_size={batch}")
        run = tiny_run(tmp_path, "model=r3gan", *words)
        while run.images_seen < 12:
            run.play()
            seen[batch, run.images_seen - batch] = now(run)
        share, half_life = run.algorithm.averages["generator"].weight, seen[batch, run.images_seen - batch][-1]
        assert_close(float(share), 1 - 0.5 ** (batch / half_life), rtol=1e-5, atol=0)
    assert seen[4, 8] == seen[8, 8] != seen[4, 4]
    assert seen[4, 0] == seen[8, 0]


RATES = {f"optimizer.{player}.{key}" for player in ("generator", "discriminator") for key in ("lr", "betas.1")}
GAMMAS = {"loss.regularizers.r1.weight", "loss.regularizers.r2.weight"}


OTHERS = {"algorithm.ema.half_life", "augmentation.burn_in.p"}


def test_the_recipe() -> None:
    config = composed("model=r3gan")
    assert config["loss"]["adversarial"]["_target_"].endswith(".Relativistic")
    assert config["algorithm"]["latent"]["dim"] == 64
    found = {f"{home}.{number}": (ramp["steps"], ramp["unit"]) for home, number, ramp in schedules(config)}
    assert found == dict.fromkeys((*RATES, *GAMMAS, *OTHERS), (20_000_000, "images"))
    burn_in = config["augmentation"]["burn_in"]
    strength = {"blit": 1.0, "geometry": 1.0, "colour": 0.5, "cutout": 1.0}
    assert (burn_in["categories"], burn_in["strength"]) == (["blit", "geometry", "colour", "cutout"], strength)
    assert burn_in["target"] is None


@pytest.mark.parametrize(
    ("typed", "left"),
    [
        ("loss=hinge", RATES | OTHERS),
        ("loss/regularizers=[r1]", RATES | OTHERS),
        ("optimizer=sgd", GAMMAS | OTHERS),
        ("augmentation=none", RATES | GAMMAS | {"algorithm.ema.half_life"}),
    ],
)
def test_a_burn_in_goes_with_what_it_sets(typed: str, left: set[str], tmp_path: Path) -> None:
    assert {f"{home}.{number}" for home, number, _ in schedules(composed("model=r3gan", typed))} == left
    run = tiny_run(tmp_path, "model=r3gan", typed)
    run.play()


def test_one_number_of_steps_for_all() -> None:
    config = composed("model=r3gan", "loss.regularizers.r1.schedule.weight.steps=1000")
    assert {ramp["steps"] for *_, ramp in schedules(config)} == {1000}
