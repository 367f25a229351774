"""Streams of inputs and captions, windows and quarter turns of pairs, and what a stream shows without drawing."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from gan_lab.data.batch import Batch
from gan_lab.data.packing import pack
from gan_lab.data.sources.source import Example
from gan_lab.data.store import Store
from gan_lab.data.stream import Stream
from gan_lab.data.tokens import Words
from gan_lab.errors import ConfigError

from .conftest import Array

COUNT = 11
KINDS: dict[str, dict[str, Any]] = {"resident": {}, "mapped": {"resident_limit": 0}}
SHOWN = {"flip": True, "turn": True, "crop": (4, 4)}


class Pairs(Array):
    """Images of 8x8 whose four quarters of 2x2 pixels are told by one pixel of the input, 4x4; every pixel of the pair
    differs from every other one's. Sample n has the captions "n a", "n b", ... : 1 + n % 3 of them."""

    def __init__(self, labelled: bool = True) -> None:
        super().__init__(COUNT, (1, 8, 8))
        self.inputs = (np.arange(COUNT)[:, None, None, None] * 16 + np.arange(16).reshape(1, 1, 4, 4)).astype(np.uint8)
        self.images = self.inputs.repeat(2, 2).repeat(2, 3)

    def examples(self) -> Iterator[Example]:
        for index, (name, image, label) in enumerate(self):
            said = [f"word{index} {letter}" for letter in "abc"[: 1 + index % 3]]
            yield Example(name, image, label, self.inputs[index], said)


@pytest.fixture
def store(root: Path) -> Store:
    return pack(Pairs(), (1, 8, 8), "crop", root / "p-8x8x1-0", "p", input_shape=(1, 4, 4), tokenizer=Words(length=3))


def whole(pixels: Tensor) -> Tensor:
    return ((pixels + 1) * 127.5).round().long()


def same(a: Batch, b: Batch) -> bool:
    return all(torch.equal(x, y) for x, y in zip(a, b, strict=True) if x is not None and y is not None)


@pytest.mark.parametrize("shown", [{}, {"flip": True}, {"turn": True}, {"crop": (6, 4)}, {"crop": (8, 8)}, SHOWN])
@pytest.mark.parametrize("kind", KINDS)
def test_image_and_input_are_shown_alike(kind: str, shown: dict[str, Any], store: Store) -> None:
    """Whatever is cut, mirrored and turned: each pixel of the input still stands for its four of the image, and label
    and caption are those of the sample."""
    stream = Stream(store, 7, 3, **shown, **KINDS[kind])
    heights = shown.get("crop", (8, 8))
    for _ in range(8):
        batch = stream.next()
        assert batch.input is not None
        assert batch.label is not None
        assert batch.caption is not None
        assert batch.image.shape == (7, 1, *heights)
        assert batch.input.shape == (7, 1, heights[0] // 2, heights[1] // 2)
        assert torch.equal(whole(batch.image), whole(batch.input).repeat_interleave(2, 2).repeat_interleave(2, 3))
        which = whole(batch.input)[:, 0, 0, 0] // 16
        assert torch.equal(which, whole(batch.input).amax((1, 2, 3)) // 16)
        assert batch.label.tolist() == [int(index) % 3 for index in which]
        said = [Words(3, words=store.words or ()).decode(row).split() for row in batch.caption]
        assert [words[0] for words in said] == [f"word{index}" for index in which]
        assert all(words[1] in "abc"[: 1 + int(index) % 3] for words, index in zip(said, which, strict=True))
    stream.close()


def test_every_way_to_show_a_sample_comes_about(store: Store) -> None:
    """Eight symmetries of a square, three by three places of a window on the input's pixels, each of its captions;
    and all of them about equally often."""
    stream = Stream(store, COUNT, 0, flip=True, turn=True, crop=(4, 4))
    order = Stream(store, COUNT, 0)
    seen: list[tuple[int, ...]] = []
    told: list[tuple[int, int]] = []
    for _ in range(200):
        batch, plain = stream.next(), order.next()
        assert batch.input is not None
        assert batch.caption is not None
        assert torch.equal(batch.label, plain.label)  # type: ignore[arg-type]
        pixels = whole(batch.input)
        seen += [tuple((sample % 16).flatten().tolist()) for sample in pixels]
        told += [(int(sample.max()) // 16, int(row[1])) for sample, row in zip(pixels, batch.caption, strict=True)]
    assert len(set(seen)) == 8 * 9
    counts = torch.tensor([seen.count(each) for each in set(seen)]).float()
    assert counts.sum() == 200 * COUNT
    assert ((counts - 200 * COUNT / 72).square() / (200 * COUNT / 72)).sum() < 120  # chi square of 71: 1 in 4,000
    of_last = [word for index, word in told if index == 2]
    assert {of_last.count(word) > 40 for word in set(of_last)} == {True}
    assert len(set(of_last)) == 3
    assert len({word for index, word in told if index == 3}) == 1


@pytest.mark.parametrize("channels_last", [True, False])
@pytest.mark.parametrize("larger", ["image", "input"])
def test_resident_and_mapped_are_the_same_stream(channels_last: bool, larger: str, root: Path) -> None:
    class Colour(Array):
        def examples(self) -> Iterator[Example]:
            others = Array(COUNT, (3, 6, 6) if larger == "image" else (3, 24, 24), seed=1).images
            return (Example(*sample, other) for sample, other in zip(self, others, strict=True))

    source = Colour(COUNT, (3, 12, 12))
    shape = (3, 6, 6) if larger == "image" else (3, 24, 24)
    store = pack(source, (3, 12, 12), "crop", root / "c-12x12x3-0", "c", input_shape=shape)
    given: dict[str, Any] = {"channels_last": channels_last, **SHOWN}
    resident, mapped = (Stream(store, 5, 3, **given, **kind) for kind in KINDS.values())
    for _ in range(12):
        a, b = resident.next(), mapped.next()
        assert same(a, b)
        assert resident.state_dict() == mapped.state_dict()
        for pixels in (a.image, b.image, a.input, b.input):
            assert pixels is not None
            layout = torch.channels_last if channels_last else torch.contiguous_format
            assert pixels.is_contiguous(memory_format=layout)
    assert same(resident.peek(7), mapped.peek(7))
    mapped.close()


@pytest.mark.parametrize("kind", KINDS)
def test_what_is_shown_goes_on_exactly(kind: str, store: Store) -> None:
    """With another batch size, other ranks, and from a place in the middle of an epoch."""
    stream = Stream(store, 6, 5, **SHOWN, **KINDS[kind])
    for _ in range(9):
        stream.next()
    state = stream.state_dict()
    rest = [stream.next() for _ in range(10)]
    ranks = [Stream(store, 10, 5, rank=rank, world=2, **SHOWN, **KINDS[kind]) for rank in range(2)]
    for rank in ranks:
        rank.load_state_dict(state)
    again = [rank.next() for _ in range(6) for rank in ranks]
    for column in ("image", "input", "label", "caption"):
        expected, found = (torch.cat([getattr(batch, column) for batch in batches]) for batches in (rest, again))
        assert torch.equal(expected, found)
    stream.close()


@pytest.mark.parametrize("kind", KINDS)
def test_another_batch_size_goes_on_where_the_stream_stands(kind: str, store: Store) -> None:
    stream, fixed = (Stream(store, 4, 5, **SHOWN, **KINDS[kind]) for _ in range(2))
    for _ in range(3):
        stream.next(), fixed.next()
    stream.batch_size = 8
    found = [stream.next() for _ in range(4)]
    assert torch.equal(torch.cat([batch.image for batch in found]), torch.cat([fixed.next().image for _ in range(8)]))
    with pytest.raises(ConfigError, match=r"^trainer\.batch_size=0"):
        stream.batch_size = 0
    stream.close()
    fixed.close()


@pytest.mark.parametrize("kind", KINDS)
def test_what_was_drawn_may_be_kept_elsewhere(kind: str, store: Store) -> None:
    ours, theirs = (Stream(store, 4, 0, **SHOWN, **KINDS[kind]) for _ in range(2))
    place = ours.draw().clone()
    theirs.next()
    for _ in range(3):
        place.copy_(ours.draw())
        assert same(ours.batch(place), theirs.next())


@pytest.mark.parametrize("kind", KINDS)
def test_a_peek_is_spread_over_the_store_and_draws_nothing(kind: str, store: Store) -> None:
    stream, other = (Stream(store, 4, 0, **SHOWN, **KINDS[kind]) for _ in range(2))
    stream.next(), other.next()
    state, random = stream.state_dict(), torch.get_rng_state()
    batch = stream.peek(3)
    assert batch.input is not None
    assert whole(batch.input)[:, 0].tolist() == [
        [[16 * index + 5, 16 * index + 6], [16 * index + 9, 16 * index + 10]] for index in (0, 5, 10)
    ]
    assert batch.caption is not None
    assert [Words(3, words=store.words or ()).decode(row) for row in batch.caption] == [
        "word0 a",
        "word5 a",
        "word10 a",
    ]
    assert stream.state_dict() == state
    assert torch.equal(torch.get_rng_state(), random)
    assert same(stream.next(), other.next())
    assert len(stream.peek(30).image) == 30  # more than there are: some of them again
    assert same(stream.at(torch.tensor([5])), stream.peek(3).part(slice(1, 2)))
    stream.close()
    other.close()


@pytest.mark.parametrize(
    ("shown", "told"),
    [
        ({"crop": (9, 4)}, r"^dataset\.crop=\[9, 4\]: larger than the images, 8x8$"),
        ({"crop": (4, 3)}, r"^dataset\.crop=\[4, 3\]: must be multiples of 2, as inputs are smaller by that$"),
        ({"crop": (4, 2), "turn": True}, r"^dataset\.turn: 2x4 is no square; crop to one$"),
    ],
)
def test_what_cannot_be_shown_is_refused(shown: dict[str, Any], told: str, store: Store) -> None:
    with pytest.raises(ConfigError, match=told):
        Stream(store, 4, 0, **shown)


def test_inputs_of_another_form_have_no_matching_part(root: Path) -> None:
    class Odd(Pairs):
        def examples(self) -> Iterator[Example]:
            return (example._replace(input=np.zeros((1, 3, 4), np.uint8)) for example in super().examples())

    store = pack(Odd(), (1, 8, 8), "crop", root / "odd-8x8x1-0", "odd", input_shape=(1, 3, 4))
    assert Stream(store, 2, 0).next().input is not None
    with pytest.raises(ConfigError, match=r"^dataset\.crop=\[4, 4\]: inputs of 3x4 have no part that matches"):
        Stream(store, 2, 0, crop=(4, 4))
    with pytest.raises(ConfigError, match=r"^dataset\.turn: 4x3 is no square"):
        Stream(store, 2, 0, turn=True)


@pytest.mark.parametrize("kind", KINDS)
def test_a_degradation_makes_the_inputs(kind: str, root: Path) -> None:
    """Of the image as it is shown, in the layout of the batch; one that draws does so anew for every batch, and alike
    for every peek, which leaves the generator as it was."""

    def noisy(image: Tensor) -> Tensor:
        return image + torch.rand(len(image), 1, 1, 1)

    store = pack(Array(COUNT), (3, 4, 4), "crop", root / "a-4x4x3-0", "a")
    stream = Stream(store, 6, 0, flip=True, degradation=noisy, **KINDS[kind])
    torch.manual_seed(1)
    batch = stream.next()
    torch.manual_seed(1)
    assert batch.input is not None
    assert torch.equal(batch.input, noisy(batch.image))
    assert batch.input.is_contiguous(memory_format=torch.channels_last)
    before = torch.get_rng_state()
    first = stream.peek(4)
    assert torch.equal(torch.get_rng_state(), before)
    stream.next()
    second = stream.peek(4)
    assert first.input is not None
    assert same(first, second)
    assert not torch.equal(first.input, first.image)
    stream.close()


def test_data_with_inputs_takes_no_degradation(store: Store) -> None:
    with pytest.raises(ConfigError, match=r"^degradation: p has inputs of its own; degradation=none$"):
        Stream(store, 4, 0, degradation=torch.nn.Identity())


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
@pytest.mark.parametrize("kind", KINDS)
def test_cuda_shows_the_same(kind: str, store: Store) -> None:
    here, there = Stream(store, 7, 0, **SHOWN), Stream(store, 7, 0, device="cuda", **SHOWN, **KINDS[kind])
    for _ in range(10):
        assert same(here.next(), Batch(*(column.cpu() for column in there.next() if column is not None)))
    assert same(here.peek(5), Batch(*(column.cpu() for column in there.peek(5) if column is not None)))
    there.close()
