"""Pictures of any size: what is left of them, what they are asked by, what is compared, what is refused."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any
from zipfile import ZipFile

import numpy as np
import pytest
import torch
from PIL import Image
from torch import Tensor, nn

from gan_lab.config import build
from gan_lab.errors import ConfigError
from gan_lab.features.pixels import Pixels
from gan_lab.metrics.evaluate import applicable, measure, reference_for
from gan_lab.metrics.measures import FrechetDistance
from gan_lab.metrics.pairs import PeakSignalToNoise, psnr
from gan_lab.metrics.reference import Reference
from gan_lab.pictures.grid import to_bytes
from tests.compose import composed
from tests.sampling.stand_ins import Converter

SIZES = {"a": (23, 31), "b": (17, 16)}  # height, width
DOWNSCALE = {"_target_": "gan_lab.degradations.downscale.Downscale", "scale": 2}
Ask = Callable[..., Reference]


class Enlarged(nn.Module):
    """Each pixel as 2x2 of its own."""

    def __init__(self, multiple: int = 1) -> None:
        super().__init__()
        self.multiple = multiple

    def forward(self, images: Tensor) -> Tensor:
        return images.repeat_interleave(2, 2).repeat_interleave(2, 3)


def paint(folder: Path, sizes: dict[str, tuple[int, int]] = SIZES) -> Path:
    folder.mkdir(parents=True)
    random = np.random.default_rng(len(folder.name))
    for name, (height, width) in sizes.items():
        Image.fromarray(random.integers(0, 256, (height, width, 3), dtype=np.uint8)).save(folder / f"{name}.png")
    return folder


def pixels_of(path: Path) -> Tensor:
    return torch.from_numpy(np.array(Image.open(path))).permute(2, 0, 1)


@pytest.fixture
def ask(tmp_path: Path) -> Ask:
    """The reference of a folder whose pictures training sees in patches of 8 pixels."""
    paint(tmp_path / "data" / "train")

    def asked(inputs: str | None = None, multiple: int = 1, **more: Any) -> Reference:
        words = ("dataset=folder", f"dataset.path={tmp_path / 'data'}", "+dataset.patch.size=8")
        config = {"dataset": composed(*words)["dataset"], "degradation": DOWNSCALE, **more}
        sampler = Converter(Enlarged(multiple))
        return reference_for(sampler, config, Pixels(), torch.device("cpu"), inputs, "inputs", whole=True)

    return asked


def test_what_is_left_over_is_cut_off_at_the_right_and_below(ask: Ask, tmp_path: Path) -> None:
    inputs = ask().inputs
    degrade = build(DOWNSCALE, "degradation")
    assert (len(inputs), inputs.image_shape) == (2, (3, 16, 16))
    for place, name in enumerate(SIZES):
        batch = inputs.batch(np.array([place]))
        height, width = (side - side % 2 for side in SIZES[name])
        expected = pixels_of(tmp_path / "data" / "train" / f"{name}.png")[:, :height, :width]
        assert torch.equal(to_bytes(batch.image)[0], expected)
        assert batch.input is not None
        assert torch.equal(batch.input, degrade(batch.image))


def test_of_what_the_network_needs_too(ask: Ask) -> None:
    """Inputs are to be multiples of 3, so pictures of 6."""
    inputs = ask(multiple=3).inputs
    assert [tuple(inputs.batch(np.array([place])).image.shape[2:]) for place in range(2)] == [(18, 30), (12, 12)]


def test_figures_are_means_over_pictures(ask: Ask) -> None:
    reference, sampler = ask(), Converter(Enlarged())
    measures = {"psnr": PeakSignalToNoise(border=2, luma=False), "fid": FrechetDistance()}
    taken, refused = applicable(measures, reference, sampler)
    why = "whole pictures, of many sizes, can be compared with their targets only (metrics=super_resolution)"
    assert refused == {"fid": why}
    (figure,) = measure(sampler, reference, taken, 100, 0, {})
    found = []
    for place in range(2):
        batch = reference.inputs.batch(np.array([place]))
        assert batch.input is not None
        made = to_bytes(Enlarged()(batch.input).clamp(-1, 1))
        inside = (..., slice(2, -2), slice(2, -2))
        found.append(psnr(made[inside], to_bytes(batch.image)[inside], 255))
    assert figure.value == pytest.approx(float(torch.cat(found).mean()))
    assert figure.name == "psnr/rgb-border2-2"
    card = figure.card["reference"]
    assert (card["split"], card["count"], card["shape"], card["degradation"]) == ("train", 2, "whole", DOWNSCALE)


def test_which_pictures_are_meant(ask: Ask, tmp_path: Path) -> None:
    """Those of a test split where there is one; another split by name; a path; each has another checksum."""
    train = ask().inputs
    paint(tmp_path / "data" / "test", {"c": (9, 9)})
    paint(tmp_path / "elsewhere", {"d": (12, 10), "e": (8, 8)})
    found = [train, ask().inputs, ask("train").inputs, ask(str(tmp_path / "elsewhere")).inputs]
    assert [inputs.split for inputs in found] == ["train", "test", "train", "path"]
    assert [len(inputs) for inputs in found] == [2, 1, 2, 2]
    sums = [inputs.card["sha256"] for inputs in found]
    assert len(set(sums)) == 3
    assert sums[0] == sums[2]


def test_a_folder_in_a_zip_is_what_it_holds(ask: Ask, tmp_path: Path) -> None:
    paint(tmp_path / "d", {"d": (12, 10)})
    with ZipFile(tmp_path / "sets.zip", "w") as archive:
        archive.write(tmp_path / "d" / "d.png", "Set1/HR/d.png")
        archive.write(tmp_path / "d" / "d.png", "Set2/HR/e.png")
    found = ask(str(tmp_path / "sets.zip" / "Set1" / "HR")).inputs
    assert (found.split, len(found)) == ("path", 1)
    with pytest.raises(ConfigError, match="there is no Set3 with images in"):
        len(ask(str(tmp_path / "sets.zip" / "Set3")).inputs)


def test_refusals(ask: Ask, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"^inputs: .*/nowhere does not exist$"):
        ask(str(tmp_path / "nowhere"))
    with pytest.raises(
        ConfigError, match="^inputs: whole pictures need what makes inputs of them; choose a degradation"
    ):
        ask(degradation=None)
    with pytest.raises(ConfigError, match=r"^inputs: digits has no pictures of sizes of their own; name some: inputs="):
        ask(dataset=composed("dataset=digits")["dataset"])
    paint(tmp_path / "tiny", {"dot": (1, 5)})
    with pytest.raises(ConfigError, match="dot.png: of 5x1 there is no multiple of 2"):
        ask(str(tmp_path / "tiny"))


def test_drawing_changes_no_generator(ask: Ask) -> None:
    noise = {"_target_": "gan_lab.degradations.noise.Noise"}
    inputs = ask(degradation=noise).inputs
    torch.manual_seed(3)
    before = torch.get_rng_state()
    one, two = (inputs.batch(np.array([0])).input for _ in range(2))
    assert torch.equal(torch.get_rng_state(), before)
    assert one is not None
    assert two is not None
    assert torch.equal(one, two)
