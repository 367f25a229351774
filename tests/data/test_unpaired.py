"""Two streams side by side."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from torch.testing import assert_close

from gan_lab.config import build
from gan_lab.data.dataset import Dataset, build_dataset
from gan_lab.data.packing import pack
from gan_lab.data.stream import Stream
from gan_lab.data.unpaired import Unpaired
from gan_lab.engine.engine import Engine
from gan_lab.errors import ConfigError, GanLabError
from tests.compose import composed

from .conftest import Array, encoded, noise, write_tree

COUNTS = {"image": 7, "input": 11}
KINDS: dict[str, dict[str, Any]] = {"resident": {}, "mapped": {"resident_limit": 0}}


@pytest.fixture
def streams(root: Path) -> dict[str, Any]:
    stores = {
        name: pack(Array(count, (3, 4, 4), seed), (3, 4, 4), "crop", root / f"{name}-4x4x3-0", name)
        for seed, (name, count) in enumerate(COUNTS.items())
    }

    def make(batch_size: int = 4, seed: int = 3, **more: Any) -> Unpaired:
        return Unpaired(
            Stream(stores["image"], batch_size, seed, **more),
            Stream(stores["input"], batch_size, seed, name="input", **more),
        )

    return {"make": make, "stores": stores}


@pytest.mark.parametrize("kind", KINDS)
def test_a_batch_is_of_both(kind: str, streams: dict[str, Any]) -> None:
    """Image and label of the one, the other's image as input; each as its own stream draws it, in epochs of its own."""
    both = streams["make"](**KINDS[kind])
    image = Stream(streams["stores"]["image"], 4, 3)
    other = Stream(streams["stores"]["input"], 4, 3, name="input")
    for _ in range(12):
        batch, ours, theirs = both.next(), image.next(), other.next()
        assert torch.equal(batch.image, ours.image)
        assert torch.equal(batch.label, ours.label)
        assert torch.equal(batch.input, theirs.image)
        assert batch.caption is None
    assert both.state_dict() == {"image": image.state_dict(), "input": other.state_dict()}
    assert both.resident == (kind == "resident")
    assert both.waited == both.image.waited + both.input.waited
    both.close()


def test_the_two_are_not_shuffled_alike(root: Path) -> None:
    """Otherwise sets of the same size would be pairs, the same ones in every epoch."""
    store = pack(Array(50, (1, 2, 2)), (1, 2, 2), "crop", root / "x-2x2x1-0", "x")
    batch = Unpaired(Stream(store, 50, 0), Stream(store, 50, 0, name="input")).next()
    assert batch.input is not None
    alike = (batch.image == batch.input).flatten(1).all(1).sum()
    assert alike < 6  # one on average


@pytest.mark.parametrize("kind", KINDS)
def test_a_state_goes_on_exactly(kind: str, streams: dict[str, Any]) -> None:
    both = streams["make"](**KINDS[kind])
    for _ in range(5):
        both.next()
    state = both.state_dict()
    rest = [both.next() for _ in range(6)]
    fresh = streams["make"](**KINDS[kind])
    fresh.next()
    fresh.load_state_dict(state)
    for batch in rest:
        again = fresh.next()
        assert torch.equal(again.image, batch.image)
        assert torch.equal(again.input, batch.input)
    fresh.batch_size = 2
    assert (fresh.batch_size, len(fresh.next().input)) == (2, 2)
    with pytest.raises(GanLabError, match=r"^the dataset changed: .* one of pairs"):
        fresh.load_state_dict(state["image"])
    with pytest.raises(GanLabError, match=r"^the dataset changed: "):
        fresh.image.load_state_dict(state)
    both.close()
    fresh.close()


@pytest.mark.parametrize("kind", KINDS)
def test_what_was_drawn_may_be_kept_elsewhere(kind: str, streams: dict[str, Any]) -> None:
    ours, theirs = (streams["make"](flip=True, **KINDS[kind]) for _ in range(2))
    place = ours.draw().clone()
    theirs.next()
    for _ in range(3):
        place.copy_(ours.draw())
        a, b = ours.batch(place), theirs.next()
        assert torch.equal(a.image, b.image)
        assert torch.equal(a.input, b.input)
    state = ours.state_dict()
    shown = ours.peek(3)
    assert torch.equal(shown.image, ours.image.peek(3).image)
    assert torch.equal(shown.input, ours.input.peek(3).image)
    assert ours.state_dict() == state
    ours.close()
    theirs.close()


def test_a_dataset_of_two_sets(tmp_path: Path, root: Path) -> None:
    """Packed to two stores; its stream is of both, cut and mirrored each on its own."""
    members = {
        f"train{letter}/{n}.png": encoded(noise(12, 12, seed=n)) for letter, n in zip("AAABB", range(5), strict=True)
    }
    path = write_tree(tmp_path / "both", members)
    node = composed("dataset=unpaired", f"dataset.path={path}", "dataset.image_shape=[3,8,8]", "dataset.crop=[6,6]")[
        "dataset"
    ]
    dataset = build_dataset(node)
    dataset.pack()
    assert len(list(root.iterdir())) == 2
    stream = dataset.stream(Engine(device="cpu", precision="fp32"), 4, 0)
    assert isinstance(stream, Unpaired)
    batch = stream.next()
    assert batch.input is not None
    assert batch.image.shape == batch.input.shape == (4, 3, 6, 6)
    assert (len(stream.image.store), len(stream.input.store)) == (2, 3)
    assert torch.equal(batch.input, Stream(stream.input.store, 4, 0, crop=(6, 6), name="input").next().image)
    assert dataset.batch_shapes() == ((3, 6, 6), (3, 6, 6))
    assert sorted(folder.name.rsplit("-", 2)[0] for folder in root.iterdir()) == ["unpaired", "unpaired_inputs"]
    elsewhere = write_tree(tmp_path / "other", {f"train{letter}/0.png": encoded(noise(9, 9)) for letter in "AB"})
    other: Dataset = build(node, "dataset").located(elsewhere)
    assert len(other.pack()) == 1
    assert other.inputs is not None
    assert len(other.inputs.store) == 1
    with pytest.raises(
        ConfigError, match=r"^degradation: the inputs of unpaired are images of their own; degradation=none"
    ):
        dataset.stream(Engine(device="cpu", precision="fp32"), 4, 0, Half())


class Half(torch.nn.Module):
    def forward(self, images: torch.Tensor) -> torch.Tensor:
        return images


def test_at_places_of_the_inputs(streams: dict[str, Any]) -> None:
    """Each beside an image, from the first again where these are fewer; nothing is drawn."""
    both = streams["make"](resident_limit=0)
    before = both.state_dict()
    batch = both.at(torch.tensor([10, 0, 8]))
    assert torch.equal(batch.input, streams["stores"]["input"].read([10, 0, 8]))
    assert torch.equal(batch.image, streams["stores"]["image"].read([3, 0, 1]))
    assert both.state_dict() == before


def test_pairs_may_be_drawn_apart_and_are_shown_together(root: Path) -> None:
    """Inputs of a batch are those of other images; what a look shows of the data are the pairs."""
    node = composed("degradation=gray", "dataset=stacked_digits", "dataset.source.count=64", "dataset.aligned=false")
    dataset, engine = build_dataset(node["dataset"]), Engine(device="cpu", precision="fp32")
    gray = build(node["degradation"], "degradation")
    stream = dataset.stream(engine, 8, 0, gray)
    assert isinstance(stream, Unpaired)
    images, inputs = [], []
    for _ in range(8):
        batch = stream.next()
        assert not torch.equal(gray(batch.image), batch.input)
        images += list(batch.image)
        inputs += list(batch.input)
    store = dataset.samples(gray).at(torch.arange(64))
    assert_close(torch.stack(images).sum(0), store.image.sum(0))  # an epoch of either
    assert_close(torch.stack(inputs).sum(0), store.input.sum(0))
    for batch in (stream.peek(5), stream.at(torch.tensor([3, 60])), dataset.samples(gray).peek(5)):
        assert torch.equal(gray(batch.image), batch.input)
    with pytest.raises(ConfigError, match=r"^dataset.aligned=false: the data has no inputs"):
        dataset.stream(engine, 8, 0)
    with pytest.raises(ConfigError, match=r"^dataset.aligned=0: true or false"):
        build_dataset({**node["dataset"], "aligned": 0})
