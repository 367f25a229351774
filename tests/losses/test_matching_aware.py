"""The matching-aware penalty in closed form."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor
from torch.testing import assert_close

from gan_lab.errors import ConfigError
from gan_lab.losses.matching_aware import MatchingAware
from gan_lab.losses.regularizers import Turn

A, B = torch.randn(1, 2, 2, dtype=torch.float64), torch.randn(3, dtype=torch.float64)


def critic(images: Tensor, told: Tensor) -> Tensor:
    return (images * A).flatten(1).sum(1) + told.double() @ B


def turn(condition: Tensor | None, embed: object = None) -> Turn:
    images = torch.randn(4, 1, 2, 2, dtype=torch.float64)
    return Turn(images, images, critic, condition=condition, embed=embed)  # type: ignore[arg-type]


def test_of_a_linear_discriminator() -> None:
    """D = a.x + b.e: 2 (|a|^2 + |b|^2)^3, both gradients as one vector."""
    term = MatchingAware()
    size = float(A.square().sum() + B.square().sum())
    assert_close(float(term(turn(torch.randn(4, 3))) * term.weight), 2 * size**3, rtol=1e-5, atol=0)
    assert_close(float(MatchingAware(power=2)(turn(torch.randn(4, 3)))), size, rtol=1e-5, atol=0)
    assert (term.player, term.every) == ("discriminator", 1)


def test_tokens_are_embedded_and_the_encoder_is_left_alone() -> None:
    """D = (x . a) (e . w): the gradient by e is (x . a) w, that by x (e . w) a; w learns, the embedding does not."""
    table, w = torch.ones(5, 3, requires_grad=True), torch.ones(3, requires_grad=True)
    images, a = torch.tensor([[2.0], [1.0]]), torch.tensor([3.0])

    def product(x: Tensor, told: Tensor) -> Tensor:
        return (x @ a) * (told @ w)

    tokens = torch.tensor([1, 2])
    asked = Turn(images, images, product, condition=tokens, embed=lambda tokens: table[tokens])
    found = MatchingAware(power=2)(asked)
    assert_close(found, torch.tensor([81.0 + 3 * 36, 81.0 + 3 * 9]).mean())  # |(3) 3|^2 + |x a|^2 |w|^2
    found.backward()
    assert table.grad is None
    assert w.grad is not None
    assert bool(w.grad.ne(0).all())


def test_what_cannot_be() -> None:
    with pytest.raises(ConfigError, match="is told captions"):
        MatchingAware()(turn(None))
    with pytest.raises(ConfigError, match="embeds captions"):
        MatchingAware()(turn(torch.zeros(4, 2, dtype=torch.int64)))
    with pytest.raises(ValueError, match="power must be"):
        MatchingAware(power=1)
