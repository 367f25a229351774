"""Extractors from timm, with small networks whose random weights are in a file."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from gan_lab.config import build
from gan_lab.data.dataset import Dataset, build_dataset
from gan_lab.errors import ConfigError, GanLabError
from gan_lab.features.pretrained import Pretrained
from tests.compose import composed

timm = pytest.importorskip("timm")
CPU = torch.device("cpu")
SMALL = "test_vit.r160_in1k"


@pytest.fixture
def data(own_data_root: Path) -> Dataset:
    return build_dataset(composed("dataset=digits")["dataset"])


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    torch.manual_seed(0)
    path = tmp_path_factory.mktemp("weights") / "small.pth"
    torch.save(timm.create_model("test_vit", num_classes=7).state_dict(), path)
    return path


def prepared(data: Dataset, weights: Path, size: int = 160) -> Pretrained:
    extractor = Pretrained("small", SMALL, size, str(weights), img_size=size)
    extractor.prepare(data, CPU)
    return extractor


def test_features_are_timms(data: Dataset, weights: Path) -> None:
    """Of colour images of the right size: normalised by hand, through the network without its head."""
    before = torch.random.get_rng_state()
    extractor = prepared(data, weights)
    images = torch.from_numpy(np.random.default_rng(0).integers(0, 256, (3, 3, 160, 160), dtype=np.uint8))
    found = extractor(images)
    assert torch.equal(before, torch.random.get_rng_state())
    network = timm.create_model("test_vit", num_classes=7)
    network.load_state_dict(torch.load(weights, weights_only=True))
    config = timm.data.resolve_model_data_config(network)
    mean, std = (torch.tensor(config[name]).view(3, 1, 1) for name in ("mean", "std"))
    with torch.no_grad():
        normalised = (images.float() / 255 - mean) / std
        expected = network.eval().forward_head(network.forward_features(normalised), pre_logits=True)
    torch.testing.assert_close(found.features, expected, rtol=1e-5, atol=1e-6)
    assert found.probabilities is None
    assert (extractor.resizer, len(extractor.identity), extractor.standard) == ("bicubic160", 12, False)


def test_small_gray_images_are_resized(data: Dataset, weights: Path) -> None:
    """A flat gray stays flat, and is repeated over the channels; the network is fitted to another size."""
    extractor = prepared(data, weights, 80)
    small, large = (
        torch.full((2, channels, side, side), 90, dtype=torch.uint8) for channels, side in ((1, 16), (3, 80))
    )
    torch.testing.assert_close(extractor(small).features, extractor(large).features, rtol=1e-4, atol=1e-5)


def test_what_cannot_be_had(data: Dataset, weights: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ConfigError, match=r"extractor.architecture: timm .* has no no_such_net"):
        Pretrained("x", "no_such_net.tag").prepare(data, CPU)
    with pytest.raises(GanLabError, match="extractor.weights: there is no file nowhere; leave it out to download"):
        Pretrained("x", SMALL, weights="nowhere").prepare(data, CPU)
    other = tmp_path / "other.pth"
    torch.save({"a": torch.zeros(1)}, other)
    why = rf"extractor.weights: .*other.pth does not hold the weights of {SMALL} \(it has no cls_token\)"
    with pytest.raises(GanLabError, match=why):
        Pretrained("x", SMALL, weights=str(other)).prepare(data, CPU)

    def offline(*_: object, **__: object) -> None:
        raise OSError("no network\nat all")

    monkeypatch.setattr("timm.models._builder.load_state_dict_from_hf", offline)
    with pytest.raises(GanLabError) as caught:
        Pretrained("x", SMALL).prepare(data, CPU)
    assert str(caught.value) == (
        f"extractor: the weights of {SMALL} could not be downloaded (no network at all); say extractor.weights=FILE, "
        "or take extractor=classifier, random or pixels, which need no download"
    )


@pytest.mark.parametrize("name", ["dinov2", "clip"])
def test_the_configured_ones_are_timms(name: str) -> None:
    extractor = build(composed(f"extractor={name}")["extractor"], "extractor")
    assert extractor.name == name
    assert extractor.options == {"img_size": extractor.size}
    assert extractor.architecture in timm.list_models(pretrained=True)
    assert timm.get_pretrained_cfg(extractor.architecture).interpolation == "bicubic"


def test_without_timm(data: Dataset, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "timm", None)
    with pytest.raises(GanLabError, match=r"this extractor needs the package timm: pip install 'gan-lab\[features\]'"):
        Pretrained("x", SMALL).prepare(data, CPU)
