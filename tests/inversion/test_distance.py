"""What a projection compares pictures by."""

from __future__ import annotations

import logging
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn
from torch.testing import assert_close

import gan_lab as package
from gan_lab.inversion import distance
from gan_lab.inversion.projection import project
from gan_lab.layers.critique import Critique
from gan_lab.storage import checkpoint
from tests.compose import tiny_run
from tests.vgg import random_state, write_narrow_weights


class Judge(nn.Module):
    """Features are the pixels, twice where it is told a class."""

    def __init__(self, num_classes: int) -> None:
        super().__init__()
        self.num_classes = num_classes

    def forward(self, images: Tensor, label: Tensor | None = None) -> Critique:
        pixels = images.flatten(1)
        return Critique(pixels.sum(1), pixels if label is None else torch.cat([pixels, pixels], 1))


@pytest.mark.parametrize("num_classes", [0, 3])
def test_features_differ_by_a_share_of_their_own(num_classes: int) -> None:
    made = torch.tensor([1.0, 2.0]).view(2, 1, 1, 1).expand(-1, 1, 2, 2).clone().requires_grad_(True)
    wanted = torch.full((2, 1, 2, 2), 4.0)
    apart = distance.by_features(Judge(num_classes), made, wanted, torch.zeros(2, dtype=torch.int64))
    assert_close(apart, 0.1 * torch.tensor([9 / 16, 4 / 16]))
    assert torch.autograd.grad(apart.sum(), made)[0].abs().min() > 0


@pytest.mark.parametrize(
    ("words", "name", "said"),
    [
        ((), "pixels and the features of the run's discriminator", ""),
        (("+technique=[packing]",), "pixels alone", "the run's discriminator looks at several images at once"),
    ],
)
def test_of_a_run(
    words: tuple[str, ...], name: str, said: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    run = tiny_run(tmp_path, "model=gan_small", *words)
    run.play()
    checkpoint.save(tmp_path / "checkpoints", run.state_dict(), 1)
    caplog.set_level(logging.INFO)
    found = distance.distance_for(package.load(tmp_path, device="cpu"), torch.device("cpu"))
    assert found.name == name
    assert said in caplog.text
    images = torch.rand(3, 1, 16, 16)
    assert_close(found(images, images), torch.zeros(3))
    assert (found(images, -images) >= distance.squares(images, -images)).all()


@pytest.fixture
def lpips_in_the_data_root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Weights of LPIPS's layout where the published ones are kept: a narrow VGG16 drawn at random, and positive ones of
    its channels."""
    monkeypatch.setenv("GAN_LAB_DATA", str(tmp_path / "root"))
    write_narrow_weights(tmp_path / "root")
    random = torch.Generator().manual_seed(0)
    widths = [len(random_state("vgg16")[f"features.{place}.bias"]) for place in (2, 7, 14, 21, 28)]
    linear = {f"lin{at}.model.1.weight": torch.rand(1, wide, 1, 1, generator=random) for at, wide in enumerate(widths)}
    torch.save(linear, tmp_path / "root" / "extractors" / "lpips-vgg.pth")


@pytest.mark.usefixtures("lpips_in_the_data_root")
def test_lpips_where_its_weights_are(tmp_path: Path) -> None:
    """A gradient reaches a single pixel through it, and a projection descends it."""
    run = tiny_run(tmp_path, "model=gan_small")
    run.play()
    checkpoint.save(tmp_path / "checkpoints", run.state_dict(), 1)
    trained = package.load(tmp_path, device="cpu")
    found = distance.distance_for(trained, torch.device("cpu"))
    assert found.name == "pixels and LPIPS"
    images = torch.rand(2, 1, 16, 16, generator=torch.Generator().manual_seed(0)) * 2 - 1
    assert_close(found(images, images), torch.zeros(2))
    more = found(images, -images) - distance.squares(images, -images)
    assert (more > 1e-3).all()
    assert found.see is not None
    moving = images.clone().requires_grad_(True)
    (gradient,) = torch.autograd.grad(found.see(moving, -images, None).sum(), moving)
    assert (gradient.abs() > 0).float().mean() > 0.9
    space = trained.sampler.space()
    space.network.requires_grad_(False)
    projected = project(space, space.images(space.codes(1, 3)), None, found, 40, starts=2)
    assert projected.distance[0] < 0.5 * projected.curve[0, 0]
