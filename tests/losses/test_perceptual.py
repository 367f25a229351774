"""The perceptual term in closed form, over a network whose maps are known."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.testing import assert_close

from gan_lab.errors import ConfigError, GanLabError
from gan_lab.layers.vgg import VGG
from gan_lab.losses.distances import L1, MSE, Frobenius
from gan_lab.losses.perceptual import Perceptual
from gan_lab.losses.regularizers import Turn

MADE, WANTED = torch.tensor([[[[1.0, 3.0]]]]), torch.tensor([[[[0.0, 5.0]]]])  # apart by 1 and 2


class Multiples(nn.Module):
    """A map by name: `twice` the image, and `five` times."""

    def __init__(self, layers: Sequence[str]) -> None:
        super().__init__()
        self.layers = list(layers)
        self.factors = nn.ParameterDict({"twice": torch.tensor(2.0), "five": torch.tensor(5.0)})

    def forward(self, images: Tensor) -> dict[str, Tensor]:
        return {name: images * self.factors[name] for name in self.layers}


def turn(made: Tensor, wanted: Tensor) -> Turn:
    return Turn(wanted, made, lambda x: x, pairs={"target": (made, wanted), "cycle": (wanted, wanted)})


def term(**settings: Any) -> Perceptual:
    return Perceptual(**{"pair": "target", "network": Multiples, "distance": L1(), **settings})


@pytest.mark.parametrize(
    ("settings", "value"),
    [
        ({"layers": {"twice": 1.0}}, 2 * 1.5),
        ({"layers": {"twice": 0.1, "five": 3.0}}, 0.1 * 2 * 1.5 + 3 * 5 * 1.5),
        ({"layers": {"twice": 1.0, "five": 0.0}}, 2 * 1.5),
        ({"layers": {"twice": 1.0}, "distance": MSE()}, 4 * 2.5),
        ({"layers": {"twice": 1.0}, "distance": MSE(), "scale": 1 / 12.75}, 4 * 2.5 / 12.75**2),
        ({"layers": {"twice": 1.0}, "distance": Frobenius()}, 2 * 5**0.5),
        ({"style_layers": {"twice": 2.0}}, 2 * (25 - 10) * 4 / 2),  # Gram matrices 4 (0 + 25) / 2 and 4 (1 + 9) / 2
        ({"layers": {"five": 1.0}, "style_layers": {"twice": 1.0}}, 5 * 1.5 + 30),
    ],
)
def test_by_hand(settings: dict[str, Any], value: float) -> None:
    assert_close(term(**settings)(turn(MADE, WANTED)).detach(), torch.tensor(value))
    assert float(term(**settings, every=2)(turn(WANTED, WANTED)).detach()) == 0.0


def test_only_what_is_named_is_asked_for() -> None:
    both = term(layers={"five": 1.0}, style_layers={"twice": 1.0, "five": 2.0})
    assert both.network.layers == ["five", "twice"]
    assert term(layers={"twice": 1.0, "five": 0.0}).network.layers == ["twice"]


def test_gradients_reach_what_was_made_alone() -> None:
    made, wanted = MADE.clone().requires_grad_(), WANTED.clone().requires_grad_()
    term(layers={"twice": 0.5})(turn(made, wanted)).backward()
    assert_close(made.grad, torch.tensor([[[[0.5, -0.5]]]]))  # 0.5 * 2 * sign / numel
    assert wanted.grad is None
    assert term(layers={"twice": 1.0}).player == "generator"
    assert term(layers={"twice": 1.0}, pair="cycle")(turn(made, wanted)).item() == 0.0


def test_it_looks_with_vgg() -> None:
    """Weights are frozen, and the network goes where `placed` puts it."""
    found = Perceptual("target", lambda layers: VGG(layers, weights="random", width=2), L1(), {"conv2_1": 1.0})
    made = torch.zeros(1, 3, 8, 8, requires_grad=True)
    assert found(turn(made, torch.zeros(1, 3, 8, 8))).item() == 0.0
    value = found(turn(made, torch.ones(1, 1, 8, 8).expand(-1, 3, -1, -1)))
    value.backward()
    assert made.grad is not None
    assert made.grad.abs().max() > 0
    assert found.state_dict() == {}
    found.place(lambda network: network.double())
    assert {buffer.dtype for buffer in found.network.buffers()} == {torch.float64}


def test_what_is_refused() -> None:
    for settings, words in (
        ({}, "name the layers"),
        ({"layers": {"twice": 0.0}}, "name the layers"),
        ({"layers": {"twice": -1.0}}, "layers.twice: -1.0 is not a number of at least 0"),
        ({"style_layers": {"twice": "much"}}, "style_layers.twice: 'much' is not a number"),
        ({"layers": {"twice": 1.0}, "scale": 0.0}, "scale must be a positive number"),
    ):
        with pytest.raises(ValueError, match=words):
            term(**settings)
    with pytest.raises(ConfigError, match=r"no pair 'identity' \(it has: target, cycle\)"):
        term(layers={"twice": 1.0}, pair="identity")(turn(MADE, WANTED))
    with pytest.raises(ConfigError, match=r"^loss.regularizers: network.vgg19: 'conv9_1' is not one of its layers"):
        term(layers={"conv9_1": 1.0}, network=VGG)
    with pytest.raises(GanLabError, match=r"^loss.regularizers: network.weights: there is no file nowhere"):
        term(layers={"conv1_1": 1.0}, network=lambda layers: VGG(layers, weights="nowhere"))
    key = "loss.regularizers.p.network.weights"  # as what is typed
    with pytest.raises(GanLabError, match=rf"^{key}: there is no file nowhere"):
        term(layers={"conv1_1": 1.0}, network=lambda layers: VGG(layers, weights="nowhere", key=key))
