"""PSNR, SSIM and the Y channel against scikit-image and in closed form; LPIPS on the same images as its authors'."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor

from gan_lab.data.batch import Batch
from gan_lab.errors import ConfigError, GanLabError
from gan_lab.metrics.base import Part
from gan_lab.metrics.pairs import (
    Paired,
    PeakSignalToNoise,
    PerceptualSimilarity,
    StructuralSimilarity,
    psnr,
    ssim,
    y_channel,
)


def pair(channels: int = 3) -> tuple[Tensor, Tensor]:
    generator = torch.Generator().manual_seed(0)
    one = torch.rand(2, channels, 20, 24, generator=generator, dtype=torch.float64)
    return one, (one + 0.1 * torch.randn(one.shape, generator=generator, dtype=torch.float64)).clamp(0, 1)


def bytes_of(images: Tensor) -> Tensor:
    return (images * 255).round().to(torch.uint8)


def figure(measure: Paired, images: Tensor, targets: Tensor, parts: int = 1) -> tuple[float, float | None]:
    """Value and spread of uint8 images that come in parts."""
    accumulator = measure.begin(len(images))
    for image, target in zip(images.chunk(parts), targets.chunk(parts), strict=True):
        batch = Batch(target.float() / 127.5 - 1, input=target.float())
        accumulator.add(Part(image, torch.empty(0), None, None, batch))
    (value,) = accumulator.values(None)  # type: ignore[arg-type]
    assert value.lower_is_better == (measure.name == "lpips")
    return value.value, value.spread


def test_closed_form() -> None:
    black, gray = torch.zeros(1, 1, 16, 16), torch.full((1, 1, 16, 16), 0.1)
    assert psnr(black, gray).item() == pytest.approx(20.0, rel=1e-6)
    assert psnr(black * 2 - 1, gray * 2 - 1, data_range=2).item() == pytest.approx(20.0, rel=1e-6)
    assert psnr(black, black).item() == float("inf")
    assert ssim(gray, gray).item() == pytest.approx(1.0)
    assert ssim(black, gray).item() == pytest.approx(1e-4 / (0.01 + 1e-4), rel=1e-6)  # C1 / (mean^2 + C1)


@pytest.mark.parametrize("channels", [1, 3])
def test_scikit_image(channels: int) -> None:
    metrics = pytest.importorskip("skimage.metrics")
    one, two = pair(channels)
    for index, (value, similar) in enumerate(zip(psnr(two, one), ssim(two, one), strict=True)):
        a, b = (x[index].permute(1, 2, 0).numpy() for x in (one, two))
        assert value.item() == pytest.approx(metrics.peak_signal_noise_ratio(a, b, data_range=1.0), rel=1e-9)
        theirs = metrics.structural_similarity(
            a, b, data_range=1.0, channel_axis=2, gaussian_weights=True, sigma=1.5, use_sample_covariance=False
        )
        assert similar.item() == pytest.approx(float(np.mean(theirs)), rel=1e-6)


def test_the_y_channel_in_closed_form() -> None:
    """Black, white, red, green, blue; 8-bit gray of three channels keeps 219 of 255 levels, of one channel all."""
    colours = torch.tensor([[0, 0, 0], [255, 255, 255], [255, 0, 0], [0, 255, 0], [0, 0, 255]], dtype=torch.uint8)
    found = y_channel(colours.view(5, 3, 1, 1)).flatten()
    assert found.tolist() == [16, 235, 81, 145, 41]
    gray = torch.arange(256, dtype=torch.uint8).view(256, 1, 1, 1)
    assert torch.equal(y_channel(gray), gray.double())
    assert torch.equal(y_channel(gray.expand(-1, 3, -1, -1)), (gray.double() * 219 / 255 + 16).round())


def test_the_y_channel_is_scikit_images_rounded() -> None:
    color = pytest.importorskip("skimage.color")
    images = bytes_of(pair()[0])
    theirs = color.rgb2ycbcr(images.permute(0, 2, 3, 1).numpy())[..., 0]
    assert np.array_equal(y_channel(images)[:, 0].numpy(), theirs.round())


@pytest.mark.parametrize("luma", [False, True])
@pytest.mark.parametrize("border", [0, 4])
def test_what_is_measured_is_what_the_field_reports(luma: bool, border: int) -> None:
    """Eight bits, the border cut before anything else, the Y channel, the mean of the images' values; whatever parts
    they come in."""
    metrics, color = pytest.importorskip("skimage.metrics"), pytest.importorskip("skimage.color")
    targets, images = map(bytes_of, pair())
    expected: dict[str, list[float]] = {"psnr": [], "ssim": []}
    for image, target in zip(images, targets, strict=True):
        a, b = (x.permute(1, 2, 0).numpy()[border : 20 - border, border : 24 - border] for x in (image, target))
        a, b = (color.rgb2ycbcr(x)[..., :1].round() if luma else x.astype(float) for x in (a, b))
        expected["psnr"].append(metrics.peak_signal_noise_ratio(b, a, data_range=255))
        expected["ssim"].append(metrics.structural_similarity(
            b, a, data_range=255, channel_axis=2, gaussian_weights=True, sigma=1.5, use_sample_covariance=False
        ))  # fmt: skip
    for measure in (PeakSignalToNoise(border, luma), StructuralSimilarity(border, luma)):
        values = expected[measure.name]
        for parts in (1, 2):
            value, spread = figure(measure, images, targets, parts)
            assert value == pytest.approx(np.mean(values), rel=1e-6)
            assert spread == pytest.approx(np.std(values, ddof=1) / 2**0.5, rel=1e-4)


def test_one_level_too_bright() -> None:
    dark = torch.full((1, 3, 12, 12), 100, dtype=torch.uint8)
    value, spread = figure(PeakSignalToNoise(), dark + 1, dark)
    assert value == pytest.approx(48.1308, abs=1e-4)  # 20 log10 255
    assert spread is None  # of one image
    assert figure(PeakSignalToNoise(), dark, dark) == (float("inf"), None)


def test_what_is_refused() -> None:
    for metric in (psnr, ssim):
        with pytest.raises(ValueError, match="one shape"):
            metric(torch.zeros(1, 1, 16, 16), torch.zeros(1, 3, 16, 16))
    with pytest.raises(ValueError, match="11x11"):
        ssim(torch.zeros(1, 1, 8, 8), torch.zeros(1, 1, 8, 8))
    with pytest.raises(ConfigError, match=r"^metrics.psnr.border: -1 is not a whole number of at least 0"):
        PeakSignalToNoise(border=-1)
    small, large = torch.zeros(1, 3, 12, 12, dtype=torch.uint8), torch.zeros(1, 3, 24, 24, dtype=torch.uint8)
    with pytest.raises(GanLabError, match=r"^metrics.ssim: the generator makes 3x12x12, the data's images are 3x24x24"):
        figure(StructuralSimilarity(), small, large)


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> tuple[str, str]:
    """Files of random weights: of an AlexNet, and of its channels."""
    from torchvision import models

    torch.manual_seed(0)
    network = models.alexnet(weights=None)
    folder = tmp_path_factory.mktemp("lpips")
    torch.save(network.state_dict(), folder / "alexnet.pth")
    widths = (64, 192, 384, 256, 256)
    linear = {f"lin{index}.model.1.weight": torch.rand(1, width, 1, 1) for index, width in enumerate(widths)}
    torch.save(linear, folder / "linear.pth")
    return str(folder / "alexnet.pth"), str(folder / "linear.pth")


def test_lpips_is_that_of_the_images_in_colour(weights: tuple[str, str]) -> None:
    """More than are compared at once; gray as three equal channels; the smallest images that there may be."""
    from gan_lab.features.lpips import Lpips

    measure = PerceptualSimilarity(2, "alex", *weights)
    images, targets = torch.randint(256, (2, 20, 1, 36, 40), generator=torch.Generator().manual_seed(0)).byte()
    floats = [(x[..., 2:-2, 2:-2].float() / 127.5 - 1).expand(-1, 3, -1, -1) for x in (images, targets)]
    expected = Lpips("alex", *weights)(*floats)
    value, spread = figure(measure, images, targets)
    assert value == pytest.approx(float(expected.mean()), rel=1e-5)
    assert spread == pytest.approx(float(expected.std()) / 20**0.5, rel=1e-4)
    assert figure(measure, images, images)[0] == 0
    settings = measure.settings_of(None, 20)  # type: ignore[arg-type]
    assert settings.keys() == {"network", "border", "weights"}
    assert len(settings["weights"]) == 12


def test_lpips_by_random_weights_says_so(tmp_path: Path) -> None:
    widths = (64, 128, 256, 512, 512)
    torch.save({f"lin{index}.model.1.weight": torch.rand(1, n, 1, 1) for index, n in enumerate(widths)}, tmp_path / "l")
    measure = PerceptualSimilarity(0, "vgg", "random", str(tmp_path / "l"))
    assert measure.seen(None) == "vgg-random"  # type: ignore[arg-type]
    assert measure.settings_of(None, 1)["network"] == "vgg-random"  # type: ignore[arg-type]


def test_lpips_says_which_weights_are_missing(weights: tuple[str, str], tmp_path: Path) -> None:
    with pytest.raises(GanLabError, match=r"^metrics.lpips: there is no file .*none.pth"):
        figure(
            PerceptualSimilarity(0, "alex", weights[0], str(tmp_path / "none.pth")), *[torch.zeros(1, 3, 32, 32)] * 2
        )
    with pytest.raises(ConfigError, match=r"^metrics.lpips: network 'squeeze' is not one of alex, vgg"):
        figure(PerceptualSimilarity(network="squeeze"), *[torch.zeros(1, 3, 32, 32, dtype=torch.uint8)] * 2)
