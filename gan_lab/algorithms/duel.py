"""One generator's images against one discriminator: what every adversarial game is made of."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _NormBase
from torch.nn.modules.instancenorm import _InstanceNorm

from gan_lab.algorithms.game import Game
from gan_lab.augmentations.chain import Chain
from gan_lab.data.batch import Batch
from gan_lab.engine.engine import Terms
from gan_lab.layers.critique import Critique, of
from gan_lab.losses.regularizers import Pairs, Patches, Turn, penalties

Observe = Callable[[Tensor, Tensor], None]
Source = Callable[[Batch, "torch.Generator | None"], Tensor]


class Fake(NamedTuple):
    """Generated images `(N, C, H, W)`, what the generator made them from, its condition, and what it made on the way,
    where a game asks for that."""

    image: Tensor
    source: Tensor
    condition: Tensor | None = None
    drafts: tuple[Tensor, ...] = ()


class Duel:
    """The terms that both sides minimise.

    `source` gives what the generator starts from, for a batch (latents, or a column of it). `condition` names the
    column of the batch that the discriminator gets second; `generator_condition` the one that the generator does.
    `suffix` tells the duel from others of the same game, in the names of terms and in what regularizers remember.

    Terms are taken in fp32 whatever the precision of the forward pass. Scores are noted for the round's metrics, and
    shown to an augmentation that adapts, where terms are asked for without another `observe`.
    """

    def __init__(
        self,
        game: Game,
        source: Source,
        generator: str = "generator",
        discriminator: str = "discriminator",
        condition: str | None = "label",
        generator_condition: str | None = "label",
        suffix: str = "",
    ) -> None:
        self.game = game
        self.source = source
        self.generator, self.discriminator = game.networks[generator], game.networks[discriminator]
        self.condition, self.generator_condition = condition, generator_condition
        self.suffix = suffix
        self.regularizers = game.regularizers
        self.augmentation = game.augmentation
        self._adapt = getattr(game.augmentation, "adapt", None) or (lambda real_scores: None)
        self._noted: list[tuple[Tensor, Tensor]] = []
        bare = isinstance(self.augmentation, (nn.Identity, Chain)) and not list(self.augmentation.children())
        self.one_pass = bare and is_per_image(self.discriminator)

    def make(self, source: Tensor, batch: Batch) -> Fake:
        """What the generator makes of `source`, for that batch."""
        condition = column(batch, self.generator_condition)
        return Fake(self.generator(source, condition).float(), source, condition)

    def fake(self, batch: Batch) -> Fake:
        """Images for a batch, from a fresh source."""
        return self.make(self.source(batch, None), batch)

    def critique(self, images: Tensor, condition: Tensor | None) -> Critique:
        """The discriminator on images; augmentation inside, so that no loss and no penalty can forget it."""
        return of(self.discriminator(self.augmentation(images), condition)).in_fp32()

    def critiques(self, real: Tensor, fake: Tensor, condition: Tensor | None) -> tuple[Critique, Critique]:
        """Both in one pass where no image's critique depends on the others': the same for less work."""
        if not self.one_pass or real.shape != fake.shape:
            return self.critique(real, condition), self.critique(fake, condition)
        twice = None if condition is None else torch.cat((condition, condition))
        both = self.critique(torch.cat((real, fake)), twice)
        count = len(both.scores) // 2
        return both.of_images(slice(0, count)), both.of_images(slice(count, None))

    def discriminator_terms(
        self, batch: Batch, fake: Fake | None, due: tuple[str, ...], observe: Observe | None = None
    ) -> Terms:
        """What the discriminator minimises, on images that carry no gradient: those of `fake`, or fresh ones. `observe`
        hears of the scores before the penalties are taken."""
        if fake is None:
            with torch.no_grad():
                fake = self.fake(batch)
        return self._judged(batch, fake._replace(image=fake.image.detach()), due, observe or self.note)

    def _judged(self, batch: Batch, fake: Fake, due: tuple[str, ...], observe: Observe) -> Terms:
        real, generated = self.critiques(batch.image, fake.image, column(batch, self.condition))
        observe(real.scores.detach(), generated.scores.detach())
        turn = self.turn(self.discriminator, batch, fake, real, generated)
        adversarial = self.game.adversarial.discriminator(real.scores, generated.scores)
        return self._named({"adversarial": adversarial, **self.penalties("discriminator", due, turn)})

    def generator_terms(
        self,
        batch: Batch,
        fake: Fake,
        due: tuple[str, ...],
        pairs: Pairs | None = None,
        patches: Patches | None = None,
    ) -> Terms:
        """What the generator minimises. `pairs`: what was made and what was wanted, by name, for regularizers;
        `patches`: what an encoder sees of both."""
        terms: Terms = {}
        real = generated = None
        if "adversarial" in due:
            real = self.reference(batch) if self._needs_real(due) else None
            generated = self.critique(fake.image, column(batch, self.condition))
            terms["adversarial"] = self.game.adversarial.generator(
                generated.scores, None if real is None else real.scores
            )
        turn = self.turn(self.generator, batch, fake, real, generated, pairs, patches)
        return self._named({**terms, **self.penalties("generator", due, turn)})

    @torch.no_grad()
    def reference(self, batch: Batch) -> Critique:
        """The critique of the real images in the generator's turn, which do not depend on the generator."""
        return self.critique(batch.image, column(batch, self.condition))

    def turn(
        self,
        mover: nn.Module,
        batch: Batch,
        fake: Fake,
        real_critique: Critique | None = None,
        fake_critique: Critique | None = None,
        pairs: Pairs | None = None,
        patches: Patches | None = None,
    ) -> Turn:
        """What lies on the table when `mover` pays. What differentiates twice is not compiled."""
        engine = self.game.engine
        generator, discriminator = engine.uncompiled(self.generator), engine.uncompiled(self.discriminator)
        condition = column(batch, self.condition)

        def critic(images: Tensor, condition: Tensor | None = condition) -> Tensor:
            return of(discriminator(self.augmentation(images), condition)).in_fp32().scores

        return Turn(
            real=batch.image,
            fake=fake.image,
            critic=critic,
            real_critique=real_critique,
            fake_critique=fake_critique,
            condition=condition,
            embed=getattr(discriminator, "embed", None),
            latent=fake.source,
            labels=batch.label,
            generator=lambda source: generator(source, fake.condition).float(),
            mover=mover,
            pairs=pairs or {},
            patches=patches or {},
            duel=self.suffix,
        )

    def penalties(self, player: str, due: tuple[str, ...], turn: Turn) -> Terms:
        """The regularizers of `player` whose turn it is, weighted; a lazy one counts for the rounds it sat out."""
        return penalties(self.regularizers, player, due, turn)

    def note(self, real: Tensor, fake: Tensor) -> None:
        """Remember the scores of this move for the metrics, and let the augmentation adapt."""
        self._noted.append((real.mean(), fake.mean()))
        self._adapt(real)

    def scores(self) -> dict[str, Tensor]:
        """The mean scores noted since they were last asked for; empty where none were."""
        noted, self._noted = self._noted, []
        if not noted:
            return {}
        real, fake = torch.stack([torch.stack(pair) for pair in noted]).mean(0).unbind()
        return self._named({"score/real": real, "score/fake": fake})

    def _needs_real(self, due: tuple[str, ...]) -> bool:
        """Whether the generator's turn needs the critique of the real images."""
        asking = (r for name, r in self.regularizers.items() if r.player == "generator" and name in due)
        return self.game.adversarial.needs_real or any(regularizer.needs_real for regularizer in asking)

    def _named(self, terms: Terms) -> Terms:
        return {f"{name}_{self.suffix}": term for name, term in terms.items()} if self.suffix else terms


def ignore(real: Tensor, fake: Tensor) -> None:
    """Hears of scores that do not count: those of a step that is not taken."""


def column(batch: Batch, name: str | None) -> Tensor | None:
    """A column of a batch by its name; None for none."""
    found: Tensor | None = None if name is None else getattr(batch, name)
    return found


def is_per_image(network: nn.Module) -> bool:
    """Whether what a network says of an image is the same whatever is beside it, and how often it was asked before.

    BatchNorm and statistics of a batch couple images (InstanceNorm has those of one), spectral norm moves with every
    pass; of a module that is neither torch's nor ours nothing is known.
    """
    for module in network.modules():
        home = type(module).__module__
        known = home.split(".")[:2] == ["torch", "nn"] or home.startswith("gan_lab.")
        if isinstance(module, _InstanceNorm) and not module.track_running_stats:
            continue
        if not known or isinstance(module, _NormBase) or getattr(module, "couples_images", False):
            return False
    return True
