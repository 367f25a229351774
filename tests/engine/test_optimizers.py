"""torch's optimizers without their wrappers: the same steps, whoever listens is heard, and the compiler stays out."""

from __future__ import annotations

import inspect
import subprocess
import sys
from functools import partial
from typing import Any

import pytest
import torch
from torch import nn

from gan_lab.engine import optimizers

KINDS: list[tuple[type[torch.optim.Optimizer], dict[str, Any]]] = [
    (torch.optim.Adam, {"lr": 0.1, "fused": True}),
    (torch.optim.AdamW, {"lr": 0.1}),
    (torch.optim.RMSprop, {"lr": 0.1}),
    (torch.optim.SGD, {"lr": 0.1, "momentum": 0.9}),
]


def layer() -> nn.Linear:
    torch.manual_seed(0)
    network = nn.Linear(3, 2)
    network(torch.ones(1, 3)).square().sum().backward()
    return network


@pytest.mark.parametrize(("kind", "settings"), KINDS)
def test_a_step_is_a_step(kind: type[torch.optim.Optimizer], settings: dict[str, Any]) -> None:
    ours, theirs = layer(), layer()
    mine, its = kind(ours.parameters(), **settings), kind(theirs.parameters(), **settings)
    for _ in range(3):
        optimizers.step(mine)
        its.step()
    assert all(torch.equal(a, b) for a, b in zip(ours.parameters(), theirs.parameters(), strict=True))
    assert all(p.requires_grad and p.is_leaf for p in ours.parameters())


@pytest.mark.parametrize("kind", [torch.optim.Adam, torch.optim.AdamW])
def test_adam_steps_through_channels_last_kernels_as_they_lie(kind: type[torch.optim.Adam | torch.optim.AdamW]) -> None:
    """The same step to the last bit, with averages in the kernels' shape, and nothing to copy for torch's kernel."""
    torch.manual_seed(0)
    mine, its = (nn.Conv2d(3, 5, 4).to(memory_format=torch.channels_last) for _ in range(2))
    its.load_state_dict(mine.state_dict())
    factory = partial(kind, lr=0.1, amsgrad=True, weight_decay=0.1)
    ours = optimizers.build(factory, list(mine.parameters()), torch.device("cpu"))
    torchs = factory(its.parameters(), fused=True)
    for _ in range(3):
        for network, optimizer in ((mine, ours), (its, torchs)):
            optimizer.zero_grad()
            network(torch.ones(1, 3, 4, 4)).square().sum().backward()
            optimizers.step(optimizer)
    assert all(torch.equal(a, b) for a, b in zip(mine.parameters(), its.parameters(), strict=True))
    states = (ours.state_dict()["state"], torchs.state_dict()["state"])
    assert all(
        torch.equal(mine, its) for i in (0, 1) for mine, its in zip(*(s[i].values() for s in states), strict=True)
    )
    lists: list[list[torch.Tensor]] = [[] for _ in range(6)]
    flag = [True] if "amsgrad" in inspect.signature(kind._init_group).parameters else []  # AdamW's in torch 2.6
    ours._init_group(ours.param_groups[0], *lists[:2], *flag, *lists[2:])
    assert lists[0][0].shape == (5, 4, 4, 3)
    assert all(tensor.is_contiguous() for tensors in lists for tensor in tensors)


@pytest.mark.parametrize(
    "layouts", [(torch.channels_last, torch.contiguous_format), (torch.contiguous_format, torch.channels_last)]
)
def test_averages_follow_their_kernels_into_the_other_layout(
    layouts: tuple[torch.memory_format, torch.memory_format],
) -> None:
    """A checkpoint of one machine goes on on another. torch's own loading steps wrongly then, without a word."""
    gradients = torch.randn(3, 5, 2, 4, 4, generator=torch.Generator().manual_seed(0))
    made = []
    for moves in (True, False):
        kernel = nn.Parameter(torch.zeros(5, 2, 4, 4).contiguous(memory_format=layouts[0]))
        adam = torch.optim.Adam([kernel], lr=0.1, fused=True)
        for step, gradient in enumerate(gradients):
            if step == 2 and moves:
                saved = adam.state_dict()
                kernel = nn.Parameter(kernel.detach().contiguous(memory_format=layouts[1]))
                adam = torch.optim.Adam([kernel], lr=0.1, fused=True)
                optimizers.load_state(adam, saved)
            kernel.grad = gradient.contiguous(memory_format=layouts[int(moves and step == 2)])
            optimizers.step(adam)
        made.append(kernel.detach())
    torch.testing.assert_close(*made, check_stride=False)


def test_a_state_is_loaded_and_the_rates_stay() -> None:
    saved = torch.optim.Adam(layer().parameters(), lr=0.1)
    saved.step()
    loaded = torch.optim.Adam(layer().parameters(), lr=0.2)
    optimizers.load_state(loaded, saved.state_dict())
    assert loaded.param_groups[0]["lr"] == 0.2
    assert float(next(iter(loaded.state.values()))["step"]) == 1


def test_whoever_listens_is_heard() -> None:
    network = layer()
    adam = torch.optim.Adam(network.parameters())
    heard = []
    adam.register_step_post_hook(lambda *about: heard.append("after"))
    optimizers.step(adam)
    assert heard == ["after"]


def test_an_optimizer_of_ones_own_steps_as_it_does() -> None:
    class Mine(torch.optim.SGD):
        steps = 0

        def step(self, closure: Any = None) -> Any:
            self.steps += 1
            return super().step(closure)

    mine = Mine(layer().parameters(), lr=0.1)
    optimizers.step(mine)
    assert mine.steps == 1


def test_training_does_not_load_the_compiler() -> None:
    code = (
        "import sys; from gan_lab.engine import engine, optimizers; import torch; from torch import nn\n"
        "e = engine.Engine('cpu', 'fp32'); layer = nn.Linear(2, 1)\n"
        "adam = e.optimizer(torch.optim.Adam, layer)\n"
        "e.minimize([lambda: {'a': layer(torch.ones(1, 2)).sum()}], adam)\n"
        "print('torch._dynamo' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=120)
    assert done.stdout.split() == ["False"], done.stderr


def test_rates_lie_where_a_recorded_step_reads_them() -> None:
    """And are known as they were given: 2e-4 has no 24 bits."""
    numbers = {"lr": 2e-4}
    device = torch.device("cpu")
    fused = optimizers.build(partial(torch.optim.Adam, **numbers), list(layer().parameters()), device, recorded=True)
    assert isinstance(fused.param_groups[0]["lr"], torch.Tensor)
    assert fused.param_groups[0]["initial_lr"] == 2e-4 != float(fused.param_groups[0]["lr"])
    sgd = optimizers.build(partial(torch.optim.SGD, **numbers), list(layer().parameters()), device, recorded=True)
    assert isinstance(sgd.param_groups[0]["lr"], torch.Tensor)
    slow = partial(torch.optim.SGD, foreach=True, **numbers)  # reads a rate on the device back
    assert optimizers.build(slow, list(layer().parameters()), device, recorded=True).param_groups[0]["lr"] == 2e-4
    plain = optimizers.build(partial(torch.optim.Adam, **numbers), list(layer().parameters()), device)
    assert type(plain.param_groups[0]["lr"]) is float


@pytest.mark.parametrize("when", ["built", "stepped"])
def test_a_fused_form_that_a_device_has_not_is_not_asked_for(when: str) -> None:
    class Lacking(torch.optim.SGD):
        def __init__(self, params: Any, fused: bool | None = None, **settings: Any) -> None:
            super().__init__(params, **settings)
            self.fused = fused
            self.refuse("built")

        def step(self, closure: Any = None) -> Any:
            self.refuse("stepped")
            return super().step(closure)

        def refuse(self, now: str) -> None:
            if self.fused and now == when:
                raise RuntimeError("`fused=True` requires all the params to be floating point Tensors of other devices")

    optimizer = optimizers.build(partial(Lacking, lr=0.1), list(layer().parameters()), torch.device("cpu"))
    assert isinstance(optimizer, Lacking)
    assert optimizer.fused is None
    optimizers.step(optimizer)
