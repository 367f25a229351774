"""Whatever a discriminator returns is a critique."""

from __future__ import annotations

import torch

from gan_lab.algorithms.duel import in_fp32
from gan_lab.layers.critique import Critique, of


def test_plain_scores_are_a_critique_without_the_rest() -> None:
    scores = torch.zeros(3)
    assert of(scores) == (scores, None, None, ())
    critique = Critique(scores, torch.ones(3, 2))
    assert of(critique) is critique


def test_losses_read_fp32() -> None:
    half = torch.zeros(3, dtype=torch.bfloat16)
    assert [part.dtype for part in in_fp32(Critique(half, half, half))[:3]] == [torch.float32] * 3
    assert in_fp32(Critique(half)).features is None
