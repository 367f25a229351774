"""What the two players want, as pure functions of scores.

Scores are raw logits of any shape (a patch map is averaged), larger = more real. `discriminator` and `generator` return
a 0-d tensor to minimise. No image and no network is in sight, so every loss goes with every model.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import ClassVar

import torch
from torch import Tensor
from torch.nn.functional import relu, softplus


class AdversarialLoss(ABC):
    """A game: one scalar to minimise for each player."""

    needs_real: ClassVar[bool] = False  # the generator's loss reads the real scores too
    pays_generator: ClassVar[bool] = True  # whether it asks anything of the generator where there is a game

    @abstractmethod
    def discriminator(self, real: Tensor, fake: Tensor) -> Tensor:
        """The discriminator's loss from its scores on real and on generated images."""

    @abstractmethod
    def generator(self, fake: Tensor, real: Tensor | None = None) -> Tensor:
        """The generator's loss from the scores of its images; `real` is read only where `needs_real`."""


class NoGame(AdversarialLoss):
    """Nobody plays: for a generator that only pays its regularizers (`algorithm=regression`). Both losses are 0."""

    def discriminator(self, real: Tensor, fake: Tensor) -> Tensor:
        return 0.0 * (real.mean() + fake.mean())

    def generator(self, fake: Tensor, real: Tensor | None = None) -> Tensor:
        return 0.0 * fake.mean()


def _checked_smoothing(label_smoothing: float) -> float:
    if not 0.0 <= label_smoothing < 0.5:
        raise ValueError(f"label_smoothing must lie in [0, 0.5), not {label_smoothing}")
    return label_smoothing


class Minimax(AdversarialLoss):
    """The zero-sum game of equation 1 of Goodfellow et al. 2014 (arXiv:1406.2661): both players share one value.

    With D = sigmoid(score): log D = -softplus(-score) and log(1 - D) = -softplus(score), which never overflow. The
    generator's gradient vanishes where the discriminator is sure (it saturates); `NonSaturating` is the remedy.

    `label_smoothing` s moves the discriminator's target on real images to 1 - s (one-sided, Salimans et al. 2016,
    arXiv:1606.03498, section 3.4); with `two_sided` the target on generated images becomes s as well. The generator's
    loss is not smoothed. Raises ValueError unless 0 <= s < 0.5.
    """

    def __init__(self, label_smoothing: float = 0.0, two_sided: bool = False) -> None:
        self.real_smoothing = _checked_smoothing(label_smoothing)
        self.fake_smoothing = label_smoothing if two_sided else 0.0

    def discriminator(self, real: Tensor, fake: Tensor) -> Tensor:
        # binary cross-entropy with target t: softplus(score) - t * score
        on_real = softplus(-real) + self.real_smoothing * real
        on_fake = softplus(fake) - self.fake_smoothing * fake
        return on_real.mean() + on_fake.mean()

    def generator(self, fake: Tensor, real: Tensor | None = None) -> Tensor:
        return -softplus(fake).mean()


class NonSaturating(Minimax):
    """The same discriminator; the generator maximises log D(G(z)) (Goodfellow et al. 2014, end of section 3)."""

    def generator(self, fake: Tensor, real: Tensor | None = None) -> Tensor:
        return softplus(-fake).mean()


class Unscored(NonSaturating):
    """The same discriminator, and a generator that is not paid by its scores, only by regularizers: by features, in
    GANomaly (Akcay et al. 2018, arXiv:1805.06725, section 3.2)."""

    pays_generator: ClassVar[bool] = False

    def generator(self, fake: Tensor, real: Tensor | None = None) -> Tensor:
        return 0.0 * fake.mean()


class LeastSquares(AdversarialLoss):
    """Squared distance of the raw score to its target, 0-1 coding (Mao et al. 2016, arXiv:1611.04076, equation 9).

    `label_smoothing` and `two_sided` as in `Minimax`: targets 1 - s on real images, 0 or s on generated ones.
    """

    def __init__(self, label_smoothing: float = 0.0, two_sided: bool = False) -> None:
        self.real_target = 1.0 - _checked_smoothing(label_smoothing)
        self.fake_target = label_smoothing if two_sided else 0.0

    def discriminator(self, real: Tensor, fake: Tensor) -> Tensor:
        return 0.5 * (real - self.real_target).square().mean() + 0.5 * (fake - self.fake_target).square().mean()

    def generator(self, fake: Tensor, real: Tensor | None = None) -> Tensor:
        return 0.5 * (fake - 1.0).square().mean()


class Wasserstein(AdversarialLoss):
    """The critic's estimate of the earth mover's distance, negated (Arjovsky et al. 2017, arXiv:1701.07875).

    It means a distance only for a Lipschitz critic: combine it with `gradient_penalty`.
    """

    def discriminator(self, real: Tensor, fake: Tensor) -> Tensor:
        return fake.mean() - real.mean()

    def generator(self, fake: Tensor, real: Tensor | None = None) -> Tensor:
        return -fake.mean()


class Hinge(AdversarialLoss):
    """Scores beyond a margin of 1 stop contributing (Lim & Ye 2017, arXiv:1705.02894)."""

    def discriminator(self, real: Tensor, fake: Tensor) -> Tensor:
        return relu(1 - real).mean() + relu(1 + fake).mean()

    def generator(self, fake: Tensor, real: Tensor | None = None) -> Tensor:
        return -fake.mean()


class RandomMarginHinge(Hinge):
    """The hinge whose margins are drawn from U[`least`, 1) for every score, as in the code of Liu et al. 2021 (FastGAN,
    arXiv:2101.04775): the discriminator is not held to one number. Raises ValueError for a `least` outside [0, 1]."""

    def __init__(self, least: float = 0.8) -> None:
        if not 0.0 <= least <= 1.0:
            raise ValueError(f"least must lie in [0, 1], not {least}")
        self.least = least

    def discriminator(self, real: Tensor, fake: Tensor) -> Tensor:
        return relu(self._margin(real) - real).mean() + relu(self._margin(fake) + fake).mean()

    def _margin(self, scores: Tensor) -> Tensor:
        return self.least + (1 - self.least) * torch.rand_like(scores)


class Relativistic(AdversarialLoss):
    """Each real image is to score above the generated image it is paired with, by position.

    RpGAN (Jolicoeur-Martineau 2018, arXiv:1807.00734), as in R3GAN (Huang et al. 2025, arXiv:2501.05441, equation 2)
    with f(t) = -log(1 + exp(-t)). Raises ValueError when real and fake scores do not pair up.
    """

    needs_real: ClassVar[bool] = True

    def discriminator(self, real: Tensor, fake: Tensor) -> Tensor:
        return softplus(-_margin(real, fake)).mean()

    def generator(self, fake: Tensor, real: Tensor | None = None) -> Tensor:
        if real is None:
            raise ValueError("the relativistic loss pairs scores: its generator's loss needs the real scores too")
        return softplus(_margin(real, fake)).mean()


class RelativisticAverage(AdversarialLoss):
    """Each image is to score above the average of the other kind: the mean cross-entropy of r - E[f] with "real" and of
    f - E[r] with "generated", and the other way around for the generator.

    RaSGAN (Jolicoeur-Martineau 2018, arXiv:1807.00734, section 4.2), halved as in the code of ESRGAN
    (arXiv:1809.00219, equations 1 and 2): ln 2 where nothing can be told apart. Gradients go through the averages too.
    """

    needs_real: ClassVar[bool] = True

    def discriminator(self, real: Tensor, fake: Tensor) -> Tensor:
        return 0.5 * (softplus(fake.mean() - real).mean() + softplus(fake - real.mean()).mean())

    def generator(self, fake: Tensor, real: Tensor | None = None) -> Tensor:
        if real is None:
            raise ValueError("the relativistic average loss compares scores: its generator's needs the real ones too")
        return self.discriminator(fake, real)


def _margin(real: Tensor, fake: Tensor) -> Tensor:
    if real.shape != fake.shape:  # broadcasting would pair everything with everything
        raise ValueError(
            f"the relativistic loss pairs scores: real {tuple(real.shape)} and fake {tuple(fake.shape)} differ in shape"
        )
    return real - fake
