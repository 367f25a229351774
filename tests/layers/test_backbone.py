"""Frozen networks behind a discriminator: which maps they make, whose weights they have, who may move them."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.nn.functional import conv2d, interpolate
from torch.testing import assert_close

from gan_lab.errors import ConfigError, GanLabError
from gan_lab.layers.backbone import Backbone, Normalised, PretrainedBackbone, UntrainedBackbone


def test_an_untrained_one_by_hand() -> None:
    """Convolutions of stride 2 and 1, with ReLUs; strides and channels double."""
    backbone = UntrainedBackbone(width=3, size=8, levels=2)
    images = torch.randn(2, 3, 8, 8)
    weights = [buffer for name, buffer in backbone.named_buffers() if name.endswith("weight")]
    expected, maps = [], images
    for first, second in (weights[:2], weights[2:]):
        maps = conv2d(conv2d(maps, first, stride=2, padding=1).relu(), second, padding=1).relu()
        expected.append(maps)
    assert_close(backbone(images), expected)
    assert (backbone.channels, backbone.strides) == ([3, 6], [2, 4])
    assert [each.shape[1:] for each in expected] == [(3, 4, 4), (6, 2, 2)]


def test_its_weights_keep_the_size_of_what_passes() -> None:
    """He's variance 2 / fan_in; the same from the same seed, and the global generator is as it was."""
    torch.manual_seed(0)
    before = torch.get_rng_state()
    one, other = UntrainedBackbone(width=32, seed=3), UntrainedBackbone(width=32, seed=3)
    assert torch.equal(torch.get_rng_state(), before)
    weight = dict(one.named_buffers())["network.stages.1.2.weight"]
    assert_close(weight.var().item(), 2 / (9 * 64), rtol=0.05, atol=0)
    assert torch.equal(one.identity, other.identity)
    assert not torch.equal(one.identity, UntrainedBackbone(width=32, seed=4).identity)


class Seen(nn.Module):
    """Gives what it is shown, and has BatchNorm."""

    def __init__(self, number: float = 0.0) -> None:
        super().__init__()
        self.norm = nn.BatchNorm2d(3)
        self.number = nn.Parameter(torch.tensor(number))

    def forward(self, images: Tensor) -> list[Tensor]:
        return [images, self.norm(images)]


def test_small_images_are_enlarged_gray_ones_coloured() -> None:
    backbone = Backbone(Seen(), [3, 3], [1, 1], size=8)
    gray = torch.randn(2, 1, 4, 6)
    wide = interpolate(gray, (8, 12), mode="bilinear", align_corners=False).expand(-1, 3, -1, -1)
    assert_close(backbone(gray)[0], wide)
    large = torch.randn(2, 3, 9, 8)
    assert torch.equal(backbone(large)[0], large)
    assert (backbone.enlarged(4, 6), backbone.enlarged(9, 8)) == ((8, 12), (9, 8))


def test_it_stays_as_it_is() -> None:
    """No weight of it learns, statistics do not move in training, and gradients reach the image."""
    backbone = Backbone(Seen(), [3, 3], [1, 1], size=4).train()
    before = {name: value.clone() for name, value in backbone.named_buffers()}
    images = torch.randn(2, 3, 4, 4, requires_grad=True)
    backbone(images)[1].sum().backward()
    assert not list(backbone.parameters())
    assert not any(module.training for module in backbone.network.modules())
    assert all(torch.equal(value, before[name]) for name, value in backbone.named_buffers())
    assert images.grad is not None
    assert images.grad.abs().sum() > 0


def test_a_checkpoint_knows_it_by_six_bytes() -> None:
    one, same, other = (Backbone(Seen(number), [3, 3], [1, 1], size=4) for number in (1.0, 1.0, 2.0))
    state = nn.ModuleDict({"backbone": one}).state_dict()
    assert {name: len(value) for name, value in state.items()} == {"backbone.identity": 6}
    nn.ModuleDict({"backbone": same}).load_state_dict(state)
    with pytest.raises(
        RuntimeError, match="backbone: the frozen network has other weights than that of the checkpoint"
    ):
        nn.ModuleDict({"backbone": other}).load_state_dict(state)


def test_normalised_as_it_was_trained() -> None:
    mean, std = (0.1, 0.2, 0.3), (0.5, 0.25, 0.2)
    seen: list[Tensor] = []

    class Net(nn.Module):
        def forward(self, images: Tensor) -> list[Tensor]:
            seen.append(images)
            return []

    images = torch.rand(2, 3, 4, 4) * 2 - 1
    Normalised(Net(), mean, std)(images)
    expected = ((images + 1) / 2 - torch.tensor(mean).view(3, 1, 1)) / torch.tensor(std).view(3, 1, 1)
    assert_close(seen[0], expected)


def test_without_weights_it_says_so(root: Path, caplog: pytest.LogCaptureFixture) -> None:
    found = PretrainedBackbone(width=4, random_size=32)
    assert "there are no weights of tf_efficientnet_lite0 in" in caplog.text
    assert "not what the paper reports" in caplog.text
    assert (found.channels, found.strides, found.size) == ([4, 8, 16, 32], [2, 4, 8, 16], 32)
    caplog.clear()
    with caplog.at_level(logging.WARNING):
        assert torch.equal(PretrainedBackbone(weights="random", width=4).identity, found.identity)
    assert not caplog.text


def test_without_timm(root: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    monkeypatch.setitem(__import__("sys").modules, "timm", None)
    assert PretrainedBackbone(width=2).channels == [2, 4, 8, 16]
    assert "never trained" in caplog.text
    for weights in ("download", "weights.pth"):
        with pytest.raises(GanLabError, match=r"reading them takes timm: pip install 'gan-lab\[features\]'"):
            PretrainedBackbone(weights=weights)


def timms(**more: Any) -> Any:
    return pytest.importorskip("timm").create_model("tf_efficientnet_lite0", **more)


def test_timms_network_from_a_file(root: Path) -> None:
    """In the data root under its published name; maps are timm's own."""
    timm = pytest.importorskip("timm")
    whole = timms()
    url = timm.models.get_pretrained_cfg("tf_efficientnet_lite0").url
    kept = root / "extractors" / url.rpartition("/")[2]
    kept.parent.mkdir(parents=True)
    torch.save(whole.state_dict(), kept)
    backbone = PretrainedBackbone(size=64).train()
    assert (backbone.channels, backbone.strides) == ([24, 40, 112, 320], [4, 8, 16, 32])
    theirs = timms(features_only=True, out_indices=(1, 2, 3, 4)).eval()
    theirs.load_state_dict({name: whole.state_dict()[name] for name in theirs.state_dict()})
    images = torch.rand(1, 3, 64, 64) * 2 - 1
    with torch.no_grad():
        assert_close(backbone(images), theirs(images))
    assert backbone.state_dict().keys() == {"identity"}


def test_files_that_are_none(tmp_path: Path) -> None:
    path = tmp_path / "weights.pth"
    with pytest.raises(GanLabError, match=r"backbone.weights: there is no file .*weights.pth"):
        PretrainedBackbone(weights=str(path))
    torch.save({"conv_stem.weight": torch.ones(1)}, path)
    with pytest.raises(GanLabError, match=r"does not hold timm's weights of tf_efficientnet_lite0"):
        PretrainedBackbone(weights=str(path))
    with pytest.raises(ConfigError, match=r"backbone.architecture: timm .* has no nothing"):
        PretrainedBackbone("nothing", weights=str(path))


def test_refusals() -> None:
    with pytest.raises(ValueError, match="size must be at least 16 pixels, the deepest map's stride, not 8"):
        UntrainedBackbone(size=8)
    with pytest.raises(ValueError, match="width and levels must be at least 1, not 0 and 4"):
        UntrainedBackbone(width=0)
