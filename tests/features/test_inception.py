"""The FID Inception network against torch-fidelity's, both with the same random weights; its resize in closed form."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from gan_lab.errors import ConfigError
from gan_lab.features.inception import InceptionNetwork, load_weights, resized_as_tensorflow
from gan_lab.metrics import frechet_distance, inception_score, kernel_distance, precision_recall

NAME = "inception-v3-compat"  # torch-fidelity's for this network


def random_state(seed: int = 0) -> dict[str, Tensor]:
    """Weights that keep activations of about one size, so that every layer matters."""
    generator = torch.Generator().manual_seed(seed)
    state = InceptionNetwork().state_dict()
    for name, value in state.items():
        if value.ndim > 1:
            value.normal_(0, (2 / value[0].numel()) ** 0.5, generator=generator)
        elif name.endswith(("bn.weight", "running_var")):
            value.uniform_(0.8, 1.2, generator=generator)
        elif value.is_floating_point():
            value.normal_(0, 0.1, generator=generator)
    return state


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("inception") / "random.pth"
    torch.save(random_state(), path)
    return path


@pytest.fixture(scope="module")
def network(weights: Path) -> InceptionNetwork:
    network = InceptionNetwork()
    load_weights(network, weights)
    return network


def pictures(n: int, height: int, width: int, seed: int = 0) -> Tensor:
    """Blocks of colour with noise over them."""
    generator = torch.Generator().manual_seed(seed)
    blocks = torch.rand(n, 3, -(-height // 8), -(-width // 8), generator=generator).repeat_interleave(8, 2)
    blocks = blocks.repeat_interleave(8, 3)[:, :, :height, :width] * (1 + seed) / (2 + seed)
    return (255 * (blocks + 0.1 * torch.rand(n, 3, height, width, generator=generator)).clamp(0, 1)).byte()


def oracle(weights: Path) -> Any:
    extractor = pytest.importorskip("torch_fidelity.feature_extractor_inceptionv3").FeatureExtractorInceptionV3
    return extractor(NAME, ["2048", "logits_unbiased"], feature_extractor_weights_path=str(weights))


def test_names_and_shapes_are_torch_fidelitys(weights: Path) -> None:
    theirs = {name: value.shape for name, value in oracle(weights).state_dict().items()}
    assert {name: value.shape for name, value in InceptionNetwork().state_dict().items()} == theirs


@pytest.mark.parametrize(("height", "width"), [(32, 32), (310, 20)])
def test_features_and_probabilities_are_torch_fidelitys(
    weights: Path, network: InceptionNetwork, height: int, width: int
) -> None:
    images = pictures(2, height, width)
    features, probabilities = network(images)
    theirs, logits = oracle(weights)(images)
    assert features.std() > 0.1
    assert logits.std() > 0.1
    torch.testing.assert_close(features, theirs, atol=1e-5, rtol=1e-5)
    torch.testing.assert_close(probabilities, logits.softmax(1), atol=0, rtol=1e-4)


@pytest.mark.whole
def test_figures_are_those_of_torch_fidelitys_own_run(weights: Path, network: InceptionNetwork) -> None:
    """`calculate_metrics` from images and a weights file, against our network and functions. Its FID of fewer images
    than dimensions carries the roots of rounding errors (ours not), hence the wider tolerance.

    It draws subsets of `input1` first and takes it for the generated images; here that is the real ones.
    """
    fidelity = pytest.importorskip("torch_fidelity")
    real, fake = pictures(5, 32, 32), pictures(5, 32, 32, seed=1)
    theirs = fidelity.calculate_metrics(
        input1=Images(real),
        input2=Images(fake),
        feature_extractor=NAME,
        feature_extractor_weights_path=str(weights),
        fid=True,
        kid=True,
        isc=True,
        prc=True,
        kid_subsets=5,
        kid_subset_size=4,
        isc_splits=2,
        samples_shuffle=False,
        batch_size=5,
        cuda=False,
        cache=False,
        verbose=False,
        save_cpu_ram=True,
    )
    (features, probabilities), (made, _) = network(real), network(fake)
    assert frechet_distance(features, made) == pytest.approx(theirs["frechet_inception_distance"], rel=1e-4)
    value, _ = kernel_distance(features, made, subsets=5, subset_size=4)
    assert value == pytest.approx(theirs["kernel_inception_distance_mean"], rel=1e-4)
    mean, std = inception_score(probabilities, splits=2)
    assert mean == pytest.approx(theirs["inception_score_mean"], rel=1e-5)
    assert std == pytest.approx(theirs["inception_score_std"], rel=1e-3)
    assert precision_recall(made, features) == pytest.approx((theirs["precision"], theirs["recall"]), abs=1e-6)


class Images(torch.utils.data.Dataset[Tensor]):
    def __init__(self, images: Tensor) -> None:
        self.images = images

    def __len__(self) -> int:
        return len(self.images)

    def __getitem__(self, index: int) -> Tensor:
        return self.images[index]


def test_resize_takes_from_the_places_of_tensorflow() -> None:
    """Along a ramp the value is the place: i H / size, up to the last pixel."""
    ramp = torch.arange(4.0).expand(1, 1, 4, 4)
    places = torch.tensor([0, 0.5, 1, 1.5, 2, 2.5, 3, 3])
    torch.testing.assert_close(resized_as_tensorflow(ramp, 8), places.expand(1, 1, 8, 8))
    torch.testing.assert_close(resized_as_tensorflow(ramp.mT, 8), places.expand(1, 1, 8, 8).mT)
    torch.testing.assert_close(resized_as_tensorflow(ramp, 2), torch.tensor([0.0, 2.0]).expand(1, 1, 2, 2))
    torch.testing.assert_close(resized_as_tensorflow(ramp, 4), ramp)


@pytest.mark.parametrize(("height", "width"), [(8, 32), (299, 299), (512, 300), (1, 1)])
def test_resize_is_torch_fidelitys(height: int, width: int) -> None:
    theirs = pytest.importorskip("torch_fidelity.interpolate_compat_tensorflow")
    images = pictures(1, height, width).float()
    expected = theirs.interpolate_bilinear_2d_like_tensorflow1x(images, size=(299, 299), align_corners=False)
    torch.testing.assert_close(resized_as_tensorflow(images, 299), expected, atol=0, rtol=0)


def test_it_leaves_random_numbers_and_itself_alone(network: InceptionNetwork) -> None:
    """Making it draws nothing; it stays in evaluation mode, takes no gradients, and heeds no autocast."""
    before = torch.get_rng_state()
    InceptionNetwork()
    assert torch.equal(torch.get_rng_state(), before)
    assert not network.train().training
    assert not network.Mixed_5b.training
    images = pictures(1, 16, 16)
    features, _ = network(images)
    assert not features.requires_grad
    with torch.autocast("cpu", torch.bfloat16):
        torch.testing.assert_close(network(images)[0], features, atol=0, rtol=0)
    assert (features >= 0).all()


def test_the_hash_is_the_files(weights: Path, network: InceptionNetwork) -> None:
    assert load_weights(network, weights) == hashlib.sha256(weights.read_bytes()).hexdigest()


def test_what_is_refused(tmp_path: Path, network: InceptionNetwork) -> None:
    standard = tmp_path / "pt_inception-2015-12-05-6726825d.pth"
    standard.write_bytes(b"half a file")
    with pytest.raises(ConfigError, match="damaged or another file"):
        load_weights(network, standard)
    broken, other = tmp_path / "broken.pth", tmp_path / "other.pth"
    broken.write_bytes(b"half a file")
    torch.save({"weight": torch.zeros(1)}, other)
    for path in (broken, other, tmp_path / "absent.pth"):
        with pytest.raises(ConfigError, match="holds no weights of the FID Inception network"):
            load_weights(network, path)
    for images in (torch.zeros(1, 3, 8, 8), torch.zeros(1, 1, 8, 8, dtype=torch.uint8)):
        with pytest.raises(ValueError, match="uint8 images"):
            network(images)
