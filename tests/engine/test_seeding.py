"""Every generator continues where it was."""

from __future__ import annotations

import io
import random

import numpy as np
import torch

from gan_lab.engine.seeding import random_state, restore_random_state, seed_everything


def draw() -> tuple[float, float, float, float]:
    return random.random(), float(np.random.rand()), float(np.random.randn()), float(torch.randn(()))


def test_same_seed_same_numbers() -> None:
    seed_everything(3)
    first = draw()
    seed_everything(3)
    assert draw() == first
    seed_everything(4)
    assert all(a != b for a, b in zip(draw(), first, strict=True))


def test_state_survives_a_weights_only_file() -> None:
    seed_everything(5)
    np.random.randn()  # leaves a cached gaussian behind
    buffer = io.BytesIO()
    torch.save(random_state(), buffer)
    expected = [draw() for _ in range(3)]
    buffer.seek(0)
    restore_random_state(torch.load(buffer, weights_only=True))
    assert [draw() for _ in range(3)] == expected
