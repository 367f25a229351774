"""Who sees what in a round of every game: labels, inputs, the augmentation, gradients. A new game is a row of ROWS."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import torch
from torch import Tensor, nn

from gan_lab.algorithms.base import Algorithm
from gan_lab.algorithms.contrastive import Contrastive
from gan_lab.algorithms.cycle import Cycle
from gan_lab.algorithms.game import Game
from gan_lab.algorithms.noise_to_image import NoiseToImage
from gan_lab.algorithms.translation import Translation
from gan_lab.algorithms.unrolled import Unrolled
from gan_lab.config import CONFIG_DIR
from gan_lab.errors import ConfigError
from gan_lab.losses.patch_nce import PatchNCE
from gan_lab.losses.regularizers import Regularizer, Turn
from gan_lab.training.assemble import build_regularizers
from gan_lab.wrappers.ensemble import DiscriminatorEnsemble
from gan_lab.wrappers.packing import Packing
from tests.algorithms.games import parts
from tests.algorithms.stand_ins import (
    IMAGE,
    INPUT,
    MADE,
    SIZE,
    Counting,
    Encoding,
    Journal,
    Judging,
    Making,
    Marking,
    Projecting,
    Scoring,
    batch,
    codes,
    tags,
)
from tests.compose import choices, composed, tiny_run
from tests.toys.games import Growing, Pyramid

SGD = partial(torch.optim.SGD, lr=1e-3)
PLAYERS = ("discriminator", "generator")


class Sees(NamedTuple):
    """What one duel plays with: where its real images come from, their size, what each network is told beside its
    images (a column of the batch), and which origins are made and wanted in its pairs."""

    real: int = IMAGE
    size: int = SIZE
    generator: str | None = "label"
    discriminator: str | None = "label"
    pairs: Mapping[str, tuple[int, int]] = {}


Build = Callable[..., nn.Module]


class Row(NamedTuple):
    """A game: how it is made, and its duels by suffix."""

    make: Callable[[Game], Algorithm]
    duels: Mapping[str, Sees] = {"": Sees()}
    from_input: bool = False  # what the generators start from; else latents
    pieces: tuple[int, ...] = (1, 2)  # as which it may play a batch
    steps: int = 0  # supposed moves of the discriminator before the generator is judged
    times: int = 1  # the generator's images for each real one
    reuses: bool = False  # the generator moves on the latest images that the discriminator saw
    peaked: bool = False  # its duels see parts of an image
    labels: bool = True  # whether its duels see any, and a discriminator could tell classes
    grown: bool = True
    wrapper: Callable[[Build], nn.Module] | None = None  # around its discriminators
    generator: type[Making] = Making
    more: Mapping[str, Callable[[], nn.Module]] = {}  # networks beside those of its duels
    regularizers: Callable[[], Mapping[str, Regularizer]] = dict  # those without which some network has no part in it


def noise(kind: type[NoiseToImage], **settings: Any) -> Callable[[Game], Algorithm]:
    return lambda game: kind(game, Counting(), **settings)


def call(build: Build) -> nn.Module:
    return build()


def packed(build: Build) -> nn.Module:
    return Packing(build, [4, SIZE, SIZE])


def several(build: Build) -> nn.Module:
    return DiscriminatorEnsemble(build, 2)


UNLABELLED = Sees(discriminator=None)
LABELLED = Sees(generator="label", discriminator="input", pairs={"target": (MADE, IMAGE)})
AB = Sees(IMAGE, SIZE, None, None, {"cycle": (MADE + 1, INPUT), "identity": (MADE, IMAGE)})
CUT = Sees(IMAGE, SIZE, None, None, {"source": (MADE, INPUT), "identity": (MADE, IMAGE)})
ENCODES: dict[str, Any] = {
    "duels": {"": CUT},
    "from_input": True,
    "labels": False,
    "generator": Encoding,
    "more": {"generator_projector": Projecting},
    "regularizers": lambda: {"patch_nce": PatchNCE("source")},
}
BA = Sees(INPUT, SIZE, None, None, {"cycle": (MADE, IMAGE), "identity": (MADE + 1, INPUT)})
GROWING = {"grow_at": 4, "fade": 4, "size": SIZE // 2, "batch_size": 4}
ROWS = {
    "noise_to_image": Row(noise(NoiseToImage), reuses=True),
    "fresh": Row(noise(NoiseToImage, reuse_fake=False)),
    "twice": Row(noise(NoiseToImage, reuse_fake=False, generator_batch=2), times=2),
    "several_moves": Row(noise(NoiseToImage, critic_steps=3), reuses=True),
    "unrolled": Row(noise(Unrolled, unroll_steps=2, reuse_fake=False), pieces=(1,), steps=2),
    "zero_sum": Row(noise(Unrolled, unroll_steps=1, zero_sum=True, critic_steps=2), pieces=(1,), steps=1, reuses=True),
    "translation": Row(Translation, {"": LABELLED}, from_input=True),
    "unconditional": Row(partial(Translation, condition=None), {"": LABELLED._replace(discriminator=None)}, True),
    "cycle": Row(partial(Cycle, pool=0), {"ab": AB, "ba": BA}, from_input=True, labels=False),
    "contrastive": Row(partial(Contrastive, patches=3), **ENCODES),
    "mirrored": Row(partial(Contrastive, patches=3, mirrored=0.5), **ENCODES),
    "pyramid": Row(
        lambda game: Pyramid(game, Counting()),
        {"0": Sees(IMAGE, SIZE // 2, None, None), "1": Sees(IMAGE, SIZE, "input", "input")},
        peaked=True,
        labels=False,
    ),
    "growing": Row(noise(Growing, **GROWING), {"": Sees(size=SIZE // 2)}, reuses=True, grown=False),
    "grown": Row(noise(Growing, **GROWING), reuses=True),
    "packs": Row(noise(NoiseToImage), {"": UNLABELLED}, reuses=True, labels=False, wrapper=packed),
    "unrolled_packs": Row(
        noise(Unrolled, unroll_steps=1),
        {"": UNLABELLED},
        pieces=(1,),
        steps=1,
        reuses=True,
        labels=False,
        wrapper=packed,
    ),
    "several": Row(noise(NoiseToImage), reuses=True, wrapper=several),
    "unrolled_several": Row(noise(Unrolled, unroll_steps=1), pieces=(1,), steps=1, reuses=True, wrapper=several),
}
CASES = [(name, pieces) for name, row in ROWS.items() for pieces in row.pieces]


class Played:
    """A round of a game by stand-ins, with what it wrote into its journal."""

    def __init__(
        self,
        row: Row,
        pieces: int = 1,
        regularizers: Mapping[str, Regularizer] | None = None,
        one_pass: bool = False,
        needs_real: bool = True,
    ) -> None:
        self.row, self.pieces, self.journal = row, pieces, Journal()
        self.origins: dict[str, int] = {}
        networks: dict[str, nn.Module] = {}
        for index, (suffix, sees) in enumerate(row.duels.items()):
            generator, discriminator = (
                f"{kind}_{suffix}" if suffix else kind for kind in ("generator", "discriminator")
            )
            self.origins[generator] = MADE + index
            networks[generator] = row.generator(generator, self.journal, MADE + index, sees.size, row.grown)
            networks[discriminator] = (row.wrapper or call)(self._judges(discriminator))
        networks |= {role: make() for role, make in row.more.items()}
        self.regularizers = row.regularizers() if regularizers is None else regularizers
        for regularizer in self.regularizers.values():
            if isinstance(regularizer, Witness):
                regularizer.played = self
        game = parts(
            networks,
            optimizer=SGD,
            loss=Scoring(self.journal, needs_real),
            regularizers=self.regularizers,
            augmentation=Marking(self.journal),
            accumulation=pieces,
        )
        self.algorithm = row.make(game)
        for duel in self.algorithm.duels.values():
            duel.one_pass = one_pass
        self.moved: list[tuple[str, set[str]]] = []  # the players that moved, each with the roles that changed
        self._play = self.algorithm.move
        self.algorithm.move = self._move  # type: ignore[method-assign]
        self.batches = [batch(number, row.peaked) for number in range(self.algorithm.batches_per_round)]
        self.metrics = self.algorithm.train_step(self.batches, self.algorithm.all_due())

    def _judges(self, role: str) -> Build:
        """Makes discriminators; those after the first have a role of their own."""
        names = (f"{role}{number or ''}" for number in range(9))
        return lambda **changes: Judging(next(names), self.journal, grown=self.row.grown, **changes)

    def _move(self, player: str, *args: Any) -> Any:
        nets = self.algorithm.networks
        before = {role: [p.detach().clone() for p in net.parameters()] for role, net in nets.items()}
        self.journal.mover = player
        found = self._play(player, *args)
        same = {role: all(map(torch.equal, net.parameters(), before[role])) for role, net in nets.items()}
        self.moved.append((player, {role for role in nets if not same[role]}))
        return found

    def duels(self) -> Iterator[tuple[Sees, str, str]]:
        """Every duel with the roles of its two networks."""
        for suffix, sees in self.row.duels.items():
            yield sees, *(f"{kind}_{suffix}" if suffix else kind for kind in ("generator", "discriminator"))

    def check(self) -> None:
        """What holds of every picture that any network was given, whoever asked."""
        conditions: dict[tuple[str, int], int | None] = {}
        for sees, generator, discriminator in self.duels():
            for seen in self.journal.seen:
                if seen.role.startswith(discriminator):
                    assert seen.marks == 1, seen  # augmented, once
                    assert seen.told == (seen.tag if sees.discriminator else None), seen
                if seen.role == generator:
                    assert seen.marks == 0, seen
                    if self.row.from_input:
                        assert seen.told == (seen.tag if sees.generator else None), seen
                    else:
                        assert (seen.told is not None) == (sees.generator is not None), seen
                        assert conditions.setdefault((generator, seen.source), seen.told) == seen.told, seen


class Witness(Regularizer):
    """Looks at every turn of its player, and asks the critic and the generator again."""

    played: Played

    def __init__(self, player: str) -> None:
        super().__init__(1.0)
        self.player, self.turns = player, 0

    def __deepcopy__(self, memo: object) -> Witness:
        """Supposed steps are observed by copies."""
        other = Witness(self.player)
        other.played = self.played
        return other

    def __call__(self, turn: Turn) -> Tensor:
        self.turns += 1
        row, journal = self.played.row, self.played.journal
        sees, role = row.duels[turn.duel], f"{self.player}_{turn.duel}" if turn.duel else self.player
        made = self.played.origins[role.replace("discriminator", "generator")]
        number = tags(turn.real)
        assert turn.mover is self.played.algorithm.networks[role]
        assert set(codes(turn.real, 1)) == {sees.real}
        assert set(codes(turn.fake, 1)) == {made}
        assert turn.fake.requires_grad == (journal.mover == "generator")
        for images, critique in ((turn.real, turn.real_critique), (turn.fake, turn.fake_critique)):
            assert critique is not None
            assert critique.features is not None
            marked = images.detach().amax((2, 3)) + torch.tensor([0.0, 0.0, 1.0, 0.0])
            features = critique.features.reshape(len(critique.features), -1, 4)  # of a pack, or of several
            marked = marked.reshape(len(features), -1, 4)
            assert ((features.detach() - marked).abs() <= 0.1 * marked.abs()).all()  # weights have hardly moved
            moves = self.player == "discriminator" or images is turn.fake or row.steps > 0
            assert features.requires_grad == moves
        if sees.discriminator is not None:
            assert tags(turn.condition) == tags(turn.fake) == number
        assert turn.labels is None or turn.labels.tolist() == number
        assert turn.latent is not None
        assert (tags(turn.latent) if row.from_input else turn.latent[:, 0].int().tolist()) == (
            tags(turn.fake) if row.from_input else codes(turn.fake, 3)
        )
        assert set(turn.pairs) == (set(sees.pairs) if self.player == "generator" else set())
        for name, origins in sees.pairs.items() if turn.pairs else ():
            assert [set(codes(each, 1)) for each in turn.pairs[name]] == [{origin} for origin in origins]
            assert tags(turn.pairs[name][0]) == tags(turn.pairs[name][1]) == number
        assert turn.generator is not None
        again = turn.generator(turn.latent)
        asked = turn.critic(again).mean() + turn.critic(turn.real).mean()
        assert torch.equal(again.detach(), turn.fake.detach())
        return asked


class Wanting(Regularizer):
    """Wants a pair to be made, and asks for nothing."""

    player = "generator"

    def __init__(self, pair: str) -> None:
        super().__init__(1.0)
        self.pair = pair

    def __call__(self, turn: Turn) -> Tensor:
        return 0.0 * turn.fake.mean()


@pytest.mark.parametrize("one_pass", [False, True], ids=["apart", "together"])
@pytest.mark.parametrize(("name", "pieces"), CASES)
def test_each_image_is_judged_beside_its_own_condition(name: str, pieces: int, one_pass: bool) -> None:
    """In the discriminator's move all real images and as many generated ones, without a gradient; in the generator's
    all of its own, with one. Both losses hear the scores of the right ones."""
    played = Played(ROWS[name], pieces, one_pass=one_pass)
    played.check()
    row, journal = played.row, played.journal
    for sees, generator, discriminator in played.duels():
        made = played.origins[generator]
        order = [(tag, number) for number, each in enumerate(played.batches) for tag in tags(each.label) or ()]
        real = journal.of(discriminator, "discriminator", sees.real)
        assert [(seen.tag, seen.source) for seen in real] == order
        fakes = journal.of(discriminator, "discriminator", made)
        assert len(fakes) == len(order)
        assert not any(seen.gradient for seen in fakes)
        judged = journal.of(discriminator, "generator", made)
        assert len(judged) == 4 * row.times * (1 + row.steps)
        assert all(seen.gradient for seen in judged)
        if sees.discriminator or row.from_input:
            assert [seen.tag for seen in fakes] == [tag for tag, _ in order]
            last = [tag for tag, _ in order[-4:] for _ in range(row.times)]
            assert [seen.tag for seen in judged[-4 * row.times :]] == last
        if not row.from_input:
            sources = [seen.source for seen in fakes]
            assert len(set(sources)) == len(sources)
            shared = {seen.source for seen in judged} & set(sources)
            assert shared == (set(sources[-4:]) if row.reuses else set())
        others = journal.of(discriminator, "generator", sees.real)
        assert len(others) == 4 * row.times * (1 + row.steps)
        assert [(seen.tag, seen.source) for seen in others[:: row.times][-4:]] == order[-4:]


@pytest.mark.parametrize(("name", "pieces"), CASES)
def test_losses_and_the_augmentation_hear_the_right_scores(name: str, pieces: int) -> None:
    played = Played(ROWS[name], pieces)
    journal, rounds, steps = played.journal, len(played.batches), played.row.steps
    asked = [scored.player for scored in journal.scored]
    zero_sum = name == "zero_sum"  # where the generator is asked about the discriminator's loss
    duels = len(played.row.duels)
    assert asked.count("discriminator") == duels * pieces * (rounds + steps + zero_sum)
    assert asked.count("generator") == duels * pieces * (not zero_sum)
    pairs = {(sees.real, played.origins[generator]) for sees, generator, _ in played.duels()}
    found = set()
    for scored in journal.scored:
        assert scored.real is not None
        ratio = (scored.fake / scored.real).detach()
        found.add(min(pairs, key=lambda pair: float((ratio - pair[1] / pair[0]).abs().max())))
        assert min(float((ratio - made / real).abs().max()) for real, made in pairs) < 0.1
        if scored.player == "generator":
            assert scored.fake.requires_grad
            assert scored.real.requires_grad == (steps > 0)
    assert found == pairs
    assert len(journal.adapted) == duels * pieces * rounds  # never by steps that are only supposed
    reals = {sees.real for sees, *_ in played.duels()}
    for scores in journal.adapted:
        assert min(float((scores - real).abs().max()) for real in reals) < 0.1
        assert not scores.requires_grad


@pytest.mark.parametrize(("name", "pieces"), CASES)
def test_only_the_mover_moves_and_all_of_it(name: str, pieces: int) -> None:
    played = Played(ROWS[name], pieces)
    assert sorted(player for player, _ in played.moved) == sorted(
        [*["discriminator"] * len(played.batches), "generator"]
    )
    for player, roles in played.moved:
        assert roles == {role for role in played.algorithm.networks if role.startswith(player)}, player


@pytest.mark.parametrize("name", ["noise_to_image", "translation", "cycle", "pyramid"])
def test_real_images_are_not_judged_where_nobody_asks_for_their_scores(name: str) -> None:
    played = Played(ROWS[name], needs_real=False)
    for sees, _, discriminator in played.duels():
        assert played.journal.of(discriminator, "generator", sees.real) == []
    assert all(scored.real is None for scored in played.journal.scored if scored.player == "generator")


@pytest.mark.parametrize(("name", "pieces"), CASES)
def test_a_turn_is_told_as_it_is(name: str, pieces: int) -> None:
    row = ROWS[name]
    witnesses = {player: Witness(player) for player in PLAYERS}
    wanted = {pair: Wanting(pair) for sees in row.duels.values() for pair in sees.pairs}
    played = Played(row, pieces, {**witnesses, **wanted})
    played.check()
    each = len(row.duels) * pieces
    assert witnesses["generator"].turns == each
    assert witnesses["discriminator"].turns == each * len(played.batches)


def fitting() -> list[tuple[str, str]]:
    """Every regularizer of the configuration, in every game that has its pair and its labels."""
    found = []
    for regularizer in choices("loss/regularizers"):
        text = (CONFIG_DIR / "loss" / "regularizers" / f"{regularizer}.yaml").read_text()
        pairs = {line.split()[1] for line in text.splitlines() if line.startswith("  pair: ")}
        for name, row in ROWS.items():
            has_pairs = any(pairs <= set(sees.pairs) for sees in row.duels.values())
            pays = regularizer != "auxiliary_classifier" or row.labels
            colours = "erceptual" in text or "ColourL1" in text  # what sees no picture of four channels
            reads = "MatchingAware" not in text  # no network here reads captions
            if has_pairs and pays and reads and not colours and "Style" not in text:  # no generator here has styles
                found.append((regularizer, name))
    return found


def settings(regularizer: str) -> Mapping[str, Any]:
    found: Mapping[str, Any] = composed(f"loss/regularizers=[{regularizer}]")["loss"]["regularizers"]
    return found


@pytest.mark.parametrize(("regularizer", "name"), fitting())
def test_penalties_ask_as_the_game_does(regularizer: str, name: str) -> None:
    row = ROWS[name]
    terms = build_regularizers(settings(regularizer), {})
    played = Played(row, row.pieces[-1], terms)
    played.check()
    for term, each in terms.items():
        for suffix in row.duels:
            assert f"loss/{each.player}/{term}{'_' if suffix else ''}{suffix}" in played.metrics
    if regularizer == "auxiliary_classifier":
        assert all(abs(float(played.metrics[f"loss/{each.player}/{term}"])) < 1e-6 for term, each in terms.items())


def test_several_discriminators_see_the_same() -> None:
    journal = Played(ROWS["several"]).journal
    for mover in PLAYERS:
        one, other = (journal.of(role, mover) for role in ("discriminator", "discriminator1"))
        assert one == [seen._replace(role="discriminator") for seen in other]
        assert one


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (
            ["model=edsr", "algorithm=cycle"],
            r"^model.generator_ab: missing; Cycle needs .* \(dataset=unpaired\): model=",
        ),
        (["model=edsr", "algorithm=noise_to_image"], r"^model.discriminator: missing; .* discriminator: model=acgan, "),
        (
            ["model=cyclegan", "algorithm=regression"],
            r"^model.generator: missing; Regression needs generator and pairs ",
        ),
        (
            ["model=edsr", "algorithm=inpainting"],
            r"^model.discriminator: missing; .* \(degradation=mask\): model=context",
        ),
    ],
)
def test_a_game_says_which_networks_it_needs_and_who_has_them(words: list[str], message: str, tmp_path: Path) -> None:
    """Before anything else that a model of another game lacks, too."""
    with pytest.raises(ConfigError, match=message):
        tiny_run(tmp_path, *words)
