"""The best-scored images alone move the generator; nothing else changes."""

from __future__ import annotations

import pytest
import torch
from torch.testing import assert_close

from gan_lab.losses.adversarial import Hinge, Relativistic
from gan_lab.losses.several_discriminators import SeveralDiscriminators
from gan_lab.losses.top_k import TopK

FAKE = torch.tensor([0.5, -2.0, 3.0, 1.0])
REAL = torch.tensor([10.0, 20.0, 30.0, 40.0])


def test_only_the_best_count() -> None:
    fake = FAKE.clone().requires_grad_()
    loss = TopK(Hinge, fraction=0.5).generator(fake)
    assert_close(loss.detach(), torch.tensor(-2.0))  # the mean of 3 and 1
    loss.backward()
    assert_close(fake.grad, torch.tensor([0.0, 0.0, -0.5, -0.5]))


def test_the_whole_batch_and_the_discriminator_are_untouched() -> None:
    assert TopK(Hinge).generator(FAKE) == Hinge().generator(FAKE)
    assert TopK(Hinge, fraction=0.25).discriminator(REAL, FAKE) == Hinge().discriminator(REAL, FAKE)


def test_real_scores_stay_paired() -> None:
    game = TopK(Relativistic, fraction=0.5)
    assert game.needs_real
    assert not TopK(Hinge).needs_real
    expected = Relativistic().generator(FAKE[[2, 3]], REAL[[2, 3]])
    assert_close(game.generator(FAKE, REAL), expected)


def test_a_map_of_scores_is_judged_by_its_mean() -> None:
    maps = torch.tensor([[[9.0, -9.0]], [[1.0, 1.0]], [[2.0, -1.0]]])  # means 0, 1, 0.5
    assert_close(TopK(Hinge, fraction=2 / 3).generator(maps), torch.tensor(-0.75))


@pytest.mark.parametrize(("fraction", "n", "kept"), [(1.0, 7, 7), (0.5, 8, 4), (0.1, 4, 1), (0.9, 8, 7), (0.99, 8, 8)])
def test_how_many_are_kept(fraction: float, n: int, kept: int) -> None:
    assert TopK(Hinge, fraction).kept(n) == kept


def test_a_schedule_may_move_the_fraction() -> None:
    game = TopK(Hinge)
    game.fraction = 0.25
    assert_close(game.generator(FAKE), torch.tensor(-3.0))


def test_fractions_that_keep_as_many_are_one_kind_of_round() -> None:
    """Of 4 and of 10 images, both of which were seen: as many are kept of either, or it is another round."""
    game = TopK(Hinge)
    assert game.in_effect() == ()
    for n in (10, 4):
        game.generator(torch.ones(n))
    for fraction, kept in ((1.0, (4, 10)), (0.97, (4, 10)), (0.9, (4, 9)), (0.62, (2, 6)), (0.01, (1, 1))):
        game.fraction = fraction
        assert game.in_effect() == kept


def test_it_wraps_several_discriminators_and_is_wrapped() -> None:
    scores = torch.tensor([[4.0, 0.0], [1.0, 1.0], [0.0, 9.0]])  # means 2, 1, 4.5
    outside = TopK(lambda: SeveralDiscriminators(Hinge), fraction=2 / 3)
    assert_close(outside.generator(scores), -torch.tensor((2.0 + 4.5) / 2))
    inside = SeveralDiscriminators(lambda: TopK(Hinge, fraction=1 / 3))
    assert_close(inside.generator(scores), -torch.tensor((4.0 + 9.0) / 2))  # each discriminator has its own best


@pytest.mark.parametrize("fraction", [0.0, -0.5, 1.5, float("nan")])
def test_the_fraction_is_checked(fraction: float) -> None:
    with pytest.raises(ValueError, match=r"fraction must lie in \(0, 1\]"):
        TopK(Hinge, fraction=fraction)
