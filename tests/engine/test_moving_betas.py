"""Betas on the device: torch's Adam, step by step, while a beta moves; and no number is read back."""

from __future__ import annotations

import copy
from typing import Any

import pytest
import torch
from torch import nn
from torch._subclasses.fake_tensor import FakeTensorMode

from gan_lab.engine.moving_betas import let_betas_move

KINDS: list[tuple[type[torch.optim.Optimizer], dict[str, Any]]] = [
    (torch.optim.Adam, {"fused": True}),
    (torch.optim.Adam, {"fused": True, "weight_decay": 0.1, "amsgrad": True}),
    (torch.optim.Adam, {"maximize": True, "eps": 1e-3}),
    (torch.optim.AdamW, {"weight_decay": 0.1}),
]


def stepped(kind: type[torch.optim.Optimizer], settings: dict[str, Any], moving: bool) -> Any:
    torch.manual_seed(0)
    network = nn.Sequential(nn.Linear(5, 4), nn.Linear(4, 3), nn.Linear(1, 1))  # the last has no gradient
    optimizer = kind(network.parameters(), lr=torch.tensor(0.01), betas=(0.0, 0.9), **settings)
    assert not moving or let_betas_move(optimizer)
    for count in range(20):
        beta = 0.9 + 0.099 * count / 19
        for group in optimizer.param_groups:
            if moving:
                group["betas"][1].fill_(beta)
            else:
                group["betas"] = (0.0, beta)
        for parameter in network[:2].parameters():
            parameter.grad = torch.randn_like(parameter) * 10.0 ** torch.randint(-3, 1, ())
        optimizer.step()
    return copy.deepcopy(network.state_dict()), optimizer.state_dict()["state"]


@pytest.mark.parametrize(("kind", "settings"), KINDS)
def test_it_is_torchs_adam(kind: type[torch.optim.Optimizer], settings: dict[str, Any]) -> None:
    (weights, state), (expected, theirs) = (stepped(kind, settings, moving) for moving in (True, False))
    for name, value in expected.items():
        torch.testing.assert_close(weights[name], value, rtol=1e-6, atol=1e-6 * float(value.abs().max()))
    assert {place: list(each) for place, each in state.items()} == {place: list(each) for place, each in theirs.items()}
    for place, each in theirs.items():
        for name, value in each.items():
            torch.testing.assert_close(state[place][name], value, rtol=1e-5, atol=1e-7)


def test_no_number_is_read_back() -> None:
    """Of fake tensors none can be."""
    with FakeTensorMode():
        layer = nn.Linear(3, 2)
        adam = torch.optim.Adam(layer.parameters(), lr=1e-3, weight_decay=0.1)
        adam.param_groups[0]["lr"] = torch.empty(())
        assert let_betas_move(adam)
        for _ in range(2):
            layer(torch.ones(1, 3)).sum().backward()
            adam.step()


def test_whoever_steps_in_another_way_is_left_alone() -> None:
    class Mine(torch.optim.Adam):
        pass

    mine = Mine(nn.Linear(2, 2).parameters())
    assert not let_betas_move(mine)
    assert mine.param_groups[0]["betas"] == (0.9, 0.999)
    assert "step" not in vars(mine)
