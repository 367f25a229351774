"""Lookahead steps against the steps that torch.optim takes, and their derivatives."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.testing import assert_close

from gan_lab.algorithms.differentiable import RULES, Lookahead, root, rule_of

ADAMS = [{}, {"betas": (0.0, 0.9)}, {"amsgrad": True}, {"maximize": True}, {"weight_decay": 0.1}, {"eps": 1e-3}]
OPTIONS: list[tuple[type[torch.optim.Optimizer], dict[str, Any]]] = [
    *((torch.optim.Adam, options) for options in ADAMS),
    (torch.optim.Adam, {"fused": True, "amsgrad": True, "weight_decay": 0.1, "maximize": True}),
    (torch.optim.Adam, {"lr": torch.tensor(0.03, dtype=torch.float64), "betas": (0.5, 0.99)}),
    *((torch.optim.AdamW, options) for options in ADAMS),
    (torch.optim.RMSprop, {}),
    (torch.optim.RMSprop, {"momentum": 0.7, "weight_decay": 0.1, "maximize": True}),
    (torch.optim.RMSprop, {"centered": True, "alpha": 0.9, "eps": 1e-3}),
    (torch.optim.RMSprop, {"centered": True, "momentum": 0.5}),
    (torch.optim.SGD, {}),
    (torch.optim.SGD, {"momentum": 0.9, "weight_decay": 0.1}),
    (torch.optim.SGD, {"momentum": 0.9, "dampening": 0.3, "maximize": True}),
    (torch.optim.SGD, {"momentum": 0.9, "nesterov": True}),
    (torch.optim.SGD, {"fused": True, "momentum": 0.9, "nesterov": True, "weight_decay": 0.1}),
]
NAMES = [f"{cls.__name__}-{'-'.join(options) or 'default'}" for cls, options in OPTIONS]


@pytest.fixture(autouse=True)
def in_double() -> Iterator[None]:
    torch.manual_seed(0)
    torch.set_default_dtype(torch.float64)
    yield
    torch.set_default_dtype(torch.float32)


def optimizer(cls: type[torch.optim.Optimizer], options: dict[str, Any]) -> torch.optim.Optimizer:
    """Two groups, the second with a rate of its own; a matrix and a vector, and a scalar that gets no gradient."""
    parameters = [nn.Parameter(torch.randn(shape)) for shape in ((3, 2), (4,), ())]
    groups = [{"params": parameters[:2]}, {"params": parameters[2:], "lr": 0.5}]
    return cls(groups, **{"lr": 0.02, **options})  # type: ignore[arg-type]


def step(mover: torch.optim.Optimizer, gradients: list[Tensor | None]) -> None:
    parameters = [p for group in mover.param_groups for p in group["params"]]
    for parameter, gradient in zip(parameters, gradients, strict=True):
        parameter.grad = gradient
    mover.step()


def gradients() -> list[Tensor | None]:
    return [torch.randn(3, 2), torch.randn(4) * 1e-3, None]


@pytest.mark.parametrize("warm", [0, 3])
@pytest.mark.parametrize(("cls", "options"), OPTIONS, ids=NAMES)
def test_steps_equal_those_of_torch(cls: type[torch.optim.Optimizer], options: dict[str, Any], warm: int) -> None:
    """From a fresh optimizer and from one that has a past; parameters and state, after each of five steps."""
    mover = optimizer(cls, options)
    for _ in range(warm):
        step(mover, gradients())
    supposed = Lookahead(mover)
    for _ in range(5):
        at = gradients()
        supposed.step(at)
        step(mover, at)
        parameters = [p for group in mover.param_groups for p in group["params"]]
        assert_close(supposed.values, [p.detach() for p in parameters], rtol=1e-10, atol=1e-12)
        for parameter, state in zip(parameters, supposed.states, strict=True):
            theirs = mover.state.get(parameter, {})
            assert set(state) == set(theirs)
            for name, value in theirs.items():
                assert_close(state[name], value, rtol=1e-10, atol=1e-12, check_dtype=False)


@pytest.mark.parametrize(("cls", "options"), OPTIONS, ids=NAMES)
def test_nothing_is_moved(cls: type[torch.optim.Optimizer], options: dict[str, Any]) -> None:
    mover = optimizer(cls, options)
    step(mover, gradients())
    parameters = [p for group in mover.param_groups for p in group["params"]]
    before = [p.detach().clone() for p in parameters]
    state = {
        (i, name): value.clone()
        for i, p in enumerate(parameters)
        for name, value in mover.state.get(p, {}).items()
        if isinstance(value, Tensor)
    }
    supposed = Lookahead(mover)
    for _ in range(2):
        supposed.step(gradients())
    assert_close([p.detach() for p in parameters], before, rtol=0, atol=0)
    for (i, name), value in state.items():
        assert_close(mover.state[parameters[i]][name], value, rtol=0, atol=0)


@pytest.mark.parametrize(("cls", "options"), OPTIONS, ids=NAMES)
def test_derivatives(cls: type[torch.optim.Optimizer], options: dict[str, Any]) -> None:
    """Of two steps by both gradients and by where they started, against finite differences."""
    mover = optimizer(cls, options)
    step(mover, gradients())

    def after(start: Tensor, first: Tensor, second: Tensor) -> Tensor:
        supposed = Lookahead(mover)
        supposed.values[0] = start
        supposed.step([first, None, None])
        supposed.step([second, None, None])
        return supposed.values[0]

    assert torch.autograd.gradcheck(after, [torch.randn(3, 2, requires_grad=True) for _ in range(3)])


@pytest.mark.parametrize("cls", [torch.optim.Adam, torch.optim.AdamW, torch.optim.RMSprop])
def test_a_unit_that_never_had_a_gradient_has_no_infinite_derivative(cls: type[torch.optim.Optimizer]) -> None:
    mover = cls([nn.Parameter(torch.ones(2))], lr=0.1)  # type: ignore[call-arg]
    supposed, gradient = Lookahead(mover), torch.tensor([0.0, 1.0], requires_grad=True)
    supposed.step([gradient])
    (derivative,) = torch.autograd.grad(supposed.values[0].sum(), gradient)
    assert bool(torch.isfinite(derivative).all())
    assert_close(root(torch.tensor([0.0, 4.0])), torch.tensor([0.0, 2.0]))


def test_a_rate_on_the_device_is_read_where_it_is() -> None:
    rate = torch.tensor(0.0)
    mover = torch.optim.Adam([nn.Parameter(torch.ones(2))], lr=rate, fused=False, capturable=False)
    rate.fill_(0.25)
    supposed = Lookahead(mover)
    supposed.step([torch.ones(2)])
    assert_close(supposed.values[0], torch.full((2,), 0.75), rtol=1e-6, atol=1e-6)


def test_others_are_refused() -> None:
    class Mine(torch.optim.Adam):
        """A subclass may step in another way."""

    for cls in (torch.optim.Adagrad, Mine):
        with pytest.raises(ValueError, match=rf"{cls.__name__} has no differentiable step; those of Adam, AdamW"):
            rule_of(cls([nn.Parameter(torch.ones(1))]))
    assert len(RULES) == 4
