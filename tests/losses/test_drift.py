"""Scores that are held near 0."""

from __future__ import annotations

import torch

from gan_lab.layers.critique import Critique
from gan_lab.losses.drift import Drift
from gan_lab.losses.regularizers import Turn


def test_it_is_the_mean_square_of_the_scores_of_real_images() -> None:
    images, real = torch.zeros(3, 1, 2, 2), torch.tensor([1.5, -3.0, 6.0], requires_grad=True)
    turn = Turn(images, images, lambda x: x, Critique(real), Critique(torch.full((3,), 9.0)))
    penalty = Drift()(turn)
    assert float(penalty.detach()) == 15.75
    assert torch.autograd.grad(penalty, real)[0].tolist() == [1.0, -2.0, 4.0]
    assert (Drift().weight, Drift().player) == (0.001, "discriminator")
