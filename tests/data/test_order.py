"""What an epoch draws is sent to a card so that nobody waits for it."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from gan_lab.data import order
from gan_lab.data.order import Order


@pytest.mark.parametrize(("kind", "expected"), [("cuda", ["pin", ("cuda", True)] * 2), ("cpu", [("cpu", False)] * 2)])
def test_an_epoch_goes_to_a_card_from_pinned_memory(
    kind: str, expected: list[object], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Copies from pageable memory are waited for; an epoch of the digits is 14 rounds."""
    asked: list[object] = []
    real = Tensor.to

    def to(tensor: Tensor, device: torch.device, non_blocking: bool = False) -> Tensor:
        asked.append((device.type, non_blocking))
        return real(tensor, "cpu")

    monkeypatch.setattr(Tensor, "pin_memory", lambda tensor: asked.append("pin") or tensor)
    monkeypatch.setattr(Tensor, "to", to)
    there = Order(10, torch.device(kind), flip=True)
    places = there.epoch(0, 0)
    assert asked == expected
    assert sorted(places.indices.tolist()) == list(range(10))
    assert order.Order(10, torch.device("cpu"), flip=True).epoch(0, 0).indices.equal(places.indices)
