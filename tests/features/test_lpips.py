"""LPIPS against its authors' package, on the same random network and their weights of the channels."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

import pytest
import torch
from torchvision import models

from gan_lab.errors import ConfigError, GanLabError
from gan_lab.features.lpips import KINDS, Lpips

reference = pytest.importorskip("lpips")


def linear(network: str) -> Path:
    return Path(reference.__file__).parent / "weights" / "v0.1" / f"{network}.pth"


@pytest.fixture(scope="module")
def theirs(tmp_path_factory: pytest.TempPathFactory) -> tuple[Any, Path]:
    """Their AlexNet with random weights, and a file of the same."""
    torch.manual_seed(0)
    network = models.alexnet(weights=None)
    path = tmp_path_factory.mktemp("lpips") / "alexnet.pth"
    torch.save(network.state_dict(), path)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # torchvision's old way of asking for weights, torch.load's
        found = reference.LPIPS(net="alex", pnet_rand=True, verbose=False)
    for piece in (found.net.slice1, found.net.slice2, found.net.slice3, found.net.slice4, found.net.slice5):
        for name, layer in piece.named_children():
            layer.load_state_dict(network.features[int(name)].state_dict())
    return found, path


def test_equal_to_the_authors(theirs: tuple[Any, Path]) -> None:
    found, path = theirs
    ours = Lpips("alex", str(path), str(linear("alex")))
    images, targets = torch.rand(2, 3, 3, 64, 72, generator=torch.Generator().manual_seed(1)) * 2 - 1
    expected = found(images, targets).flatten()
    torch.testing.assert_close(ours(images, targets), expected.detach(), rtol=1e-5, atol=0)
    assert torch.equal(ours(images, images), torch.zeros(3))


@pytest.mark.whole
def test_vgg_is_equal_to_the_authors_too() -> None:
    """On random weights, which their network is given; the figure says that they are."""
    ours = Lpips("vgg", "random", str(linear("vgg")))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        found = reference.LPIPS(net="vgg", pnet_rand=True, verbose=False)
    for piece in (found.net.slice1, found.net.slice2, found.net.slice3, found.net.slice4, found.net.slice5):
        for name, layer in piece.named_children():
            layer.load_state_dict(ours.layers[int(name)].state_dict())
    images, targets = torch.rand(2, 2, 3, 32, 40, generator=torch.Generator().manual_seed(1)) * 2 - 1
    expected = found(images, targets).flatten().detach()
    torch.testing.assert_close(ours(images, targets), expected, rtol=1e-4, atol=0)
    assert len(ours.state_dict()) == 2 * 13 + 5 + 2


def test_gradients_reach_the_images_alone(theirs: tuple[Any, Path]) -> None:
    ours = Lpips("alex", str(theirs[1]), str(linear("alex")))
    image = torch.zeros(1, 3, 64, 64, requires_grad=True)
    ours(image, torch.ones(1, 3, 64, 64)).sum().backward()
    assert image.grad is not None
    assert image.grad.abs().max() > 0
    assert not any(parameter.requires_grad for parameter in ours.parameters())


def test_places_are_the_networks_relus() -> None:
    for kind in KINDS.values():
        with torch.device("meta"):
            features = models.get_model(kind.architecture, weights=None).features
        assert {type(features[place]) for place in kind.places} == {torch.nn.ReLU}


@pytest.mark.parametrize("network", KINDS)
def test_the_hash_is_that_of_the_published_file(network: str) -> None:
    import hashlib

    assert hashlib.sha256(linear(network).read_bytes()).hexdigest().startswith(KINDS[network].linear)


def test_what_cannot_be_had(theirs: tuple[Any, Path], own_data_root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    backbone, channels = str(theirs[1]), str(linear("alex"))
    with pytest.raises(ConfigError, match="lpips: network 'squeeze' is not one of alex, vgg"):
        Lpips("squeeze")
    with pytest.raises(GanLabError, match="lpips: there is no file nowhere"):
        Lpips("alex", "nowhere", channels)
    with pytest.raises(GanLabError, match=r"lpips: .* does not hold torchvision's weights of vgg16"):
        Lpips("vgg", backbone, channels)
    with pytest.raises(GanLabError, match=r"lpips: .* does not hold the channels' weights of alex"):
        Lpips("alex", backbone, str(linear("vgg")))

    def offline(*_: object, **__: object) -> None:
        raise OSError("Name or service not known")

    monkeypatch.setattr("torch.hub.download_url_to_file", offline)
    with pytest.raises(GanLabError) as caught:
        Lpips("alex", backbone)
    assert str(caught.value).startswith(
        "lpips: the channels' weights could not be downloaded (Name or service not known)"
    )
    assert "\n" not in str(caught.value)
    with pytest.raises(
        GanLabError, match=r"lpips: alexnet's weights could not .*alexnet-owt-7be5be79.pth, or say backbone"
    ):
        Lpips("alex")


def test_shapes_must_agree(theirs: tuple[Any, Path]) -> None:
    ours = Lpips("alex", str(theirs[1]), str(linear("alex")))
    with pytest.raises(ValueError, match="one shape"):
        ours(torch.zeros(1, 3, 64, 64), torch.zeros(1, 3, 32, 32))
