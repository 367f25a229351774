"""The moving average of a network in closed form."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import nn
from torch.testing import assert_close

from gan_lab.algorithms.averaging import ExponentialMovingAverage


def network() -> nn.Sequential:
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4), nn.Linear(4, 2).double())


def set_all(module: nn.Module, value: float) -> None:
    with torch.no_grad():
        for tensor in [*module.parameters(), *module.buffers()]:
            tensor.fill_(value)


def assert_all(module: nn.Module, value: float) -> None:
    for tensor in [*module.parameters(), *module.buffers()]:
        if tensor.is_floating_point():
            assert_close(tensor.detach(), torch.full_like(tensor, value), rtol=1e-5, atol=1e-7)


def test_constant_decay() -> None:
    """From 0 towards 1: 1 - decay^n after n updates, in parameters and in BatchNorm statistics."""
    trained = network()
    set_all(trained, 0.0)
    average = ExponentialMovingAverage(trained, decay=0.9, warmup=False)
    set_all(trained, 1.0)
    for step in range(5):
        average.update(trained, step)
        assert_all(average.module, 1 - 0.9 ** (step + 1))


def test_warmup() -> None:
    """decay_t = min(decay, (1 + t) / (10 + t)): what is left of the start is the product of the decays."""
    trained = network()
    set_all(trained, 0.0)
    average = ExponentialMovingAverage(trained, decay=0.25)
    assert [average.decay_at(t) for t in (0, 1, 2, 3, 1000)] == [1 / 10, 2 / 11, 3 / 12, 0.25, 0.25]
    set_all(trained, 1.0)
    left = 1.0
    for step in range(6):
        average.update(trained, step)
        left *= min(0.25, (1 + step) / (10 + step))
        assert_all(average.module, 1 - left)


def test_integer_buffers_are_copied() -> None:
    trained = network()
    average = ExponentialMovingAverage(trained, decay=0.9)
    trained[1].num_batches_tracked.fill_(17)
    average.update(trained, 0)
    assert average.module[1].num_batches_tracked.item() == 17  # type: ignore[index, union-attr, operator]


def test_no_decay_is_the_network_itself() -> None:
    trained = network()
    average = ExponentialMovingAverage(trained, decay=0.0)
    with torch.no_grad():
        for parameter in trained.parameters():
            parameter.normal_()
    average.update(trained, 1000)
    for state in (average.module.state_dict(), average.state_dict()):
        assert_close(list(state.values()), list(trained.state_dict().values()), rtol=0, atol=0)
    assert not average.module.training
    assert average.module is not trained


def test_no_decay_costs_a_round_nothing() -> None:
    """Nothing is copied until somebody asks, so that a recorded round has nothing of it; a loaded state is none."""
    trained = network()
    average = ExponentialMovingAverage(trained, decay=0.0)
    set_all(trained, 2.0)
    average.load_state_dict(network().state_dict())
    before = [tensor._version for tensor in average._module.state_dict().values()]
    average.update(trained, 0)
    assert [tensor._version for tensor in average._module.state_dict().values()] == before
    assert_all(average.module, 2.0)


def test_a_decay_that_moves_from_nothing_is_followed() -> None:
    trained = network()
    average = ExponentialMovingAverage(trained, decay=0.0, warmup=False)
    average.let_move()
    set_all(trained, 1.0)
    average.update(trained, 0)
    average.decay = 0.5
    set_all(trained, 2.0)
    assert_all(average.module, 1.0)
    average.update(trained, 1)
    assert_all(average.module, 1.5)


def test_a_network_that_stands_still_is_a_fixed_point() -> None:
    trained = network()
    average = ExponentialMovingAverage(trained, decay=0.999)
    for step in range(3):
        average.update(trained, step)
    for mean, value in zip(average.module.state_dict().values(), trained.state_dict().values(), strict=True):
        assert torch.equal(mean, value)


def test_it_is_a_separate_network_in_evaluation_mode() -> None:
    trained = network().train()
    average = ExponentialMovingAverage(trained)
    assert trained.training
    assert not any(module.training for module in average.module.modules())
    assert all(p.requires_grad for p in trained.parameters())
    assert not any(p.requires_grad for p in average.module.parameters())
    owned = {tensor.data_ptr() for tensor in average.module.state_dict().values()}
    assert owned.isdisjoint(tensor.data_ptr() for tensor in trained.state_dict().values())


def test_advance_writes_and_follow_reads() -> None:
    """The two halves of an update, so that a captured graph may replay the second alone."""
    trained = network()
    average = ExponentialMovingAverage(trained, decay=0.9, warmup=False)
    place = average.weight.data_ptr()
    average.advance(0)
    assert_close(average.weight, torch.tensor(0.1))
    assert average.weight.data_ptr() == place
    set_all(trained, 0.0)
    set_all(average.module, 1.0)
    average.follow(trained)
    assert_all(average.module, 0.9)


def test_a_half_life_counts_images() -> None:
    """After a half-life a network's share is half, in batches of any size; at 0 the average is the network itself."""
    for batch in (1, 5, 50):
        trained = network()
        average = ExponentialMovingAverage(trained, decay=None, half_life=50.0)
        set_all(average.module, 1.0)
        set_all(trained, 0.0)
        for step in range(50 // batch):
            average.update(trained, step, batch)
        assert_all(average.module, 0.5)
    average.half_life = 0.0
    average.update(trained, 0, 1)
    assert_all(average.module, 0.0)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"decay": 0.9, "half_life": 5.0}, "give decay or half_life, and null for the other"),
        ({"decay": None}, "give decay or half_life, and null for the other"),
        ({"decay": None, "half_life": -1.0}, "half_life is a number of images of at least 0"),
        ({"decay": None, "half_life": float("nan")}, "half_life is a number of images of at least 0"),
    ],
)
def test_how_far_it_reaches_back_is_said_once(given: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        ExponentialMovingAverage(network(), **given)


def test_state_round_trip() -> None:
    trained = network()
    average = ExponentialMovingAverage(trained, decay=0.5, warmup=False)
    set_all(trained, 2.0)
    average.update(trained, 0)
    other = ExponentialMovingAverage(network(), decay=0.5, warmup=False)
    other.load_state_dict(average.state_dict())
    for step in range(1, 3):
        average.update(trained, step)
        other.update(trained, step)
    for mine, theirs in zip(average.state_dict().values(), other.state_dict().values(), strict=True):
        assert torch.equal(mine, theirs)


def test_another_architecture_is_refused() -> None:
    with pytest.raises(ValueError, match="zip"):
        ExponentialMovingAverage(network()).update(nn.Linear(3, 4), 0)


@pytest.mark.parametrize("decay", [-0.1, 1.1, float("nan")])
def test_decay_is_checked(decay: float) -> None:
    with pytest.raises(ValueError, match="decay must lie in"):
        ExponentialMovingAverage(network(), decay=decay)


def test_buffers_can_be_copied() -> None:
    """Parameters are averaged as before."""
    trained = network()
    set_all(trained, 0.0)
    average = ExponentialMovingAverage(trained, decay=0.75, warmup=False, copy_buffers=True)
    set_all(trained, 1.0)
    average.update(trained, 0)
    for parameter in average.module.parameters():
        assert_close(parameter.detach(), torch.full_like(parameter, 0.25))
    for name, buffer in average.module.named_buffers():
        assert_close(buffer, trained.get_buffer(name))
