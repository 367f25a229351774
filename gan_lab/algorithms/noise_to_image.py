"""The game of Goodfellow et al. 2014 (arXiv:1406.2661, algorithm 1): noise becomes images, a discriminator judges them.

Which GAN it is, is said by the networks, the loss and its regularizers; this file only knows the order of moves.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _NormBase

from gan_lab.algorithms.base import Algorithm, Metrics
from gan_lab.algorithms.latents import Latent
from gan_lab.augmentations.chain import Chain
from gan_lab.config import build
from gan_lab.data.batch import Batch
from gan_lab.engine.engine import Engine, Terms
from gan_lab.errors import ConfigError
from gan_lab.layers.critique import Critique, of
from gan_lab.losses.adversarial import AdversarialLoss
from gan_lab.losses.regularizers import Regularizer, Turn
from gan_lab.sampling.sampler import Sampler


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
        self._adapt = getattr(augmentation, "adapt", None) or (lambda real_scores: None)
        self.critic_steps = critic_steps
        self.reuse_fake = reuse_fake and self.accumulation == 1
        bare = isinstance(augmentation, (nn.Identity, Chain)) and not list(augmentation.children())
        self.one_pass = bare and is_per_image(self.networks["discriminator"])

    @property
    def batches_per_round(self) -> int:
        return self.critic_steps

    def due(self, step: int) -> tuple[str, ...]:
        """The lazy regularizers whose turn it is: those with `step` divisible by `every`."""
        return tuple(name for name, regularizer in self.regularizers.items() if step % regularizer.every == 0)

    def train_step(self, batches: Sequence[Batch], due: Any) -> Metrics:
        metrics: Metrics = {}
        reused: Fake | None = None
        for index, batch in enumerate(batches):
            if self.reuse_fake and index == len(batches) - 1:
                with self.engine.autocast():
                    reused = self._generate(batch)
            metrics.update(self._discriminator_move(batch, due, reused))
        metrics.update(self._generator_move(batches[-1], due, reused))
        for name, value in getattr(self.augmentation, "figures", {}).items():
            metrics[name] = value.clone()  # it goes on changing where it is
        return metrics

    def _generate(self, batch: Batch) -> Fake:
        latent = self.latent(len(batch.image), self.engine.device)
        return Fake(self.networks["generator"](latent, batch.label).float(), latent)

    def _critique(self, images: Tensor, labels: Tensor | None) -> Critique:
        """The discriminator on images, in fp32; augmentation inside, so that no loss and no penalty can forget it."""
        return in_fp32(of(self.networks["discriminator"](self.augmentation(images), labels)))

    def _critiques(self, real: Tensor, fake: Tensor, labels: Tensor | None) -> tuple[Critique, Critique]:
        """Both in one pass where no image's critique depends on the others': the same for less work."""
        if not self.one_pass:
            return self._critique(real, labels), self._critique(fake, labels)
        twice = None if labels is None else torch.cat((labels, labels))
        both = self._critique(torch.cat((real, fake)), twice)
        count = len(both.scores) // 2
        return of_images(both, slice(0, count)), of_images(both, slice(count, None))

    def _score(self, images: Tensor, labels: Tensor | None) -> Tensor:
        """Scores for a penalty, which differentiates them twice."""
        discriminator = self.engine.uncompiled(self.networks["discriminator"])
        return in_fp32(of(discriminator(self.augmentation(images), labels))).scores

    def _turn(self, role: str, piece: Batch, fake: Fake, **critiques: Critique | None) -> Turn:
        generator = self.engine.uncompiled(self.networks["generator"])
        return Turn(
            real=piece.image,
            fake=fake.images,
            critic=lambda images: self._score(images, piece.label),
            labels=piece.label,
            latent=fake.latent,
            generator=lambda latent: generator(latent, piece.label).float(),
            mover=self.networks[role],
            **critiques,
        )

    def _discriminator_move(self, batch: Batch, due: tuple[str, ...], reused: Fake | None) -> Metrics:
        scores: list[tuple[Tensor, Tensor]] = []

        def observe(real: Tensor, generated: Tensor) -> None:
            scores.append((real.mean(), generated.mean()))
            self._adapt(real)

        def terms(piece: Batch) -> Terms:
            if reused is None:
                with torch.no_grad():
                    fake = self._generate(piece)
            else:
                fake = reused
            return self._discriminator_terms(piece, Fake(fake.images.detach(), fake.latent), due, observe)

        metrics = self._move("discriminator", batch, terms)
        metrics["score/real"], metrics["score/fake"] = (
            torch.stack([torch.stack(pair) for pair in scores]).mean(0).unbind()
        )
        return metrics

    def _discriminator_terms(
        self, piece: Batch, fake: Fake, due: tuple[str, ...], observe: Callable[[Tensor, Tensor], None]
    ) -> Terms:
        """What the discriminator minimises; `observe` is told the scores before the penalties are taken."""
        real, generated = self._critiques(piece.image, fake.images, piece.label)
        observe(real.scores.detach(), generated.scores.detach())
        turn = self._turn("discriminator", piece, fake, real_critique=real, fake_critique=generated)
        adversarial = self.adversarial.discriminator(real.scores, generated.scores)
        return {"adversarial": adversarial, **self._penalties("discriminator", due, turn)}

    def _generator_move(self, batch: Batch, due: tuple[str, ...], reused: Fake | None) -> Metrics:
        def terms(piece: Batch) -> Terms:
            return self._generator_terms(piece, reused if reused is not None else self._generate(piece), due)

        return self._move("generator", batch, terms)

    def _generator_terms(self, piece: Batch, fake: Fake, due: tuple[str, ...]) -> Terms:
        """What the generator minimises."""
        real = self._reference(piece) if self._needs_real(due) else None
        generated = self._critique(fake.images, piece.label)
        turn = self._turn("generator", piece, fake, real_critique=real, fake_critique=generated)
        adversarial = self.adversarial.generator(generated.scores, turn.real_scores)
        return {"adversarial": adversarial, **self._penalties("generator", due, turn)}

    @torch.no_grad()
    def _reference(self, piece: Batch) -> Critique:
        """The critique of the real images in the generator's turn, which do not depend on the generator."""
        return self._critique(piece.image, piece.label)

    def _needs_real(self, due: tuple[str, ...]) -> bool:
        """Whether the generator's turn needs the critique of the real images."""
        asking = (r for name, r in self.regularizers.items() if r.player == "generator" and name in due)
        return self.adversarial.needs_real or any(regularizer.needs_real for regularizer in asking)

    def _move(self, role: str, batch: Batch, terms: Callable[[Batch], Terms]) -> Metrics:
        pieces = [lambda piece=piece: terms(piece) for piece in batch.split(self.accumulation)]
        losses, norm = self.engine.minimize(pieces, self.optimizers[role])
        self.constrain(role)
        named = {f"loss/{role}/{name}" if name else f"loss/{role}": value for name, value in losses.items()}
        return {**named, f"gradient_norm/{role}": norm}

    def _penalties(self, player: str, due: tuple[str, ...], turn: Turn) -> Terms:
        """The regularizers of `player` whose turn it is, weighted; a lazy one counts for the rounds it sat out."""
        return {
            name: regularizer(turn) * (regularizer.weight * regularizer.every)
            for name, regularizer in self.regularizers.items()
            if regularizer.player == player and name in due
        }

    def extra_state(self) -> dict[str, Any]:
        return {"regularizers": {name: r.state_dict() for name, r in self.regularizers.items()}}

    def load_extra_state(self, state: Mapping[str, Any]) -> None:
        for name, stored in state.get("regularizers", {}).items():
            if name in self.regularizers:
                self.regularizers[name].load_state_dict(stored)

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
        self.num_classes = int(getattr(generator, "num_classes", 0) or 0)

    def sample(
        self, n: int, seed: int = 0, labels: Sequence[int] | None = None, truncation: float | None = None
    ) -> Tensor:
        chosen = range(n) if labels is None else labels  # each class in turn
        return self._images(self._latents(n, seed, truncation), chosen)

    def pieces(self, n: int, seed: int = 0) -> Iterator[tuple[Tensor, Tensor | None]]:
        """What `sample` gives, `batch_size` images at a time, with the classes that were asked for."""
        latents = self._latents(n, seed, None)
        labels = torch.arange(n) % self.num_classes if self.num_classes else None
        for start in range(0, n, self.batch_size):
            piece = slice(start, start + self.batch_size)
            asked = None if labels is None else labels[piece]
            yield self._images(latents[piece], [] if asked is None else asked.tolist()), asked

    def by_class(self, classes: Sequence[int], rows: int, seed: int = 0) -> Tensor:
        latents = self._latents(rows, seed, None).repeat_interleave(len(classes), 0)
        return self._images(latents, [*classes] * rows)

    def _latents(self, n: int, seed: int, truncation: float | None) -> Tensor:
        generator = torch.Generator().manual_seed(seed)
        if truncation is None:
            return self.latent(n, torch.device("cpu"), generator)
        return self.latent.truncated(n, truncation, generator)

    @torch.no_grad()
    def _images(self, latents: Tensor, labels: Sequence[int]) -> Tensor:
        self.generator.eval()
        chosen = torch.tensor(labels) % self.num_classes if self.num_classes else None
        parts = []
        for start in range(0, len(latents), self.batch_size):
            piece = slice(start, start + self.batch_size)
            label = None if chosen is None else chosen[piece].to(self.engine.device)
            parts.append(self.generator(latents[piece].to(self.engine.device), label).float().cpu())
        return torch.cat(parts).contiguous().clamp(-1, 1)


def is_per_image(network: nn.Module) -> bool:
    """Whether what a network says of an image is the same whatever is beside it, and how often it was asked before.

    BatchNorm and statistics of a batch couple images, spectral norm moves with every pass; of a module that is neither
    torch's nor ours nothing is known.
    """
    for module in network.modules():
        known = type(module).__module__.split(".")[:2] == ["torch", "nn"] or type(module).__module__.startswith(
            "gan_lab."
        )
        if not known or isinstance(module, _NormBase) or getattr(module, "couples_images", False):
            return False
    return True


def of_images(critique: Critique, part: slice) -> Critique:
    """The critique of some of the images."""
    features, classes = (None if each is None else each[part] for each in critique[1:])
    return Critique(critique.scores[part], features, classes)


def in_fp32(critique: Critique) -> Critique:
    """Losses and penalties are taken in fp32 whatever the precision of the forward pass."""
    features, classes = (None if part is None else part.float() for part in critique[1:])
    return Critique(critique.scores.float(), features, classes)
