"""Every adversarial loss against numbers worked out by hand and against torch's cross-entropy."""

from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor
from torch.nn.functional import binary_cross_entropy_with_logits as cross_entropy
from torch.testing import assert_close

from gan_lab.losses.adversarial import (
    AdversarialLoss,
    Hinge,
    LeastSquares,
    Minimax,
    NonSaturating,
    RandomMarginHinge,
    Relativistic,
    RelativisticAverage,
    Unscored,
    Wasserstein,
)

LN = {n: math.log(n) for n in (2, 3, 4)}
# scores whose sigmoids are plain fractions: logit(3/4) = ln 3, logit(1/5) = -ln 4
REAL = torch.tensor([LN[3], 0.0], dtype=torch.float64)  # D = 3/4, 1/2
FAKE = torch.tensor([-LN[4], LN[4]], dtype=torch.float64)  # D = 1/5, 4/5
ALL = [Minimax, NonSaturating, LeastSquares, Wasserstein, Hinge, Relativistic, RelativisticAverage]


def exactly(value: float) -> Tensor:
    return torch.tensor(value, dtype=torch.float64)


def test_minimax_is_the_papers_value() -> None:
    value = 0.5 * (math.log(3 / 4) + math.log(1 / 2)) + 0.5 * (math.log(4 / 5) + math.log(1 / 5))
    assert_close(Minimax().discriminator(REAL, FAKE), exactly(-value))
    assert_close(Minimax().generator(FAKE), exactly(0.5 * (math.log(4 / 5) + math.log(1 / 5))))


def test_non_saturating_generator_maximises_log_d() -> None:
    assert_close(NonSaturating().generator(FAKE), exactly(-0.5 * (math.log(1 / 5) + math.log(4 / 5))))
    assert_close(NonSaturating().discriminator(REAL, FAKE), Minimax().discriminator(REAL, FAKE))


def test_a_generator_that_is_not_paid_by_its_scores() -> None:
    fake = FAKE.clone().requires_grad_()
    Unscored().generator(fake).backward()
    assert fake.grad is not None
    assert fake.grad.tolist() == [0, 0]
    assert_close(Unscored(0.1).discriminator(REAL, FAKE), NonSaturating(0.1).discriminator(REAL, FAKE))
    assert not Unscored().pays_generator
    assert all(loss.pays_generator for loss in ALL)


def test_least_squares_by_hand() -> None:
    real, fake = torch.tensor([1.0, 3.0]), torch.tensor([0.0, 2.0])
    assert_close(LeastSquares().discriminator(real, fake), torch.tensor(0.5 * (0 + 4) / 2 + 0.5 * (0 + 4) / 2))
    assert_close(LeastSquares().generator(fake), torch.tensor(0.5 * (1 + 1) / 2))


def test_wasserstein_by_hand() -> None:
    real, fake = torch.tensor([1.0, 3.0]), torch.tensor([-1.0, 2.0])
    assert_close(Wasserstein().discriminator(real, fake), torch.tensor(0.5 - 2.0))
    assert_close(Wasserstein().generator(fake), torch.tensor(-0.5))


def test_a_margin_is_drawn_for_every_score() -> None:
    """The mean of U[0.5, 1) is 3/4, for scores that are all within it; at a least of 1 it is the hinge."""
    torch.manual_seed(0)
    zeros = torch.zeros(20_000)
    loss = RandomMarginHinge(0.5).discriminator(zeros, zeros)
    assert_close(loss, torch.tensor(1.5), atol=1e-2, rtol=0)  # 7 standard errors
    assert float(RandomMarginHinge(0.5).discriminator(zeros + 0.75, zeros - 1.0)) == pytest.approx(1 / 16, abs=5e-3)
    real, fake = torch.tensor([2.0, 0.25]), torch.tensor([-3.0, 0.5])
    assert_close(RandomMarginHinge(1.0).discriminator(real, fake), Hinge().discriminator(real, fake))
    assert_close(RandomMarginHinge().generator(fake), Hinge().generator(fake))
    with pytest.raises(ValueError, match=r"least must lie in \[0, 1\], not 2"):
        RandomMarginHinge(2)


def test_hinge_by_hand() -> None:
    real, fake = torch.tensor([2.0, 0.25]), torch.tensor([-3.0, 0.5])
    assert_close(Hinge().discriminator(real, fake), torch.tensor((0 + 0.75) / 2 + (0 + 1.5) / 2))
    assert_close(Hinge().generator(fake), torch.tensor(1.25))


def test_relativistic_pairs_by_position() -> None:
    real = torch.tensor([LN[3], 1.0], dtype=torch.float64)
    fake = torch.tensor([0.0, 1.0], dtype=torch.float64)  # margins ln 3 and 0
    assert_close(Relativistic().discriminator(real, fake), exactly(0.5 * (math.log(4 / 3) + LN[2])))
    assert_close(Relativistic().generator(fake, real), exactly(0.5 * (LN[4] + LN[2])))
    crossed = Relativistic().discriminator(real, fake.flip(0))  # margins ln 3 - 1 and 1
    assert_close(crossed, exactly(0.5 * (math.log1p(math.exp(1 - LN[3])) + math.log1p(math.exp(-1)))))


def test_relativistic_average_by_hand() -> None:
    """Means: real ln 3, fake 0; so real less the fake mean is ln 3 twice, fake less the real -ln 12 and ln 4/3."""
    real = torch.tensor([LN[3], LN[3]], dtype=torch.float64)
    fake = torch.tensor([-LN[4], LN[4]], dtype=torch.float64)
    on_real = math.log(4 / 3)  # -ln sigmoid(ln 3)
    on_fake = 0.5 * (math.log(13 / 12) + math.log(7 / 3))  # -ln(1 - sigmoid(.))
    assert_close(RelativisticAverage().discriminator(real, fake), exactly(0.5 * (on_real + on_fake)))
    on_real = LN[4]  # -ln(1 - sigmoid(ln 3))
    on_fake = 0.5 * (math.log(13) + math.log(7 / 4))  # -ln sigmoid(.)
    assert_close(RelativisticAverage().generator(fake, real), exactly(0.5 * (on_real + on_fake)))


def test_relativistic_average_of_what_cannot_be_told_apart() -> None:
    """ln 2 for both; and only differences count."""
    game, scores = RelativisticAverage(), torch.full((3, 1, 2, 2), 7.0, dtype=torch.float64)
    assert_close(game.discriminator(scores, scores), exactly(LN[2]))
    assert_close(game.generator(scores, scores), exactly(LN[2]))
    assert_close(game.discriminator(REAL + 5, FAKE + 5), game.discriminator(REAL, FAKE))
    assert_close(game.generator(FAKE + 5, REAL + 5), game.generator(FAKE, REAL))
    with pytest.raises(ValueError, match="needs the real ones too"):
        game.generator(FAKE)


def test_relativistic_refuses_what_does_not_pair() -> None:
    with pytest.raises(ValueError, match="needs the real scores"):
        Relativistic().generator(FAKE)
    with pytest.raises(ValueError, match=r"real \(4,\) and fake \(1,\) differ"):
        Relativistic().discriminator(torch.zeros(4), torch.zeros(1))
    assert [loss.needs_real for loss in ALL] == [False, False, False, False, False, True, True]


@pytest.mark.parametrize(("smoothing", "two_sided"), [(0.0, False), (0.1, False), (0.1, True)])
@pytest.mark.parametrize("loss", [Minimax, NonSaturating])
def test_cross_entropy_targets(loss: type[Minimax], smoothing: float, two_sided: bool) -> None:
    real, fake = torch.randn(2, 7, 3, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    targets = torch.full_like(real, 1 - smoothing), torch.full_like(fake, smoothing if two_sided else 0.0)
    expected = cross_entropy(real, targets[0]) + cross_entropy(fake, targets[1])
    game = loss(smoothing, two_sided)
    assert_close(game.discriminator(real, fake), expected)
    assert_close(game.generator(fake), loss().generator(fake))  # the generator is never smoothed


def test_least_squares_targets() -> None:
    real, fake = torch.tensor([0.9]), torch.tensor([0.1])
    assert_close(LeastSquares(0.1).discriminator(real, fake), torch.tensor(0.5 * 0.01))
    assert_close(LeastSquares(0.1, two_sided=True).discriminator(real, fake), torch.tensor(0.0))
    assert_close(LeastSquares(0.1, two_sided=True).generator(fake), torch.tensor(0.5 * 0.81))


@pytest.mark.parametrize("loss", [Minimax, NonSaturating, LeastSquares])
@pytest.mark.parametrize("smoothing", [-0.1, 0.5, float("nan")])
def test_smoothing_out_of_range(loss: type[Minimax], smoothing: float) -> None:
    with pytest.raises(ValueError, match="label_smoothing must lie in"):
        loss(label_smoothing=smoothing)


@pytest.mark.parametrize("loss", ALL)
def test_patch_maps_are_averaged(loss: type[AdversarialLoss]) -> None:
    real, fake = torch.randn(2, 24, generator=torch.Generator().manual_seed(1))
    game = loss()
    assert_close(game.discriminator(real.view(2, 1, 3, 4), fake.view(2, 1, 3, 4)), game.discriminator(real, fake))
    assert_close(game.generator(fake.view(2, 1, 3, 4), real.view(2, 1, 3, 4)), game.generator(fake, real))


@pytest.mark.parametrize("loss", [Minimax, NonSaturating, Relativistic])
def test_sure_discriminators_do_not_overflow(loss: type[AdversarialLoss]) -> None:
    """At scores of +-1000 the loss of a wrong discriminator is the score itself, that of a right one 0."""
    high, low = torch.tensor([1000.0]), torch.tensor([-1000.0])
    factor = 2.0 if loss is Relativistic else 1.0  # a margin of 2000, or two terms of 1000
    assert_close(loss().discriminator(low, high), torch.tensor(2000.0))
    assert_close(loss().discriminator(high, low), torch.tensor(0.0))
    wrong = loss().generator(low, high)
    assert_close(wrong, torch.tensor(-0.0 if loss is Minimax else 1000.0 * factor))


def test_generator_gradients() -> None:
    """Minimax saturates, -D/N by each score; the heuristic does not, (D - 1)/N."""
    for loss, expected in ((Minimax(), [-0.1, -0.4]), (NonSaturating(), [-0.4, -0.1])):
        scores = FAKE.clone().requires_grad_()
        loss.generator(scores).backward()
        assert_close(scores.grad, torch.tensor(expected, dtype=torch.float64))
