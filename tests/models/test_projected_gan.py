"""Projected GAN: the published counts, one head a scale, what learns, what a checkpoint holds, how a run goes on."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.nn.functional import leaky_relu
from torch.testing import assert_close

from gan_lab.errors import GanLabError
from gan_lab.layers.backbone import UntrainedBackbone
from gan_lab.layers.conditional_norm import VectorNorm
from gan_lab.layers.noise import Noise
from gan_lab.models.projected_gan import Discriminator, Generator, head
from gan_lab.training.assemble import assemble
from tests.compose import composed, tiny_run
from tests.conftest import TINY, equal


class Lite0(nn.Module):
    """The sizes of EfficientNet-lite0's maps."""

    channels, strides = (24, 40, 112, 320), (4, 8, 16, 32)

    def enlarged(self, rows: int, columns: int) -> tuple[int, int]:
        return rows, columns


def parameters(network: nn.Module) -> int:
    return sum(parameter.numel() for parameter in network.parameters())


def test_published_counts() -> None:
    """Of the authors' networks at 256 pixels: the generator, that for little data, and the four heads, told a thousand
    classes or not, or separable."""
    shape = (3, 256, 256)
    with torch.device("meta"):
        counts = [parameters(Generator(shape, 256, lite=lite)) for lite in (False, True)]
        kinds: list[dict[str, Any]] = [{}, {"num_classes": 1000}, {"separable": True}]
        heads = [parameters(Discriminator(shape, Lite0(), **kind)) for kind in kinds]  # type: ignore[arg-type]
    assert (*counts, *heads) == (105_684_175, 79_354_307, 10_331_328, 12_940_736, 696_512)


@pytest.mark.parametrize(("size", "places"), [(224, 4), (256, 5)])
def test_each_head_scores_as_many_places(size: int, places: int) -> None:
    with torch.device("meta"):
        for stride, width in zip(Lite0.strides, (64, 64, 128, 256), strict=True):
            side = 2 * size // stride
            made = head(width, 64, 512, (side, side))(torch.randn(2, width, side, side))
            assert made.shape == (2, 1, places, places)


def small(shape: tuple[int, int, int] = (1, 16, 16)) -> Discriminator:
    torch.manual_seed(0)
    return Discriminator(shape, UntrainedBackbone(width=2, size=32), base=2)


@pytest.mark.parametrize("shape", [(1, 16, 16), (3, 28, 28), (4, 32, 64), (1, 96, 64)], ids=str)
def test_sizes(shape: tuple[int, int, int]) -> None:
    critique = small(shape)(torch.randn(3, *shape))
    assert critique.scores.dim() == 2
    assert len(critique.scores) == 3
    torch.manual_seed(0)
    images = Generator(shape, 6, width=2)(torch.randn(3, 6))
    assert images.shape == (3, *shape)


def test_scores_are_those_of_all_heads() -> None:
    discriminator, images = small().eval(), torch.randn(2, 1, 16, 16)
    mixed = discriminator.mixing(discriminator.backbone(images))
    alone = [head(maps).flatten(1) for head, maps in zip(discriminator.heads, mixed, strict=True)]
    assert_close(discriminator(images).scores, torch.cat(alone, 1))
    assert [each.shape[1] for each in alone] == [25, 25, 25, 1]


@pytest.mark.parametrize(("channels", "pictures"), [(1, 1), (2, 2), (3, 1), (4, 4), (6, 2)])
def test_all_channels_are_looked_at(channels: int, pictures: int) -> None:
    """Colour by threes, else each as gray: maps lie side by side, picture by picture."""
    discriminator, images = small((channels, 16, 16)), torch.randn(2, channels, 16, 16)
    seen: list[list[Tensor]] = []
    discriminator.mixing.register_forward_pre_hook(lambda module, args: seen.append(args[0]))
    discriminator(images)
    alone = [discriminator.backbone(part) for part in images.chunk(pictures, 1)]
    assert_close(seen[0], [torch.cat(maps, 1) for maps in zip(*alone, strict=True)])


@pytest.mark.parametrize("separable", [False, True])
def test_a_separable_head_scores_as_many_places(separable: bool) -> None:
    made = head(4, 2, 16, (56, 56), outputs=3, separable=separable)
    assert made(torch.randn(2, 4, 56, 56)).shape == (2, 3, 4, 4)
    alone = [layer for layer in made if isinstance(layer, nn.Conv2d) and layer.groups > 1]
    assert [layer.groups for layer in alone] == ([4, 4, 8] if separable else [])


def test_scores_are_products_with_what_is_made_of_the_class() -> None:
    torch.manual_seed(0)
    discriminator = Discriminator((1, 16, 16), UntrainedBackbone(width=2, size=32), base=2, num_classes=3).eval()
    images, label = torch.randn(2, 1, 16, 16), torch.tensor([2, 0])
    mixed = discriminator.mixing(discriminator.backbone(images))
    alone = []
    for head_, of_class, maps in zip(discriminator.heads, discriminator.of_class, mixed, strict=True):
        wanted = leaky_relu(of_class[1](of_class[0].weight[label]), 0.2)
        alone.append(torch.einsum("nkhw,nk->nhw", head_(maps), wanted).flatten(1) / 8)
    assert_close(discriminator(images, label).scores, torch.cat(alone, 1))
    with pytest.raises(ValueError, match="knows 3 classes"):
        discriminator(images)


def test_a_class_says_scale_and_shift_of_all_batchnorms_but_the_first() -> None:
    torch.manual_seed(0)
    generator = Generator((1, 16, 16), 6, width=4, num_classes=3).eval()
    norms = [layer for layer in generator.modules() if isinstance(layer, VectorNorm)]
    assert len(norms) == 4
    latent = torch.randn(2, 6)
    told: list[Tensor] = []
    norms[-1].register_forward_pre_hook(lambda module, args: told.append(args[1]))
    images = generator(latent, torch.tensor([2, 0]))
    assert torch.equal(told[0], generator.of_class[[2, 0]])
    assert not torch.equal(images, generator(latent, torch.tensor([1, 0])))
    with pytest.raises(ValueError, match="knows 3 classes"):
        generator(latent)


def test_only_heads_learn() -> None:
    discriminator = small()
    assert {name.partition(".")[0] for name, _ in discriminator.named_parameters()} == {"heads"}
    stored = {name.partition(".")[0] for name in discriminator.state_dict()}
    assert stored == {"backbone", "mixing", "heads"}
    assert [name for name in discriminator.state_dict() if name.startswith("backbone")] == ["backbone.identity"]


def test_every_convolution_that_learns_is_constrained() -> None:
    discriminator = small()
    learning = [m for m in discriminator.modules() if isinstance(m, nn.Conv2d) and list(m.parameters())]
    assert all(hasattr(module, "parametrizations") for module in learning)
    frozen = [*discriminator.backbone.modules(), *discriminator.mixing.modules()]
    assert not any(hasattr(module, "parametrizations") for module in frozen)


def test_latents_have_one_length_and_images_no_bound() -> None:
    torch.manual_seed(0)
    generator, latent = Generator((1, 16, 16), 6, width=4).eval(), torch.randn(2, 6)
    assert_close(generator(latent), generator(3 * latent))
    with torch.no_grad():
        generator.to_image.parametrizations.weight.original.fill_(1.0)
        nn.init.constant_(generator.to_image.bias, 5.0)
    assert generator(latent).max() > 1


@pytest.mark.parametrize(("lite", "noises", "convolutions"), [(True, 0, 1), (False, 2, 2)])
def test_blocks(lite: bool, noises: int, convolutions: int) -> None:
    for block in Generator((1, 32, 32), 6, width=2, lite=lite).blocks:
        assert sum(isinstance(layer, Noise) for layer in block.modules()) == noises
        assert sum(isinstance(layer, nn.Conv2d) for layer in block.modules()) == convolutions


def frozen(network: nn.Module) -> dict[str, Tensor]:
    return {name: value.clone() for name, value in network.named_buffers() if not name.startswith("heads")}


RANDOM = "model.discriminator.backbone.weights=random"
WORDS = ("model=projected_gan", RANDOM)


@pytest.mark.parametrize("model", ["projected_gan", "projected_gan_conditional", "projected_gan_stylegan2"])
def test_a_run_goes_on_bit_by_bit_and_what_is_frozen_stays(tmp_path: Path, model: str) -> None:
    words = (f"model={model}", RANDOM)
    run = tiny_run(tmp_path, *words)
    discriminator = run.algorithm.networks["discriminator"]
    before = frozen(discriminator)
    run.play()
    state = copy.deepcopy(run.state_dict())
    moved = [each for group in run.algorithm.optimizers["discriminator"].param_groups for each in group["params"]]
    assert len(moved) == len(list(discriminator.parameters()))
    again, _ = assemble(composed(*TINY, *words), tmp_path, state)
    run.play(), again.play()
    assert equal(run.state_dict()["networks"], again.state_dict()["networks"])
    assert equal(before, frozen(discriminator))
    other = tiny_run(tmp_path, *words, "seed=5").algorithm.networks["discriminator"]
    assert not equal(before, frozen(other))  # projections are the run's own, and come from its checkpoint


def test_another_frozen_network_is_refused(tmp_path: Path) -> None:
    state = copy.deepcopy(tiny_run(tmp_path, *WORDS).state_dict())
    state["networks"]["discriminator"]["backbone.identity"][0] ^= 1
    with pytest.raises(GanLabError, match="backbone: the frozen network has other weights"):
        assemble(composed(*TINY, *WORDS), tmp_path, state)
