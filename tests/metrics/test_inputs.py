"""Evaluations of generators that make images from others: what they are asked, what is compared, what the cards say."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn.functional import avg_pool2d

from gan_lab.data.batch import Batch
from gan_lab.errors import ConfigError
from gan_lab.features.pixels import Pixels
from gan_lab.metrics import frechet_distance
from gan_lab.metrics.evaluate import applicable, count_for, measure, reference_for, requests
from gan_lab.metrics.figure import unlike
from gan_lab.metrics.measures import FrechetDistance
from gan_lab.metrics.pairs import PeakSignalToNoise, StructuralSimilarity, psnr, ssim
from gan_lab.metrics.reference import Reference
from gan_lab.pictures.grid import to_bytes
from gan_lab.sampling.request import Request
from gan_lab.sampling.sampler import Sampler, all_images
from tests.metrics.test_evaluation import Copies
from tests.metrics.test_held_out import halves
from tests.sampling.stand_ins import Converter, Noisy

CPU = torch.device("cpu")
MEASURES = {"psnr": PeakSignalToNoise(), "ssim": StructuralSimilarity(), "fid": FrechetDistance()}


class Enlarged(nn.Module):
    """Each pixel as 2x2 of its own."""

    def forward(self, images: Tensor) -> Tensor:
        return images.repeat_interleave(2, 2).repeat_interleave(2, 3)


@pytest.fixture
def paired(monkeypatch: pytest.MonkeyPatch) -> Reference:
    """Half of the digits, with images of half the size as inputs; the other half is the test split."""
    plain = Reference.batch

    def batch(self: Reference, places: NDArray[np.int64]) -> Batch:
        found = plain(self, places)
        return found._replace(input=avg_pool2d(found.image, 2))

    monkeypatch.setattr(Reference, "batch", batch)
    monkeypatch.setattr(Reference, "paired", True)
    return halves()


def asked(sampler: Sampler, reference: Reference, inputs: str | None = None) -> Reference:
    return reference_for(sampler, reference.data, Pixels(), CPU, inputs, "inputs")


def values(sampler: Sampler, reference: Reference, n: int, **measures: Any) -> dict[str, Any]:
    taken, refused = applicable(measures or MEASURES, reference, sampler)
    assert not refused
    return {figure.card["metric"]: figure for figure in measure(sampler, reference, taken, n, 0, {"step": 3})}


def test_every_image_is_held_against_the_target_of_its_own_input(paired: Reference) -> None:
    """Over the ends of parts, for a number that is not all: figures are those of the functions, of the same places."""
    sampler = Converter(Enlarged())
    reference = asked(sampler, paired)
    found = values(sampler, reference, 150)
    store = reference.inputs.data.store
    places = reference.inputs.places(150)
    targets = store.read(places)
    made = Enlarged()(avg_pool2d(targets, 2))
    one, two = to_bytes(made), to_bytes(targets)
    assert found["psnr"].value == pytest.approx(float(psnr(one, two, 255).mean()))
    assert found["ssim"].value == pytest.approx(float(ssim(one, two, 255).mean()))
    assert found["psnr"].spread == pytest.approx(float(psnr(one, two, 255).std()) / 150**0.5)
    fid = frechet_distance(paired.features(10**6), paired.extractor(one).features)  # to all images of the data
    assert found["fid"].value == pytest.approx(fid, rel=1e-6)
    assert [found[name].name for name in found] == ["psnr/gray-150", "ssim/gray-150", "fid/pixels-area8-150"]
    assert not any(found[name].lower_is_better for name in ("psnr", "ssim"))


def test_cards_say_which_samples_were_asked_and_how_many(paired: Reference) -> None:
    """The test split where there is one; of pairs it is what they are compared with; the data's own on demand."""
    sampler = Converter(Enlarged())
    test, train = values(sampler, asked(sampler, paired), 10**6), values(sampler, asked(sampler, paired, "train"), 10)
    for found, split, n in ((test, "test", 898), (train, "train", 10)):
        assert {figure.card["n"] for figure in found.values()} == {n}
        assert {figure.card["inputs"]["split"] for figure in found.values()} == {split}
        assert found["psnr"].card["reference"] == found["psnr"].card["inputs"]
        assert found["fid"].card["reference"] == paired.card
        assert found["psnr"].card["seed"] == 0
        assert found["psnr"].card["extractor"] == "gray"
    assert "inputs" in unlike(test["fid"].card, train["fid"].card)
    copies = Copies(paired.data.store, labelled=False)
    assert "inputs" not in values(copies, paired, 50, fid=FrechetDistance())["fid"].card


def test_which_inputs(paired: Reference, monkeypatch: pytest.MonkeyPatch) -> None:
    sampler = Converter(Enlarged())
    assert asked(sampler, paired).inputs.split == "test"
    assert asked(sampler, paired, "test").inputs.split == "test"
    assert asked(Copies(paired.data.store), paired).inputs.split == "train"  # it needs none: none are looked for
    own = asked(sampler, paired, "train")
    assert own.inputs is own
    with pytest.raises(ConfigError, match="^inputs=dev: dataset.split=dev: there are train and test"):
        asked(sampler, paired, "dev")
    without = paired.data._replace(dataset={**paired.data.dataset, "split": "test"})  # type: ignore[dict-item]
    only = reference_for(sampler, without, Pixels(), CPU, None, "inputs")
    assert only.inputs is only
    with monkeypatch.context() as patch:
        patch.setattr(Reference, "batch", lambda self, places: Batch(torch.zeros(1, 1, 2, 2)))
        with pytest.raises(ConfigError, match=r"^inputs: halves \(test\) has no input to make images from"):
            asked(sampler, paired)


def test_what_is_no_pair_is_refused_in_words(paired: Reference, monkeypatch: pytest.MonkeyPatch) -> None:
    measures = {
        "psnr": PeakSignalToNoise(),
        "wide": PeakSignalToNoise(border=8),
        "ssim": StructuralSimilarity(border=3),
    }
    taken, refused = applicable(measures, paired, Copies(paired.data.store))
    assert not taken
    assert set(refused.values()) == {"the generator takes no input, so no image answers another"}
    sampler = Converter(Enlarged())
    taken, refused = applicable(measures, asked(sampler, paired), sampler)
    assert (list(taken), refused["wide"]) == (["psnr"], "of the images 0 pixels are left, 1 are needed")
    assert refused["ssim"] == "of the images 10 pixels are left, 11 are needed"
    monkeypatch.setattr(Reference, "paired", False)
    _, refused = applicable(measures, asked(sampler, paired), sampler)
    assert refused["psnr"].startswith("the data has no pairs")
    (fid,) = measure(sampler, asked(sampler, paired), {"fid": FrechetDistance()}, 30, 0, {})
    assert fid.card["n"] == 30  # of unpaired data


def test_codes_are_the_seeds_and_the_indexs_alone(paired: Reference) -> None:
    """However the samples are asked for: in parts as in one request."""
    noisy = Noisy(Enlarged())
    reference = asked(noisy, paired)
    parts = [all_images(noisy, request) for request, _ in requests(noisy, reference, 70, 5)]
    assert [len(part) for part in parts] == [64, 6]
    batch = reference.inputs.batch(reference.inputs.places(70))
    assert torch.equal(torch.cat(parts), all_images(noisy, Request(70, 5, input=batch.input)))


def test_a_sampler_without_inputs_is_asked_as_ever(paired: Reference) -> None:
    copies = Copies(paired.data.store)
    ((request, batch),) = requests(copies, paired, 10**6, 3)
    assert (request.n, request.seed, batch) == (10**6, 3, None)
    assert set(request.asked) == {"label"}
    assert count_for(copies, paired, 10**6) == 10**6
    assert count_for(Converter(Enlarged()), paired, 10**6) == 899
