"""Scores of images and of their moved copies, on a critic that is linear."""

from __future__ import annotations

import pytest
import torch
from torch import nn
from torch.testing import assert_close

from gan_lab.layers.critique import Critique
from gan_lab.losses.consistency import Consistency
from gan_lab.losses.flip_and_shift import FlipAndShift
from gan_lab.losses.regularizers import Turn

W = torch.randn(2, 3, 4, generator=torch.Generator().manual_seed(1))
REAL, FAKE = torch.randn(2, 5, 2, 3, 4, generator=torch.Generator().manual_seed(2))


class Doubled(nn.Module):
    def forward(self, images: torch.Tensor) -> torch.Tensor:
        return 2 * images


def score(images: torch.Tensor, w: torch.Tensor = W) -> torch.Tensor:
    return (images * w).flatten(1).sum(1)


@pytest.mark.parametrize(("images", "seen"), [("real", REAL), ("fake", FAKE)])
def test_of_a_linear_critic(images: str, seen: torch.Tensor) -> None:
    """T(x) = 2x: D(x) - D(T(x)) = -w.x, so the penalty is E (w.x)^2 and its gradient 2 E (w.x) x."""
    w = W.clone().requires_grad_()
    penalty = Consistency(Doubled(), images=images)(Turn(real=REAL, fake=FAKE, critic=lambda x: score(x, w)))
    expected = score(seen)
    assert_close(penalty.detach(), expected.square().mean())
    assert_close(torch.autograd.grad(penalty, w)[0], 2 * (expected[:, None, None, None] * seen).mean(0))


@pytest.mark.parametrize("images", ["real", "fake"])
def test_scores_that_are_there_are_not_asked_for_again(images: str) -> None:
    calls: list[int] = []

    def critic(x: torch.Tensor) -> torch.Tensor:
        calls.append(len(x))
        return score(x)

    real, fake = Critique(score(REAL)), Critique(score(FAKE))
    turn = Turn(real=REAL, fake=FAKE, critic=critic, real_critique=real, fake_critique=fake)
    plain = Turn(real=REAL, fake=FAKE, critic=score)
    term = Consistency(Doubled(), images=images)
    assert_close(term(turn), term(plain))
    assert calls == [5]


def test_an_invariant_critic_pays_nothing_and_a_map_is_averaged() -> None:
    torch.manual_seed(0)
    flat = Turn(real=torch.ones(4, 1, 6, 6), fake=FAKE, critic=lambda x: x)  # a constant image stays itself
    assert_close(Consistency(FlipAndShift(2))(flat), torch.tensor(0.0))
    mapped = Turn(real=REAL, fake=FAKE, critic=lambda x: x)
    assert_close(Consistency(Doubled())(mapped), REAL.square().mean())


def test_settings() -> None:
    assert (Consistency(Doubled()).weight, Consistency(Doubled()).player) == (10.0, "discriminator")
    with pytest.raises(ValueError, match="images must be one of real, fake, not 'both'"):
        Consistency(Doubled(), images="both")
