"""The training loop that tutorials teach, as they write it, to be measured against.

The discriminator sees real and fake images in two passes with a backward pass each, losses are binary cross-entropy on
probabilities, the optimizer is Adam as it comes, a DataLoader with two workers brings images that a transform has
normalised one by one, and `.item()` reads every loss at every step. Least squares, Wasserstein and hinge games have
their own tutorials, games with styles a loop of their own (`gan_lab.benchmark.styles`). On CUDA the loop has what the
engine has switched on for the whole process: TF32 and cuDNN's search for the fastest kernels. The networks are the very
ones of the run, with the same first weights, in the form in which their papers draw them.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.functional import relu
from torch.utils.data import DataLoader, Dataset

from gan_lab.algorithms.growing import Growing
from gan_lab.algorithms.growing_styles import GrowingStyles
from gan_lab.algorithms.noise_to_image import NoiseToImage
from gan_lab.algorithms.style_based import StyleBased
from gan_lab.benchmark import from_images, styles
from gan_lab.benchmark.published import as_it_comes, as_published
from gan_lab.data.store import Store
from gan_lab.errors import ConfigError
from gan_lab.layers.critique import of
from gan_lab.losses.adversarial import Hinge, LeastSquares, Minimax, NonSaturating, Wasserstein
from gan_lab.losses.constraints import WeightClipping
from gan_lab.losses.drift import Drift
from gan_lab.losses.regularizers import GradientPenalty
from gan_lab.training.run import Run

Step = Callable[[], tuple[float, float]]


class Images(Dataset[tuple[Tensor, Any]]):
    """A store's images as a torchvision dataset with ToTensor and Normalize gives them."""

    def __init__(self, store: Store) -> None:
        self.images, self.labels = store.images, store.labels

    def __len__(self) -> int:
        return len(self.images)

    def __getitem__(self, index: int) -> tuple[Tensor, Any]:
        image = torch.from_numpy(self.images[index].copy()).float().div(255).sub(0.5).div(0.5)
        return image, 0 if self.labels is None else self.labels[index]


def loader(store: Store, batch_size: int) -> Iterator[tuple[Tensor, Tensor]]:
    """Batches for ever. Its shuffling has a generator of its own, so that the latents are the run's.

    The workers start here, and not with the first batch: a forked one would go on under whatever mode (a counter of
    memory) the loop is in then.
    """
    own = torch.Generator().manual_seed(0)
    data = DataLoader(
        Images(store), batch_size, shuffle=True, num_workers=2, drop_last=True, persistent_workers=True, generator=own
    )
    first = iter(data)
    return itertools.chain(first, itertools.chain.from_iterable(itertools.repeat(data)))


def textbook(run: Run, batches: Iterator[tuple[Tensor, Tensor]] | None = None) -> Step:
    """One round of the run's game as a tutorial plays it: the discriminator's and the generator's loss.

    Raises ConfigError for a game that no tutorial has a loop for.
    """
    if is_from_images(run):
        return from_images.step_of(run, batches)
    if isinstance(run.algorithm, Growing):
        require_whole_size(run.algorithm)
    if type(run.algorithm) in (StyleBased, GrowingStyles):
        if reason := styles.why_not(run):
            raise _no_loop(reason)
        return styles.step_of(run, batches or loader(run.store, run.plan.batch_size))
    loop = _loop(run)
    batches = loader(run.store, run.plan.batch_size) if batches is None else batches
    return loop(Players(run, batches))


class Players:
    """The two networks, their optimizers, and the data."""

    def __init__(self, run: Run, batches: Iterator[tuple[Tensor, Tensor]]) -> None:
        algorithm = run.algorithm
        assert isinstance(algorithm, NoiseToImage)
        self.batches, self.device = batches, run.engine.device
        self.latent_of, self.critic_steps = algorithm.latent, algorithm.critic_steps
        self.reuse_fake, self.generator_batch = algorithm.reuse_fake, algorithm.generator_batch
        self.regularizers, self.constraints = algorithm.regularizers, algorithm.game.constraints
        self.generator = as_published(algorithm.networks["generator"], run)
        self.discriminator = as_published(algorithm.networks["discriminator"], run)
        self.conditional = bool(getattr(algorithm.networks["generator"], "num_classes", 0))
        self.adversarial: Any = algorithm.game.adversarial
        self.optimizer_generator = as_it_comes(algorithm.optimizers["generator"], self.generator)
        self.optimizer_discriminator = as_it_comes(algorithm.optimizers["discriminator"], self.discriminator)

    def real(self) -> tuple[Tensor, Tensor | None]:
        images, labels, *_ = next(self.batches)
        return images.to(self.device), labels.to(self.device) if self.conditional else None

    def fake(self, count: int, labels: Tensor | None) -> Tensor:
        images: Tensor = self.generator(self.latent_of(count, self.device), labels)
        return images

    def fake_for_generator(self, labels: Tensor | None, fake: Tensor) -> tuple[Tensor, Tensor | None]:
        """What the generator moves on, after the discriminator has seen `fake`; its labels."""
        if self.reuse_fake:
            return fake, labels
        times = self.generator_batch
        labels = None if labels is None else labels.repeat_interleave(times)
        return self.fake(times * len(fake), labels), labels

    def scores(self, images: Tensor, labels: Tensor | None) -> Tensor:
        return of(self.discriminator(images, labels)).scores


def cross_entropy(players: Players) -> Step:
    """The DCGAN tutorial. A generator that minimises log(1 - D(G(z))) instead costs the same (Minimax)."""
    bce, smoothing = nn.BCELoss(), players.adversarial
    saturating = type(players.adversarial) is Minimax

    def step() -> tuple[float, float]:
        real, labels = players.real()
        players.discriminator.zero_grad()
        probability = torch.sigmoid(players.scores(real, labels))
        loss_real = bce(probability, torch.full_like(probability, 1 - smoothing.real_smoothing))
        loss_real.backward()
        fake = players.fake(len(real), labels)
        probability = torch.sigmoid(players.scores(fake.detach(), labels))
        loss_fake = bce(probability, torch.full_like(probability, smoothing.fake_smoothing))
        loss_fake.backward()
        players.optimizer_discriminator.step()
        players.generator.zero_grad()
        fake, labels = players.fake_for_generator(labels, fake)
        probability = torch.sigmoid(players.scores(fake, labels))
        if saturating:
            loss = -bce(probability, torch.zeros_like(probability))
        else:
            loss = bce(probability, torch.ones_like(probability))
        loss.backward()
        players.optimizer_generator.step()
        return (loss_real + loss_fake).item(), loss.item()

    return step


def least_squares(players: Players) -> Step:
    """The LSGAN tutorials: the same moves, with half the squared error of the scores themselves."""
    mse, targets = nn.MSELoss(), players.adversarial

    def step() -> tuple[float, float]:
        real, labels = players.real()
        players.discriminator.zero_grad()
        scores = players.scores(real, labels)
        loss_real = 0.5 * mse(scores, torch.full_like(scores, targets.real_target))
        loss_real.backward()
        fake = players.fake(len(real), labels)
        scores = players.scores(fake.detach(), labels)
        loss_fake = 0.5 * mse(scores, torch.full_like(scores, targets.fake_target))
        loss_fake.backward()
        players.optimizer_discriminator.step()
        players.generator.zero_grad()
        fake, labels = players.fake_for_generator(labels, fake)
        scores = players.scores(fake, labels)
        loss = 0.5 * mse(scores, torch.ones_like(scores))
        loss.backward()
        players.optimizer_generator.step()
        return (loss_real + loss_fake).item(), loss.item()

    return step


def critic(players: Players, hinge: bool = False) -> Step:
    """The WGAN tutorials: several steps of the critic, clipped or with a gradient penalty; SNGAN's with a hinge."""
    clipping = [c.bound for c in players.constraints.values() if isinstance(c, WeightClipping)]
    penalties = [r for r in players.regularizers.values() if isinstance(r, GradientPenalty)]
    drifts = [r for r in players.regularizers.values() if isinstance(r, Drift)]

    def step() -> tuple[float, float]:
        for _ in range(players.critic_steps):
            real, labels = players.real()
            players.discriminator.zero_grad()
            images = players.fake(len(real), labels)
            fake = images.detach()
            on_real, on_fake = players.scores(real, labels), players.scores(fake, labels)
            loss = relu(1 - on_real).mean() + relu(1 + on_fake).mean() if hinge else on_fake.mean() - on_real.mean()
            for penalty in penalties:
                loss = loss + penalty.weight * gradient_penalty(players, real, fake, labels, penalty.target)
            for drift in drifts:
                loss = loss + drift.weight * (on_real**2).mean()
            loss.backward()
            players.optimizer_discriminator.step()
            for bound in clipping:
                for parameter in players.discriminator.parameters():
                    parameter.data.clamp_(-bound, bound)
            told = loss.item()
        players.generator.zero_grad()
        images, labels = players.fake_for_generator(labels, images)
        loss = -players.scores(images, labels).mean()
        loss.backward()
        players.optimizer_generator.step()
        return told, loss.item()

    return step


def gradient_penalty(players: Players, real: Tensor, fake: Tensor, labels: Tensor | None, target: float) -> Tensor:
    """Gulrajani et al. 2017 (arXiv:1704.00028), as in the WGAN-GP tutorials."""
    epsilon = torch.rand(len(real), 1, 1, 1, device=real.device)
    mixed = (epsilon * real + (1 - epsilon) * fake).requires_grad_(True)
    scores = players.scores(mixed, labels)
    gradient = torch.autograd.grad(scores, mixed, torch.ones_like(scores), create_graph=True, retain_graph=True)[0]
    penalty: Tensor = ((gradient.reshape(len(gradient), -1).norm(2, dim=1) - target) ** 2).mean()
    return penalty


def is_from_images(run: Run) -> bool:
    """Whether the run's game has inputs and a loop. Raises ConfigError where it has inputs and no loop."""
    if "input" not in run.sampler().takes:
        return False
    if why := from_images.why_not(run.algorithm):
        raise _no_loop(why)
    return True


def require_whole_size(algorithm: Growing) -> None:
    """Raise ConfigError where rounds begin at a smaller size, which the loops do not have."""
    if algorithm.grown(0).level < algorithm.levels:
        raise ConfigError(
            "algorithm.stages.start: rounds are measured at the whole size, with algorithm.stages.start="
            f"{algorithm.levels}"
        )


def _loop(run: Run) -> Callable[[Players], Step]:
    """The tutorial's loop for the run's game. Raises ConfigError where there is none."""
    algorithm = run.algorithm
    if type(algorithm) not in (NoiseToImage, Growing):
        raise _no_loop(f"algorithm {type(algorithm).__name__}")
    for name, regularizer in algorithm.regularizers.items():
        if not isinstance(regularizer, (GradientPenalty, Drift)):
            raise _no_loop(f"loss.regularizers.{name}")
    if list(algorithm.augmentation.children()):
        raise _no_loop("an augmentation")
    kind: Any = type(algorithm.game.adversarial)
    tutorials = {NonSaturating: cross_entropy, Minimax: cross_entropy, LeastSquares: least_squares}
    if kind in tutorials and not algorithm.regularizers:
        return tutorials[kind]
    if kind is Wasserstein or kind is Hinge:
        return lambda players: critic(players, hinge=kind is Hinge)
    raise _no_loop(f"loss.adversarial {kind.__name__}")


def _no_loop(what: str) -> ConfigError:
    return ConfigError(f"against=textbook: tutorials have no loop with {what}; measure against=eager instead")
