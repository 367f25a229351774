"""Whatever a discriminator returns is a critique."""

from __future__ import annotations

from dataclasses import FrozenInstanceError

import pytest
import torch

from gan_lab.layers.critique import Critique, of


def test_plain_scores_are_a_critique_without_the_rest() -> None:
    scores = torch.zeros(3)
    plain = of(scores)
    assert plain.scores is scores
    assert (plain.features, plain.class_logits, plain.maps) == (None, None, ())
    critique = Critique(scores, torch.ones(3, 2))
    assert of(critique) is critique


def test_losses_read_fp32() -> None:
    half = torch.zeros(3, dtype=torch.bfloat16)
    whole = Critique(half, half, half, (half,)).in_fp32()
    parts = (whole.scores, whole.features, whole.class_logits)
    assert [part is not None and part.dtype for part in parts] == [torch.float32] * 3
    assert whole.maps == (half,)
    assert Critique(half).in_fp32().features is None


def test_it_is_not_unpacked_and_not_changed() -> None:
    """Who takes it apart by position would get something else when it learns to say more."""
    critique = Critique(torch.zeros(3))
    with pytest.raises(TypeError):
        list(critique)  # type: ignore[call-overload]
    with pytest.raises(FrozenInstanceError):
        critique.scores = torch.ones(3)  # type: ignore[misc]
