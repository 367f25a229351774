"""How far weights move is measured in parts of their size."""

from __future__ import annotations

import torch
from torch import nn

from gan_lab.health.movement import PART, Movement


def network(value: float, size: int = 3) -> nn.Module:
    made = nn.Linear(size, size)
    nn.init.constant_(made.weight, value)
    return made


def scale(module: nn.Module, factor: float) -> None:
    with torch.no_grad():
        for parameter in module.parameters():
            parameter.mul_(factor)


def test_each_kind_of_player() -> None:
    networks = {"generator": network(1.0), "discriminator": network(2.0), "discriminator_b": network(2.0)}
    movement = Movement(networks, fresh=True)
    assert set(movement.read()) == {"growth"}
    movement.before()
    scale(networks["discriminator"], 1.25)  # by a fifth of where it ends
    movement.after()
    scale(networks["generator"], 2.0)  # not looked at
    movement.after()
    found = movement.read()
    torch.testing.assert_close(found["update_discriminator"], torch.tensor(0.2))  # the first moved more
    torch.testing.assert_close(found["update_generator"], torch.tensor(0.0))
    torch.testing.assert_close(found["growth"], torch.tensor(2.0))
    assert set(movement.read()) == {"growth"}


def test_of_several_rounds_the_one_that_moved_most_counts() -> None:
    one = network(1.0)
    movement = Movement({"generator": one}, fresh=False)
    for factor in (1.25, 2.0, 1.0):
        movement.before()
        scale(one, factor)
        movement.after()
    found = movement.read()
    torch.testing.assert_close(found["update_generator"], torch.tensor(0.5))
    assert "growth" not in found


def test_weights_from_nothing_say_nothing() -> None:
    one = network(0.0)
    movement = Movement({"generator": one}, fresh=True)
    movement.before()
    nn.init.constant_(one.weight, 1e-3)  # type: ignore[arg-type]
    movement.after()
    found = movement.read()
    torch.testing.assert_close(found["update_generator"], torch.tensor(0.1))
    torch.testing.assert_close(found["growth"], torch.tensor(0.1))


def test_large_tensors_are_judged_by_their_beginning() -> None:
    large = network(1.0, 100).to(memory_format=torch.channels_last)
    movement = Movement({"generator": large}, fresh=True)
    assert [len(part) for parts in movement._parts.values() for part in parts] == [PART]


def test_a_network_without_matrices() -> None:
    movement = Movement({"generator": nn.BatchNorm1d(3)}, fresh=True)
    movement.before()
    movement.after()
    assert movement.read() == {}
