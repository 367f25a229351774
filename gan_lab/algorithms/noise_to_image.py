"""The game of Goodfellow et al. 2014 (arXiv:1406.2661, algorithm 1): noise becomes images, a discriminator judges them.

Which GAN it is, is said by the networks, the loss and its regularizers; this file only knows the order of moves.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

from gan_lab.algorithms.base import Algorithm, Metrics, Sampler
from gan_lab.config import build
from gan_lab.data.stream import Batch
from gan_lab.engine import Engine, Terms
from gan_lab.errors import ConfigError
from gan_lab.latents import Latent
from gan_lab.losses.adversarial import AdversarialLoss
from gan_lab.losses.regularizers import Regularizer, Turn


class Fake(NamedTuple):
    """Generated images `(N, C, H, W)` and the latents `(N, D)` they came from."""

    images: Tensor
    latent: Tensor


class NoiseToImage(Algorithm):
    """`critic_steps` moves of the discriminator, then one of the generator.

    `reuse_fake`: the generator moves on the last fakes that the discriminator saw, as the reference DCGAN does, which
    saves a forward pass; false draws fresh latents (the paper's algorithm 1). With `accumulation` > 1 latents are
    always fresh, since keeping every piece's graph would cost the memory that accumulation saves.
    """

    roles = ("generator", "discriminator")
    averaged = ("generator",)

    def __init__(
        self,
        latent: Latent,
        adversarial: AdversarialLoss,
        regularizers: Mapping[str, Regularizer],
        augmentation: nn.Module,
        critic_steps: int = 1,
        reuse_fake: bool = True,
        **common: Any,
    ) -> None:
        super().__init__(**common)
        if critic_steps < 1:
            raise ConfigError(f"algorithm.critic_steps: {critic_steps} is below 1")
        self.latent = latent
        self.adversarial = adversarial
        self.regularizers = dict(regularizers)
        for name, regularizer in self.regularizers.items():
            if regularizer.player not in self.roles:
                raise ConfigError(f"loss.regularizers.{name}: its player {regularizer.player!r} is not in this game")
        self.augmentation = augmentation
        self.critic_steps = critic_steps
        self.reuse_fake = reuse_fake and self.accumulation == 1

    @property
    def batches_per_round(self) -> int:
        return self.critic_steps

    def due(self, step: int) -> tuple[str, ...]:
        """The lazy regularizers whose turn it is: those with `step` divisible by `every`."""
        return tuple(name for name, regularizer in self.regularizers.items() if step % regularizer.every == 0)

    def train_step(self, batches: Sequence[Batch], due: Any) -> Metrics:
        metrics: Metrics = {}
        kept: Fake | None = None
        for index, batch in enumerate(batches):
            if self.reuse_fake and index == len(batches) - 1:
                with self.engine.autocast():
                    kept = self._generate(batch)
            metrics.update(self._discriminator_move(batch, due, kept))
        metrics.update(self._generator_move(batches[-1], due, kept))
        return metrics

    def _generate(self, batch: Batch) -> Fake:
        latent = self.latent(len(batch.images), self.engine.device)
        return Fake(self.networks["generator"](latent, batch.labels).float(), latent)

    def _critic(self, labels: Tensor | None) -> Callable[[Tensor], Tensor]:
        """Images -> scores in fp32, augmentation inside, so that no loss and no penalty can forget it."""
        return lambda images: self.networks["discriminator"](self.augmentation(images), labels).float()

    def _discriminator_move(self, batch: Batch, due: tuple[str, ...], kept: Fake | None) -> Metrics:
        scores: list[tuple[Tensor, Tensor]] = []

        def terms(piece: Batch) -> Terms:
            critic = self._critic(piece.labels)
            if kept is None:
                with torch.no_grad():
                    fake = self._generate(piece)
            else:
                fake = kept
            images = fake.images.detach()
            real_scores, fake_scores = critic(piece.images), critic(images)
            scores.append((real_scores.detach().mean(), fake_scores.detach().mean()))
            turn = Turn(piece.images, images, critic, real_scores, fake_scores, piece.labels, fake.latent)
            adversarial = self.adversarial.discriminator(real_scores, fake_scores)
            return {"adversarial": adversarial, **self._penalties("discriminator", due, turn)}

        metrics = self._move("discriminator", batch, terms)
        metrics["score/real"], metrics["score/fake"] = (
            torch.stack([torch.stack(pair) for pair in scores]).mean(0).unbind()
        )
        return metrics

    def _generator_move(self, batch: Batch, due: tuple[str, ...], kept: Fake | None) -> Metrics:
        def terms(piece: Batch) -> Terms:
            critic = self._critic(piece.labels)
            fake = kept if kept is not None else self._generate(piece)
            real_scores = None
            if self.adversarial.needs_real:
                with torch.no_grad():
                    real_scores = critic(piece.images)
            fake_scores = critic(fake.images)
            turn = Turn(piece.images, fake.images, critic, real_scores, fake_scores, piece.labels, fake.latent)
            adversarial = self.adversarial.generator(fake_scores, real_scores)
            return {"adversarial": adversarial, **self._penalties("generator", due, turn)}

        return self._move("generator", batch, terms)

    def _move(self, role: str, batch: Batch, terms: Callable[[Batch], Terms]) -> Metrics:
        pieces = [lambda piece=piece: terms(piece) for piece in split(batch, self.accumulation)]
        losses, norm = self.engine.minimize(pieces, self.optimizers[role])
        named = {f"loss/{role}/{name}" if name else f"loss/{role}": value for name, value in losses.items()}
        return {**named, f"gradient_norm/{role}": norm}

    def _penalties(self, player: str, due: tuple[str, ...], turn: Turn) -> Terms:
        """The regularizers of `player` whose turn it is, weighted; a lazy one counts for the rounds it sat out."""
        return {
            name: regularizer(turn) * (regularizer.weight * regularizer.every)
            for name, regularizer in self.regularizers.items()
            if regularizer.player == player and name in due
        }

    def sampler(self) -> Sampler:
        return NoiseSampler(self.averages["generator"].module, self.latent, self.engine)

    @classmethod
    def load_sampler(cls, networks: Mapping[str, nn.Module], settings: Mapping[str, Any], engine: Engine) -> Sampler:
        return NoiseSampler(networks["generator"], build(settings["latent"], "algorithm.latent"), engine)


class NoiseSampler:
    """Images from a generator in evaluation mode. Latents are drawn on the CPU from the seed alone, so the same seed
    asks for the same images on every device and whatever the batch size."""

    def __init__(self, generator: nn.Module, latent: Latent, engine: Engine, batch_size: int = 64) -> None:
        self.generator = generator
        self.latent = latent
        self.engine = engine
        self.batch_size = batch_size

    @torch.no_grad()
    def sample(self, n: int, seed: int = 0) -> Tensor:
        latents = self.latent(n, torch.device("cpu"), torch.Generator().manual_seed(seed))
        self.generator.eval()
        parts = [self.generator(z.to(self.engine.device)).float().cpu() for z in latents.split(self.batch_size)]
        return torch.cat(parts).contiguous().clamp(-1, 1)


def split(batch: Batch, pieces: int) -> list[Batch]:
    """Cut a batch into `pieces` of equal size (the trainer has checked that it divides)."""
    if pieces == 1:
        return [batch]
    images = batch.images.chunk(pieces)
    labels = batch.labels.chunk(pieces) if batch.labels is not None else [None] * pieces
    return [Batch(*pair) for pair in zip(images, labels, strict=True)]
