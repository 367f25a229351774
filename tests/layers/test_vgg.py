"""VGG's maps are those of torchvision's network of the same weights, by name; weights come from where it is said."""

from __future__ import annotations

import logging
from pathlib import Path

import pytest
import torch
from torch import nn
from torch.testing import assert_close
from torchvision import models

from gan_lab.errors import ConfigError, GanLabError
from gan_lab.layers.vgg import BLOCKS, VGG, layer_names
from tests.vgg import CONVOLUTIONS, FILES, random_state

IMAGES = torch.rand(2, 3, 32, 40, generator=torch.Generator().manual_seed(0)) * 2 - 1


@pytest.fixture
def file(tmp_path: Path) -> str:
    torch.save(random_state("vgg19", 4), tmp_path / "vgg19.pth")
    return str(tmp_path / "vgg19.pth")


@pytest.mark.parametrize("architecture", BLOCKS)
def test_names_are_torchvisions_places(architecture: str) -> None:
    with torch.device("meta"):
        theirs = models.get_model(architecture, weights=None).features
    kinds = {"conv": nn.Conv2d, "relu": nn.ReLU, "pool": nn.MaxPool2d}
    names = layer_names(architecture)
    assert [kinds[name[:4]] for name in names] == [type(layer) for layer in theirs]
    assert [place for place, layer in enumerate(theirs) if isinstance(layer, nn.Conv2d)] == list(
        CONVOLUTIONS[architecture]
    )
    if architecture == "vgg19":
        assert [names.index(name) for name in ("conv5_4", "relu5_4", "pool5", "relu4_1")] == [34, 35, 36, 20]


def test_maps_are_those_of_torchvisions_network() -> None:
    """At its own widths, of normalised images; before the ReLU as well as behind it."""
    ours = VGG(["conv5_4", "relu5_4", "pool4", "relu1_1"], weights="random", seed=3)
    with torch.device("meta"):
        theirs = models.vgg19(weights=None).features
    state = {}
    for place, layer in enumerate(ours.layers):
        if isinstance(layer, nn.Conv2d):
            state |= {f"{place}.weight": layer.weight, f"{place}.bias": layer.bias}
    theirs.load_state_dict(state, assign=True)
    mean, std = (torch.tensor(numbers).view(3, 1, 1) for numbers in ([0.485, 0.456, 0.406], [0.229, 0.224, 0.225]))
    normalised = (IMAGES / 2 + 0.5 - mean) / std
    found = ours(IMAGES)
    assert list(found) == ["relu1_1", "pool4", "conv5_4", "relu5_4"]
    for name, depth in (("relu1_1", 2), ("pool4", 28), ("conv5_4", 35), ("relu5_4", 36)):
        assert_close(found[name], theirs[:depth](normalised), rtol=1e-4, atol=1e-5)
    assert found["conv5_4"].min() < 0
    assert len(ours.layers) == 36
    assert ours.widths == [64, 64, 128, 128, *[256] * 4, *[512] * 8]
    assert 0.5 < float(found["conv5_4"].std()) < 3  # He's weights keep the size


def test_gray_is_seen_as_colour(file: str) -> None:
    ours = VGG(["relu2_1"], weights=file)
    gray = IMAGES[:, :1]
    assert torch.equal(ours(gray)["relu2_1"], ours(gray.repeat(1, 3, 1, 1))["relu2_1"])


def test_pooling_and_padding(file: str) -> None:
    flat = torch.full((1, 3, 16, 16), 0.3)
    maps = VGG(["relu4_1"], weights=file, padding="reflect")(flat)["relu4_1"]
    assert_close(maps, maps[..., :1, :1].expand_as(maps))  # no edge is seen
    zeros = VGG(["relu4_1"], weights=file)(flat)["relu4_1"]
    assert not torch.allclose(zeros, zeros[..., :1, :1].expand_as(zeros))
    each = VGG(["relu1_2", "pool1"], weights=file, pooling="average")(IMAGES)
    assert_close(each["pool1"], nn.functional.avg_pool2d(each["relu1_2"], 2))
    with pytest.raises(ConfigError, match="vgg19: 'mean' is not one of max, average"):
        VGG(["pool1"], weights=file, pooling="mean")


def test_nothing_of_it_is_trained_or_kept(file: str) -> None:
    ours = VGG(["conv3_1"], weights=file)
    images = IMAGES.clone().requires_grad_()
    ours(images)["conv3_1"].sum().backward()
    assert images.grad is not None
    assert images.grad.abs().max() > 0
    assert not list(ours.parameters())
    assert not ours.state_dict()
    ours.load_state_dict({})
    assert ours.double()(IMAGES.double())["conv3_1"].dtype == torch.float64  # weights move with it


def test_images_must_be_large_enough(file: str) -> None:
    deep = VGG(["conv5_4"], weights=file)
    assert deep(IMAGES[..., :16, :16])["conv5_4"].shape == (2, 32, 1, 1)
    with pytest.raises(ConfigError, match=r"conv5_4 needs images of at least 16x16 in gray or colour, not 3x15x16"):
        deep(IMAGES[..., :15, :16])
    with pytest.raises(ConfigError, match="not 2x16x16"):
        deep(IMAGES[:, :2, :16, :16])
    with pytest.raises(ConfigError, match="at least 16x16"):
        VGG(["relu4_1"], weights=file, padding="reflect")(IMAGES[..., :8, :8])


def test_random_weights_are_said_and_disturb_nothing(caplog: pytest.LogCaptureFixture) -> None:
    torch.manual_seed(0)
    before = torch.get_rng_state()
    with caplog.at_level(logging.WARNING):
        first = VGG(["conv1_2"], weights="random", width=3)
    assert torch.equal(torch.get_rng_state(), before)
    assert "vgg19 has random weights (weights=random)" in caplog.text
    again, other = (VGG(["conv1_2"], weights="random", width=3, seed=seed) for seed in (0, 1))
    assert torch.equal(first(IMAGES)["conv1_2"], again(IMAGES)["conv1_2"])
    assert not torch.equal(first(IMAGES)["conv1_2"], other(IMAGES)["conv1_2"])


def test_published_weights_are_found_in_the_data_root(root: Path) -> None:
    (root / "extractors").mkdir(parents=True)
    torch.save(random_state("vgg16", 3), root / "extractors" / FILES["vgg16"])
    assert VGG(["relu2_2"], "vgg16").widths == [3, 3, 6, 6]


def test_what_cannot_be_had(file: str, root: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def offline(*_: object, **__: object) -> None:
        raise OSError("Name or service not known")

    monkeypatch.setattr("torch.hub.download_url_to_file", offline)
    with pytest.raises(GanLabError) as caught:
        VGG(["relu1_1"])
    url = "https://download.pytorch.org/models/vgg19-dcbb9e9d.pth"
    assert str(caught.value) == (
        f"weights: vgg19's weights could not be downloaded (Name or service not known); copy {url} to "
        f"{root / 'extractors' / FILES['vgg19']}, or say weights=FILE, or weights=random, which has learned nothing"
    )
    with pytest.raises(GanLabError, match=r"weights: there is no file .*nowhere.pth"):
        VGG(["relu1_1"], weights=str(tmp_path / "nowhere.pth"))
    with pytest.raises(GanLabError, match=r"^a.b: vgg19's weights .*, or say a.b=FILE, or a.b=random"):
        VGG(["relu1_1"], key="a.b")
    for broken in (b"", b"not a file of weights"):
        (tmp_path / "broken.pth").write_bytes(broken)
        with pytest.raises(GanLabError, match="does not hold torchvision's weights of vgg19") as caught:
            VGG(["relu1_1"], weights=str(tmp_path / "broken.pth"))
        assert "\n" not in str(caught.value)
    state = random_state("vgg19") | {"features.5.weight": torch.zeros(4, 3, 3, 3)}
    torch.save(state, tmp_path / "odd.pth")
    with pytest.raises(GanLabError, match=r"of vgg19 \(conv2_1 has another shape\)"):
        VGG(["relu1_1"], weights=str(tmp_path / "odd.pth"))


@pytest.mark.parametrize(("asked", "holds"), [("vgg19", "vgg16"), ("vgg16", "vgg19")])
def test_one_is_not_taken_for_the_other(asked: str, holds: str, tmp_path: Path) -> None:
    torch.save(random_state(holds), tmp_path / "vgg.pth")
    with pytest.raises(GanLabError, match=f"does not hold torchvision's weights of {asked}"):
        VGG(["relu1_1"], asked, str(tmp_path / "vgg.pth"))


@pytest.mark.parametrize("layers", [[], ["conv5_5"], ["relu1_1", "fc6"]])
def test_names_that_are_none(layers: list[str], file: str) -> None:
    with pytest.raises(ConfigError, match="is not one of its layers"):
        VGG(layers, weights=file)
    with pytest.raises(ConfigError, match="architecture: 'vgg11' is not one of vgg16, vgg19"):
        VGG(["relu1_1"], "vgg11", file)
