"""Extractors, references, evaluations and their cards, on the tiny data that comes with the package."""

from __future__ import annotations

import copy
import math
import os
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from gan_lab.algorithms.latents import Normal
from gan_lab.algorithms.noise_sampler import NoiseSampler
from gan_lab.data.batch import Batch
from gan_lab.data.dataset import Dataset, build_dataset
from gan_lab.data.store import Store
from gan_lab.engine.engine import Engine
from gan_lab.engine.tf32 import allow_tf32
from gan_lab.errors import ConfigError, GanLabError
from gan_lab.features.automatic import Automatic
from gan_lab.features.classifier import Classifier, _of_all
from gan_lab.features.extractor import Extracted, Extractor
from gan_lab.features.inception_extractor import Inception
from gan_lab.features.pixels import Pixels
from gan_lab.features.random_convolutions import RandomConvolutions
from gan_lab.metrics import frechet_distance
from gan_lab.metrics.evaluate import applicable, cautions, measure
from gan_lab.metrics.figure import Figure, find_figure, unlike
from gan_lab.metrics.measures import (
    DensityCoverage,
    FrechetDistance,
    InceptionScore,
    IntraClassDistance,
    KernelDistance,
    Memorisation,
    PrecisionRecall,
    SlicedWasserstein,
)
from gan_lab.metrics.modes import Modes, modes_of_points, reverse_kl
from gan_lab.metrics.reference import Reference
from gan_lab.sampling.label_space import Classes
from gan_lab.sampling.request import Request
from gan_lab.sampling.sampler import Sampler, all_images
from tests.compose import composed

CPU = torch.device("cpu")
ALL = {
    "fid": FrechetDistance(),
    "kid": KernelDistance(subsets=2, subset_size=50),
    "is": InceptionScore(splits=2),
    "pr": PrecisionRecall(),
    "dc": DensityCoverage(),
    "swd": SlicedWasserstein(),
    "intra": IntraClassDistance(least=10),
    "memory": Memorisation(),
    "modes": Modes(),
}


class Copies(Sampler):
    """Hands out the data itself, `every`-th image after the other; the labels that it is asked for are theirs."""

    takes = frozenset({"label"})

    def __init__(self, store: Store, every: int = 1, labelled: bool = True) -> None:
        self.store, self.every = store, every
        self.label_space = Classes(10 if labelled else 0)

    def places(self, n: int) -> np.ndarray:
        return np.arange(n) * self.every % len(self.store)

    def labels_like(self, labels: torch.Tensor | None, n: int, seed: int) -> torch.Tensor | None:
        return torch.from_numpy(self.store.labels[self.places(n)]) if self.num_classes else None

    def drawn(self, request: Request) -> Iterator[torch.Tensor]:
        places = self.places(request.n)
        for start in range(0, request.n, 64):
            yield self.store.read(places[start : start + 64])

    def codes(self, n: int, seed: int, truncation: float | None = None) -> torch.Tensor:
        raise NotImplementedError

    def panel(self, shown: Batch, seed: int) -> dict[str, torch.Tensor]:
        raise NotImplementedError


def data(name: str = "digits") -> Dataset:
    config = composed(f"dataset={name}", *(["dataset.source.count=1500"] if name != "digits" else []))
    return build_dataset(config["dataset"])


@pytest.fixture(scope="module")
def digits() -> Reference:
    found = data()
    extractor = Classifier(steps=60)
    extractor.prepare(found, CPU)
    return Reference(found, extractor)


@pytest.mark.whole
def test_every_metric_of_the_data_itself(digits: Reference) -> None:
    """All images once: as near as can be, and the cards say what was done."""
    n = len(digits.data.store)
    taken, refused = applicable(ALL, digits)
    assert not refused
    figures = measure(Copies(digits.data.store), digits, taken, n, 0, {"step": 7})
    values = {figure.card["metric"]: figure.value for figure in figures}
    assert values["fid"] == pytest.approx(0, abs=1e-6)
    assert values["precision"] == values["recall"] == values["coverage"] == 1.0
    assert values["swd"] == pytest.approx(0, abs=1e-9)
    assert values["intra_class_fid"] == pytest.approx(0, abs=1e-6)
    assert values["modes"] == 10
    assert values["memorisation"] < -10  # they are copies
    assert 1 < values["inception_score"] <= 10
    names = {figure.name for figure in figures}
    assert {f"fid/classifier-native-{n}", f"swd/laplacian-{n}", f"modes/classifier-native-{n}"} <= names
    fid = next(figure for figure in figures if figure.card["metric"] == "fid")
    assert fid.card["reference"]["sha256"] == digits.data.store.sha256[:16]
    assert fid.card["weights"] == digits.extractor.identity
    assert (fid.card["step"], fid.card["seed"], fid.card["n"]) == (7, 0, n)


def test_parts_are_the_whole(digits: Reference) -> None:
    """What comes in parts gives what the function gives of everything at once."""
    store = digits.data.store
    images = all_images(Copies(store, 3), Request(300))
    extracted = digits.extractor(torch.from_numpy(store.images[np.arange(300) * 3]))
    figures = measure(Copies(store, 3), digits, {"fid": ALL["fid"], "pr": ALL["pr"]}, 300, 0, {})
    assert figures[0].value == pytest.approx(
        frechet_distance(digits.features(len(store)), extracted.features), rel=1e-6
    )
    assert len(images) == 300
    assert figures[1].name == "precision/classifier-native-300"


def test_the_reference_is_kept(digits: Reference, monkeypatch: pytest.MonkeyPatch) -> None:
    """A second process reads what the first has computed; a damaged file is computed again."""
    first = digits.moments
    again = Reference(digits.data, digits.extractor)

    def never(self: Reference, places: object) -> object:
        raise AssertionError("computed again")

    with monkeypatch.context() as patch:
        patch.setattr(Reference, "_extracted", never)
        assert again.moments.mean.tolist() == first.mean.tolist()
    folder = Path(os.environ["GAN_LAB_DATA"]) / "references"
    for path in folder.glob("digits-classifier-moments-*.npz"):
        path.write_bytes(b"damaged")
    assert Reference(digits.data, digits.extractor).moments.mean.tolist() == first.mean.tolist()


def test_the_classifier_is_kept_and_repeatable(digits: Reference, tmp_path: Path, monkeypatch) -> None:
    """The file is read by the next who asks; trained anew with the same seed it is the same; no random number of the
    run's is taken."""
    state = torch.random.get_rng_state()
    same = Classifier(steps=60)
    same.prepare(digits.data, CPU)
    assert same.identity == digits.extractor.identity
    monkeypatch.setenv("GAN_LAB_DATA", str(tmp_path))
    anew = Classifier(steps=60)
    anew.prepare(digits.data, CPU)
    assert anew.identity == digits.extractor.identity
    assert torch.equal(state, torch.random.get_rng_state())
    assert anew.accuracy is not None
    assert anew.accuracy > 0.8


def test_auto_fits_the_data(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Classifier, "prepare", lambda self, data, device: None)
    for name, kind in (("digits", Classifier), ("ring", Pixels)):
        extractor = Automatic()
        extractor.prepare(data(name), CPU)
        assert isinstance(extractor.settled(), kind)


@pytest.mark.parametrize("extractor", [Pixels(side=4), RandomConvolutions()])
def test_extractors_without_training(extractor: Extractor) -> None:
    """Deterministic, independent of what is beside an image, and other images give other features."""
    found = data()
    extractor.prepare(found, CPU)
    images = torch.from_numpy(np.array(found.store.images[:6]))
    features = extractor(images).features
    torch.testing.assert_close(extractor(images[2:4]).features, features[2:4])
    assert features.shape[0] == 6
    assert features.unique(dim=0).shape[0] == 6
    assert len(extractor.identity) == 12


def test_stacked_digits_are_told_by_their_parts() -> None:
    """A classifier of single channels; the class of three digits is their number."""
    found = data("stacked_digits")
    assert (found.parts, found.classes_of_part) == (3, 10)
    extractor = Classifier(steps=80)
    extractor.prepare(found, CPU)
    extracted = extractor(torch.from_numpy(np.array(found.store.images[:200])))
    assert extracted.features.shape == (200, 3 * 128)
    assert extracted.probabilities is not None
    torch.testing.assert_close(extracted.probabilities.sum(1), torch.ones(200))
    right = (extracted.probabilities.argmax(1).numpy() == found.store.labels[:200]).mean()
    assert extractor.accuracy is not None
    assert extractor.accuracy > 0.9
    assert right > extractor.accuracy**3 - 0.15


def test_probabilities_of_parts_multiply() -> None:
    one, two = torch.tensor([0.2, 0.8]), torch.tensor([0.5, 0.5])
    found = _of_all(torch.stack([one, two]), 2)
    torch.testing.assert_close(found, torch.tensor([[0.1, 0.1, 0.4, 0.4]]))


def test_modes_of_points_by_hand() -> None:
    centres = np.array([[0.0, 0.0], [1.0, 0.0], [0.0, 1.0]])
    points = np.array([[0.0, 0.29], [0.0, 0.31], [1.0, 0.0], [0.9, 0.0]])
    modes, quality, divergence = modes_of_points(points, centres, 0.1)
    assert (modes, quality) == (2, 0.75)
    assert divergence == pytest.approx(math.log(1.5))
    assert reverse_kl(np.array([1, 3]), np.array([0.5, 0.5])) == pytest.approx(
        0.25 * math.log(0.5) + 0.75 * math.log(1.5)
    )
    assert reverse_kl(np.array([1, 1]), np.array([1.0, 0.0])) == math.inf


def test_the_mixture_itself_covers_the_grid() -> None:
    found = data("grid")
    extractor = Pixels()
    extractor.prepare(found, CPU)
    reference = Reference(found, extractor)
    figures = measure(Copies(found.store, labelled=False), reference, {"modes": Modes()}, 1500, 0, {})
    values = {figure.name: figure.value for figure in figures}
    assert values["modes/points-1500"] == 25
    assert values["quality/points-1500"] == pytest.approx(1 - math.exp(-4.5), abs=0.01)  # within 3 std in the plane
    assert values["reverse_kl/points-1500"] < 0.02


def test_what_cannot_be_taken_says_why() -> None:
    found = data("ring")
    extractor = Pixels()
    extractor.prepare(found, CPU)
    taken, refused = applicable(ALL, Reference(found, extractor))
    assert set(refused) == {"is", "swd"}
    assert "fid" in taken
    with pytest.raises(ConfigError, match="extractor=random"):
        Classifier().prepare(without_labels(found), CPU)


def first(n: int) -> Reference:
    """The digits, of which only the first `n` are there."""
    found = copy.copy(data())
    found.store = copy.copy(found.store)
    found.store.card = {**found.store.card, "count": n, "sha256": f"{n:064d}"}
    found.store.images, found.store.labels = found.store.images[:n], found.store.labels[:n]
    extractor = Pixels(side=2)
    extractor.prepare(found, CPU)
    return Reference(found, extractor)


@pytest.mark.parametrize(
    ("real", "n", "refused"),
    [
        (1, 9, {"fid", "kid", "pr", "dc", "memory", "intra"}),
        (9, 1, {"fid", "kid", "pr", "dc", "is", "intra"}),
        (5, 8, {"dc", "intra"}),
        (8, 3, {"pr", "dc", "intra"}),
        (6, 6, {"intra"}),
        (4, 4, {"dc", "intra"}),
        (2, 2, {"pr", "dc", "intra"}),
    ],
)
def test_too_few_images_are_known_beforehand(real: int, n: int, refused: set[str]) -> None:
    """What is not refused can be taken; what is names its need and what there is."""
    reference = first(real)
    reference.extractor.classes = reference.extractor.knows_classes = 10  # type: ignore[assignment]
    measures = {name: each for name, each in ALL.items() if name != "modes"}
    taken, found = applicable(measures, reference, n=n)
    assert set(found) == refused
    assert all(f"there are {real} and n={n}" in why or "two images" in why for why in found.values())
    taken.pop("is", None)
    figures = measure(Copies(reference.data.store), reference, taken, n, 0, {})
    assert {figure.card["metric"] for figure in figures} >= {"swd"}
    assert all(figure.spread is None or math.isfinite(figure.spread) for figure in figures)


def test_figures_that_mean_little_are_told_of() -> None:
    reference = first(40)  # features have 4 dimensions
    assert reference.dimensions == 4
    (few,) = cautions({"fid": FrechetDistance(), "kid": KernelDistance()}, reference, 4)
    assert few.startswith("metrics: fid of 4 generated images is far too large: features have 4 dimensions")
    (few,) = cautions({"intra": IntraClassDistance(least=2), "kid": KernelDistance()}, reference, 40)
    assert few.startswith("metrics: intra is far too large: of some classes it takes ")
    assert cautions({"fid": FrechetDistance()}, reference, 5) == []


def test_a_class_of_one_image_is_left_out_by_name() -> None:
    reference = first(12)
    labels = np.array([0] * 6 + [1] * 5 + [7])
    reference.data.store.labels = labels
    sampler = Copies(reference.data.store)
    (told,) = cautions({"intra": IntraClassDistance(least=2)}, reference, 12)
    assert told.startswith("metrics: intra leaves out 2, 3, 4, 5, 6, 7, 8, 9: fewer than two images")
    (few,) = cautions({"intra": IntraClassDistance(least=6)}, reference, 12)
    assert few.startswith(f"{told}; it leaves out 1: fewer than 6 generated images of n=12")
    (figure,) = measure(sampler, reference, {"intra": IntraClassDistance(least=2)}, 12, 0, {})
    assert figure.value == pytest.approx(0, abs=1e-9)  # of classes 0 and 1
    with pytest.raises(GanLabError, match="no class has 7 generated images"):
        measure(sampler, reference, {"intra": IntraClassDistance(least=7)}, 12, 0, {})
    reference.data.store.labels = np.arange(10)
    assert IntraClassDistance().why_not(reference) == "no class of the data has two images"


def without_labels(found: Dataset) -> Dataset:
    """The same pictures, of which no class is known."""
    unlabelled = copy.copy(found)
    unlabelled.store = copy.copy(found.store)
    unlabelled.store.labels = None
    unlabelled.store.card = {**found.store.card, "classes": None}
    return unlabelled


def test_inception_weights_that_are_not_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One line with the ways out; nothing half downloaded stays."""
    monkeypatch.setenv("GAN_LAB_DATA", str(tmp_path))

    def refuse(url: str, path: str, **more: object) -> None:
        raise OSError("no network")

    monkeypatch.setattr(torch.hub, "download_url_to_file", refuse)
    with pytest.raises(GanLabError, match=r"no network.*extractor.weights=FILE.*classifier, random or pixels"):
        Inception().prepare(data(), CPU)
    with pytest.raises(GanLabError, match=r"extractor.weights: there is no file"):
        Inception(weights=str(tmp_path / "none.pth")).prepare(data(), CPU)


def test_figures_are_taken_in_full_precision(monkeypatch: pytest.MonkeyPatch) -> None:
    """No TF32 where images are made and seen, and for the data's side; afterwards it is as it was."""
    seen: list[tuple[bool, bool]] = []

    def precision() -> tuple[bool, bool]:
        return torch.backends.cuda.matmul.allow_tf32, torch.backends.cudnn.allow_tf32

    class Watching(Pixels):
        def __call__(self, images: Tensor) -> Extracted:
            seen.append(precision())
            return super().__call__(images)

    class Network(nn.Module):
        def forward(self, latent: Tensor, label: Tensor | None = None) -> Tensor:
            seen.append(precision())
            return latent.view(-1, 1, 4, 4).repeat_interleave(4, 2).repeat_interleave(4, 3)

    before = precision()
    allow_tf32(True)
    try:
        found, extractor = data(), Watching()
        extractor.prepare(found, CPU)
        reference = Reference(found, extractor)
        sampler = NoiseSampler(Network(), Normal(16), Engine(device="cpu", precision="fp32"))
        next(sampler.images(Request(3)))
        reference.dimensions  # noqa: B018
        assert seen == [(False, False)] * 2
        assert precision() == (True, True)
        measure(sampler, reference, {"fid": FrechetDistance()}, 70, 0, {})
        assert set(seen) == {(False, False)}
        assert len(seen) >= 6
        assert precision() == (True, True)
    finally:
        torch.backends.cuda.matmul.allow_tf32, torch.backends.cudnn.allow_tf32 = before


def test_classes_are_asked_for_in_the_shares_of_the_data() -> None:
    """Of data in which a class is three times as frequent; every class of the generator where that is not known."""
    reference = first(1000)
    reference.data.store.labels = np.repeat([0, 1], [750, 250])
    asked: list[Tensor] = []

    class Listens(Copies):
        def drawn(self, request: Request) -> Iterator[torch.Tensor]:
            asked.append(request.label)
            yield from super().drawn(request)

        def labels_like(self, labels: Tensor | None, n: int, seed: int) -> Tensor | None:
            return Sampler.labels_like(self, labels, n, seed)

        def each_in_turn(self, n: int) -> Tensor | None:
            return Sampler.each_in_turn(self, n)

    sampler = Listens(reference.data.store)
    for seed in (0, 0, 1):
        measure(sampler, reference, {"fid": FrechetDistance()}, 2000, seed, {})
    assert asked[0].bincount().tolist() == pytest.approx([1500, 500], abs=4 * 20)
    assert torch.equal(asked[0], asked[1])
    assert not torch.equal(asked[0], asked[2])
    assert asked[0][:1000].bincount()[0] == pytest.approx(750, abs=60)  # mixed, not one class after the other
    assert torch.equal(sampler.labels_like(None, 25, 0), torch.arange(25) % 10)
    assert torch.equal(sampler.labels_like(torch.tensor([3, 10]), 25, 0), torch.arange(25) % 10)


def test_names_and_cards() -> None:
    card = {"metric": "fid", "settings": {}, "reference": {"sha256": "a"}, "n": 5, "extractor": "x", "resizer": "y"}
    figure = Figure("fid/x-y-5", 1.5, None, True, {**card, "weights": "w", "step": 1})
    assert Figure.of(figure.name, figure.record()) == figure
    assert unlike(figure.card, {**figure.card, "step": 2}) == []
    assert unlike(figure.card, {**figure.card, "n": 6, "weights": "v"}) == ["n", "weights"]
    names = {"fid/x-5": 1, "kid": 2, "modes/x-5": 3, "modes/y-5": 4}
    assert (find_figure(names, "fid"), find_figure(names, "kid"), find_figure(names, "none")) == (
        "fid/x-5",
        "kid",
        None,
    )
    with pytest.raises(ConfigError, match="say which"):
        find_figure(names, "modes")
    with pytest.raises(ValueError, match="no figure|not a figure"):
        Figure.of("fid", {"value": 1})


def test_gray_images_have_three_equal_colours() -> None:
    from gan_lab.features.extractor import colours

    images: Tensor = torch.arange(4, dtype=torch.uint8).view(1, 1, 2, 2)
    assert torch.equal(colours(images), images.repeat(1, 3, 1, 1))
