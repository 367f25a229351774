"""A copy that saves to the same bytes and that nothing done afterwards reaches."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import pytest
import torch

from gan_lab.storage.snapshot import Snapshot
from tests.compose import tiny_run
from tests.conftest import equal


def saved(state: Any) -> bytes:
    buffer = io.BytesIO()
    torch.save(state, buffer)
    return buffer.getvalue()


def test_a_run_saves_to_the_same_bytes_though_it_went_on(tmp_path: Path) -> None:
    run, snapshot = tiny_run(tmp_path, "model=dcgan", "+technique=[diffaugment]"), Snapshot()
    for _ in range(3):
        run.play()
        state = run.state_dict()
        there = saved(state)
        snapshot.take(state)
        run.play()
        assert saved(state) != there
        assert saved(snapshot.state()) == there


def test_tensors_that_share_memory_still_do() -> None:
    whole = torch.arange(12.0).view(3, 4)
    state = {"whole": whole, "part": whole[1:, ::2], "again": [whole, (whole.t(),)], "empty": torch.empty(0)}
    snapshot = Snapshot()
    snapshot.take(state)
    copied = snapshot.state()
    assert equal(copied, state)
    assert saved(copied) == saved(state)
    copied["whole"].zero_()
    assert float(copied["part"].sum()) == 0
    assert float(whole.sum()) == 66


def test_plain_values_and_lists_are_those_of_then() -> None:
    state: dict[str, Any] = {"step": 1, "history": [1.0], "nested": {"a": (torch.zeros(2), None)}}
    snapshot = Snapshot()
    snapshot.take(state)
    state["history"].append(2.0)
    state["nested"]["b"] = 1
    assert equal(snapshot.state(), {"step": 1, "history": [1.0], "nested": {"a": (torch.zeros(2), None)}})


def test_memory_is_used_again_where_it_fits() -> None:
    snapshot = Snapshot()
    snapshot.take({"a": torch.ones(5), "b": torch.ones(30)})
    place = snapshot.state()["a"].data_ptr()
    second = {"a": torch.full((5,), 2.0), "b": torch.full((4,), 3), "c": torch.zeros(2)}
    snapshot.take(second)
    assert snapshot.state()["a"].data_ptr() == place
    assert equal(snapshot.state(), second)
    third = {"a": torch.full((100,), 4.0), "b": torch.full((4,), 5)}
    snapshot.take(third)
    assert equal(snapshot.state(), third)


def test_there_is_one_piece_of_memory_with_a_part_for_each_storage() -> None:
    """Pinned memory comes in powers of two: many pieces would take up to twice what they hold."""
    state = {name: torch.full((size,), value) for name, size, value in (("a", 3, 1.0), ("b", 17, 2), ("c", 5, True))}
    snapshot = Snapshot()
    snapshot.take(state)
    copied = snapshot.state()
    places = [copied[name].data_ptr() for name in state]
    assert [place - places[0] for place in places] == [0, 64, 64 + 192]
    assert [copied[name].untyped_storage().nbytes() for name in state] == [12, 136, 5]
    assert equal(copied, state)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
def test_cuda_copies_what_was_there_when_it_was_asked() -> None:
    weight = torch.zeros(1000, 1000, device="cuda").to(memory_format=torch.contiguous_format)
    image = torch.rand(4, 3, 8, 8, device="cuda").to(memory_format=torch.channels_last)
    state = {"weight": weight, "row": weight[3], "image": image, "step": torch.tensor(3.0), "rng": [image.sum()]}
    snapshot = Snapshot()
    for value in (1.0, 2.0):
        weight.fill_(0)
        weight.add_(value)
        snapshot.take(state)
        weight.add_(5)
        copied = snapshot.state()
        assert float(copied["weight"].min()) == float(copied["row"].max()) == value
        assert copied["weight"].is_pinned()
        assert copied["image"].stride() == image.stride()
        assert torch.equal(copied["image"], image.cpu())
