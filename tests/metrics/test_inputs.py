"""Evaluations of generators that make images from others: what they are asked, what is compared, what the cards say."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.nn.functional import avg_pool2d

from gan_lab.data.shapes import Sides
from gan_lab.data.sources.source import DownloadError, Example
from gan_lab.degradations.base import Degradation
from gan_lab.degradations.mask import Mask
from gan_lab.errors import ConfigError, GanLabError
from gan_lab.features.pixels import Pixels
from gan_lab.metrics import frechet_distance
from gan_lab.metrics.colour import ColourError
from gan_lab.metrics.evaluate import applicable, count_for, measure, reference_for, requests
from gan_lab.metrics.figure import unlike
from gan_lab.metrics.hole import HolePeakSignalToNoise
from gan_lab.metrics.measures import FrechetDistance
from gan_lab.metrics.pairs import PeakSignalToNoise, StructuralSimilarity, psnr, ssim
from gan_lab.metrics.reference import Reference, choose
from gan_lab.pictures.grid import to_bytes
from gan_lab.sampling.request import Request
from gan_lab.sampling.sampler import Sampler, all_images
from tests.compose import composed
from tests.metrics.test_evaluation import Copies
from tests.metrics.test_held_out import Halves, halves
from tests.sampling.stand_ins import Converter, Noisy

CPU = torch.device("cpu")
MEASURES = {"psnr": PeakSignalToNoise(), "ssim": StructuralSimilarity(), "fid": FrechetDistance()}


class Enlarged(nn.Module):
    """Each pixel as 2x2 of its own."""

    def forward(self, images: Tensor) -> Tensor:
        return images.repeat_interleave(2, 2).repeat_interleave(2, 3)


class Halved(Degradation):
    """The mean of 2x2 pixels."""

    def forward(self, images: Tensor) -> Tensor:
        return avg_pool2d(images, 2)

    def shape(self, image: Sides) -> Sides:
        return image[0], image[1] // 2, image[2] // 2


class Noise(Degradation):
    def forward(self, images: Tensor) -> Tensor:
        return (images + torch.randn_like(images) / 10).clamp(-1, 1)


class Negative(nn.Module):
    def forward(self, images: Tensor) -> Tensor:
        return -images


HALVED = {"_target_": f"{__name__}.Halved"}


@pytest.fixture(scope="module")
def plain() -> Reference:
    """Half of the digits; the other half is the test split."""
    return halves()


def asked(sampler: Sampler, plain: Reference, inputs: str | None = None, **more: Any) -> Reference:
    """The same with images of half the size as inputs."""
    config = {"dataset": plain.data.config, "degradation": HALVED, **more}
    return reference_for(sampler, config, Pixels(), CPU, inputs, "inputs")


def values(sampler: Sampler, reference: Reference, n: int, **measures: Any) -> dict[str, Any]:
    taken, refused = applicable(measures or MEASURES, reference, sampler)
    assert not refused
    return {figure.card["metric"]: figure for figure in measure(sampler, reference, taken, n, 0, {"step": 3})}


def test_every_image_is_held_against_the_target_of_its_own_input(plain: Reference) -> None:
    """Over the ends of parts, for a number that is not all: figures are those of the functions, of the same places."""
    sampler = Converter(Enlarged(), at_once=10)
    reference = asked(sampler, plain)
    found = values(sampler, reference, 150)
    store = reference.inputs.data.store
    places = choose(150, 898)
    targets = store.read(places)
    made = Enlarged()(avg_pool2d(targets, 2))
    one, two = to_bytes(made), to_bytes(targets)
    assert found["psnr"].value == pytest.approx(float(psnr(one, two, 255).mean()))
    assert found["ssim"].value == pytest.approx(float(ssim(one, two, 255).mean()))
    assert found["psnr"].spread == pytest.approx(float(psnr(one, two, 255).std()) / 150**0.5)
    fid = frechet_distance(plain.features(10**6), plain.extractor(one).features)  # to all images of the data
    assert found["fid"].value == pytest.approx(fid, rel=1e-6)
    assert [found[name].name for name in found] == ["psnr/gray-150", "ssim/gray-150", "fid/pixels-area8-150"]
    assert not any(found[name].lower_is_better for name in ("psnr", "ssim"))


def test_cards_say_which_samples_were_asked_and_how_many(plain: Reference) -> None:
    """The test split where there is one; of pairs it is what they are compared with; the data's own on demand."""
    sampler = Converter(Enlarged())
    test, train = values(sampler, asked(sampler, plain), 10**6), values(sampler, asked(sampler, plain, "train"), 10)
    for found, split, n in ((test, "test", 898), (train, "train", 10)):
        assert {figure.card["n"] for figure in found.values()} == {n}
        assert {figure.card["inputs"]["split"] for figure in found.values()} == {split}
        assert found["psnr"].card["reference"] == found["psnr"].card["inputs"]
        assert found["psnr"].card["inputs"]["degradation"] == HALVED
        assert found["fid"].card["reference"] == plain.card
        assert found["psnr"].card["seed"] == 0
        assert found["psnr"].card["extractor"] == "gray"
    assert "inputs" in unlike(test["fid"].card, train["fid"].card)
    copies = Copies(plain.data.store, labelled=False)
    assert "inputs" not in values(copies, plain, 50, fid=FrechetDistance())["fid"].card


def test_which_inputs(plain: Reference) -> None:
    sampler = Converter(Enlarged())
    assert asked(sampler, plain).inputs.split == "test"
    assert asked(sampler, plain, "test").inputs.split == "test"
    assert asked(Copies(plain.data.store), plain).inputs.split == "train"  # it needs none: none are looked for
    own = asked(sampler, plain, "train")
    assert own.inputs.data is own.data
    assert plain.data.config is not None
    single = {key: value for key, value in plain.data.config.items() if key != "split"}
    for dataset in (single, composed("dataset=digits")["dataset"]):  # without a setting to ask for another split
        only = asked(sampler, plain, dataset=dataset)
        assert only.inputs.data is only.data
    with pytest.raises(ConfigError, match="^inputs=dev: dataset.split=dev: there are train and test"):
        asked(sampler, plain, "dev")
    with pytest.raises(ConfigError, match=r"^inputs: halves \(test\) has no input to make images from"):
        asked(sampler, plain, degradation=None)


def test_inputs_that_nobody_asks_for_are_said(plain: Reference, caplog: pytest.LogCaptureFixture) -> None:
    asked(Copies(plain.data.store), plain)
    assert not caplog.messages
    asked(Copies(plain.data.store), plain, "test")
    assert "inputs=test: is of no effect" in caplog.text


class Unreachable(Halves):
    """A test split that would have to be fetched."""

    @property
    def identity(self) -> str:
        return f"unreachable:{self.split}"

    def __len__(self) -> int:
        if self.split == "test":
            raise DownloadError("no network")
        return super().__len__()


def test_a_split_that_cannot_be_fetched_is_said_with_the_way_out(plain: Reference) -> None:
    source = {"_target_": f"{__name__}.Unreachable", "split": "train"}
    config = {**plain.data.config, "source": source}  # type: ignore[dict-item]
    with pytest.raises(GanLabError, match=r"^inputs=test: .*no network.*; inputs=train takes those of training$"):
        asked(Converter(Enlarged()), plain, dataset=config)
    assert asked(Converter(Enlarged()), plain, "train", dataset=config).inputs.split == "train"


class Inverted(Halves):
    """Pairs: the input is the negative of the image."""

    @property
    def identity(self) -> str:
        return f"inverted:{self.split}"

    def examples(self) -> Iterator[Example]:
        return (Example(name, image, label, 255 - np.asarray(image)) for name, image, label in self)


def test_pairs_of_the_datas_own(plain: Reference) -> None:
    """Of a column of inputs, in the split that is asked, whole images and their own."""
    config = {**plain.data.config, "source": {"_target_": f"{__name__}.Inverted", "split": "train"}}  # type: ignore[dict-item]
    sampler = Converter(Negative())
    reference = asked(sampler, plain, dataset=config, degradation=None)
    assert reference.inputs.split == "test"
    assert "degradation" not in reference.inputs.card
    assert values(sampler, reference, 10**6)["ssim"].value == pytest.approx(1, abs=1e-6)  # but for a level in resizing


def test_inputs_that_are_drawn_are_the_same_at_every_measurement(plain: Reference) -> None:
    state = torch.random.get_rng_state()
    sampler = Converter(nn.Identity())
    noise = {"degradation": {"_target_": f"{__name__}.Noise"}}
    one, two = (values(sampler, asked(sampler, plain, **noise), 70, psnr=PeakSignalToNoise()) for _ in "ab")
    assert one["psnr"].value == two["psnr"].value
    assert 15 < one["psnr"].value < 40
    assert torch.equal(state, torch.random.get_rng_state())


def test_inputs_that_are_images_of_their_own(plain: Reference) -> None:
    """Every one of them is asked once, however many images there are; no measure of pairs can be taken."""
    sampler, digits = Converter(nn.Identity()), composed("dataset=digits")["dataset"]
    reference = asked(sampler, plain, dataset={**plain.data.config, "inputs": digits}, degradation=None)  # type: ignore[dict-item]
    taken, refused = applicable(MEASURES, reference, sampler)
    assert list(taken) == ["fid"]
    assert refused["psnr"].startswith("the data has no pairs")
    (fid,) = measure(sampler, reference, taken, 10**6, 0, {})
    assert (fid.card["n"], fid.card["inputs"]["name"], fid.card["inputs"]["count"]) == (1797, "digits", 1797)
    everything = torch.from_numpy(np.array(reference.inputs.store.images))
    expected = frechet_distance(plain.features(10**6), plain.extractor(everything).features)
    assert fid.value == pytest.approx(expected, rel=1e-6)


def test_what_is_no_pair_is_refused_in_words(plain: Reference) -> None:
    measures = {
        "psnr": PeakSignalToNoise(),
        "wide": PeakSignalToNoise(border=8),
        "ssim": StructuralSimilarity(border=3),
    }
    taken, refused = applicable(measures, plain, Copies(plain.data.store))
    assert not taken
    assert set(refused.values()) == {"the generator takes no input, so no image answers another"}
    sampler = Converter(Enlarged())
    taken, refused = applicable(measures, asked(sampler, plain), sampler)
    assert (list(taken), refused["wide"]) == (["psnr"], "of the images 0 pixels are left, 1 are needed")
    assert refused["ssim"] == "of the images 10 pixels are left, 11 are needed"


def test_codes_are_the_seeds_and_the_indexs_alone(plain: Reference) -> None:
    """However the samples are asked for: in parts as in one request."""
    noisy = Noisy(Enlarged())
    reference = asked(noisy, plain)
    parts = [all_images(noisy, request) for request, _ in requests(noisy, reference, 70, 5)]
    assert [len(part) for part in parts] == [64, 6]
    batch = reference.inputs.batch(choose(70, 898))
    assert torch.equal(torch.cat(parts), all_images(noisy, Request(70, 5, input=batch.input)))


def test_a_sampler_without_inputs_is_asked_as_ever(plain: Reference) -> None:
    copies = Copies(plain.data.store)
    ((request, batch),) = requests(copies, plain, 10**6, 3)
    assert (request.n, request.seed, batch) == (10**6, 3, None)
    assert set(request.asked) == {"label"}
    assert count_for(copies, plain, 10**6) == 10**6
    assert count_for(Converter(Enlarged()), plain, 10**6) == 899


def test_what_is_missing_is_asked_of_masks_alone(plain: Reference) -> None:
    """And colours of images in colour."""
    holed = asked(Converter(Enlarged()), plain, degradation={"_target_": f"{Mask.__module__}.Mask"})
    assert HolePeakSignalToNoise().why_not(holed) is None
    halved = asked(Converter(Enlarged()), plain)
    assert HolePeakSignalToNoise().why_not(halved) == "the inputs have no mask; choose degradation=mask"
    assert str(HolePeakSignalToNoise().why_not(plain)).startswith("the data has no pairs")
    assert ColourError().why_not(halved) == "the images are gray"
