"""What signals mean: one pure function for each alarm, from the looks at a run so far to what was found.

A look says little: every generator begins without variety and every discriminator begins by winning. So a rule needs
its sign at several looks in a row that span so many steps (`lasting`), and one that is getting better raises nothing.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import NamedTuple

from gan_lab.health.signals import Signals

History = Sequence[Signals]
LACKING = 0.65  # of the data's variety: healthy generators have more, except at first
PATTERNED = 4.0  # times as strong a pattern of period two as real images have
STILL = 1e-10  # of the weights, in a round: less than fp32 can add to them, and than the end of any schedule


class Finding(NamedTuple):
    """What a rule saw, and the step of the first look at which it did."""

    since: int
    saw: str


def lasting(history: History, sign: Callable[[Signals], bool], looks: int, steps: int) -> History:
    """The looks at the end of `history` that show `sign`; none where they are fewer than `looks` or span fewer than
    `steps` steps. A nan shows nothing: comparisons with it are false."""
    count = 0
    while count < len(history) and sign(history[-1 - count]):
        count += 1
    found = history[len(history) - count :]
    return found if count >= looks and found[-1].step - found[0].step >= steps else ()


def divergence(history: History) -> Finding | None:
    """The weights do not converge to anything. A number is not finite; or a round moved them by more than a sixth of
    their size (0.3 to 3% is usual, also at the start) and they grow by it; or scores have run away (mean size above
    1000). Growth alone says nothing: small first weights double or triple in 500 healthy steps. A discriminator that
    moves as far and wins all the same has found what it looked for."""
    latest = history[-1]
    if latest.finite < 1:
        bad = [name for name, value in latest._asdict().items() if math.isinf(value)]
        return Finding(latest.step, f"{', '.join(bad) or 'a figure'} is not finite")
    grown = lasting(history, lambda s: s.growth > 1.3, 2, 100)
    for player in ("generator", "discriminator") if not _winning(latest) else ("generator",):
        most = max((far for s in history[-5:] if (far := getattr(s, f"update_{player}")) > 1 / 6), default=0.0)
        if grown and most:
            told = f"a round moved the {player}'s weights by {most:.0%} of their size (1% is usual)"
            return Finding(grown[0].step, f"{told}, weights grew {latest.growth:.2g} fold")
    if found := lasting(history, lambda s: s.score_size > 1000, 2, 100):
        return Finding(found[0].step, f"scores are {latest.score_size:.3g} in size")
    return None


def constant(history: History) -> Finding | None:
    """The latent has no influence and never had: less than a thousandth of the data's variety from the first look."""
    found = lasting(history, lambda s: s.diversity < 1e-3, 2, 100)
    if len(found) < len(history) or not found or _answers(history[-1]):
        return None
    return Finding(found[0].step, f"generated images are all the same ({_variety(history[-1])})")


def frozen(history: History) -> Finding | None:
    """The weights of a player do not move, though it has a loss. Healthy rounds move them by 0.1 to 3% of their size,
    and at the end of a schedule by a thousandth of that."""
    found: dict[str, History] = {}
    for player in ("generator", "discriminator"):

        def sign(look: Signals, player: str = player) -> bool:
            plays = not math.isnan(getattr(look, f"gradient_{player}"))  # it may rest (`loss.adversarial_from`)
            return bool(plays and getattr(look, f"update_{player}") < STILL)

        if still := lasting(history, sign, 3, 200):
            found[player] = still
    if not found:
        return None
    told = " and ".join(f"the {player}'s" for player in found)
    return Finding(min(still[0].step for still in found.values()), f"{told} weights do not move")


def vanishing_gradient(history: History) -> Finding | None:
    """The loss saturates: the discriminator tells the images apart and the generator's loss hardly depends on the
    scores. A loss that does not saturate pulls the harder the lower the scores: log(1 - D) alone (`loss=minimax`) has a
    pull that falls with them. Below 0.3 of a plain mean's pull; healthy players of all other losses were seen at 0.4
    and more while the discriminator was ahead."""

    def sign(look: Signals) -> bool:
        ahead = look.accuracy > 0.9 and look.discriminator_pull < 0.7
        return ahead and (look.generator_pull < 0.3 or look.gradient_generator < 1e-7)

    found = lasting(history, sign, 3, 200)
    if not found:
        return None
    latest = history[-1]
    return Finding(
        found[0].step,
        f"the generator's loss pulls with {latest.generator_pull:.2g} of the strength it could, "
        f"gradient norm {latest.gradient_generator:.2g}, while the discriminator is right in {latest.accuracy:.0%}",
    )


def discriminator_wins(history: History) -> Finding | None:
    """The discriminator has nearly nothing left to learn and the generator gets nowhere: almost all pairs are ordered
    rightly, less than a third of the loss's pull remains, and generated images lack variety without gaining any; less
    than a twentieth where they have it. Either alone is usual at first. Says nothing of critics whose loss has no end
    (`wasserstein`): they are meant to be far ahead."""
    found = _won(history)
    if not found or _was_even(history):
        return None
    return Finding(found[0].step, _told(history[-1]))


def discriminator_lost(history: History) -> Finding | None:
    """The discriminator has no say: it takes nearly every generated image for more real than a real one, and does not
    recover. At a single look that is usual, while a generator has just found its weakness."""
    found = lasting(history, lambda s: s.accuracy < 0.1, 4, 300)
    if not found:
        return None
    latest = history[-1]
    saw = f"the discriminator has lost: it is right in {latest.accuracy:.0%} of pairs (50% is guessing)"
    return Finding(found[0].step, saw + ("" if math.isnan(latest.diversity) else f", {_variety(latest)} is generated"))


def overfitting(history: History) -> Finding | None:
    """The discriminator knows the images by heart: as `discriminator_wins`, but after the players had been even
    (accuracy below 0.85) and the data was seen 20 times or more. That is the drift of Karras et al. 2020
    (arXiv:2006.06676, figure 1), who read it from the mean sign of the real scores."""
    found = _won(history)
    if not found or not _was_even(history) or not history[-1].epochs >= 20:
        return None
    latest = history[-1]
    told = f"{_told(latest)}, mean sign of the real scores {latest.real_sign:.2g}; they were even before"
    return Finding(found[0].step, f"after {latest.epochs:.0f} epochs {told}")


def collapse(history: History) -> Finding | None:
    """The generator makes one image, or a few: see `_narrowed`."""
    if _answers(history[-1]) or (narrowed := _narrowed(history, "diversity")) is None:
        return None
    since, best = narrowed
    if best is not None:
        return Finding(since, f"generated images have lost their variety ({_variety(history[-1])}, of {best:.2g})")
    return Finding(since, f"generated images are nearly the same ({_variety(history[-1])})")


def ignored_input(history: History) -> Finding | None:
    """A generator of images from images makes nearly the same of every input: from the first look on, or as a
    generator from noise collapses. What dropout draws is taken for what the input does."""
    latest = history[-1]
    found = lasting(history, lambda s: s.influence < 1e-3, 2, 100)
    since: int | None = found[0].step if found and len(found) == len(history) else None
    if since is None and (narrowed := _narrowed(history, "influence")) is not None:
        since = narrowed[0]
    if since is None:
        return None
    saw = "the input is ignored: images made of different inputs differ by"
    return Finding(since, f"{saw} {latest.influence:.2g} of what images of the data do")


def copied_input(history: History) -> Finding | None:
    """Images are their inputs: they are less than a tenth of the way from them that the wanted images are, for 400
    steps, and do not move on. Where data are no pairs nobody knows how far the way is: then the discriminator must be
    able to tell the inputs from what is wanted."""

    def sign(look: Signals) -> bool:
        known = look.target_distance == look.target_distance
        return look.input_distance < 0.1 and (known or look.accuracy > 0.9)

    found = lasting(history, sign, 5, 400)
    if not found or found[-1].input_distance > 1.3 * min(look.input_distance for look in found) + 1e-3:
        return None
    far = f"{history[-1].input_distance:.2g} of the distance"
    paired = history[-1].target_distance == history[-1].target_distance
    what = "what was wanted has" if paired else "the nearest real image has"
    return Finding(found[0].step, f"the input is copied: made images differ from it by {far} that {what}")


def inverted(history: History) -> Finding | None:
    """Images are the negatives of their inputs, and what is wanted is not: cycles close over a negative as well, and a
    game that is not told by pairs may find it (issue 91 of the code of Zhu et al. 2017, arXiv:1703.10593)."""
    found = lasting(history, lambda s: s.input_correlation < -0.5 and s.target_correlation > -0.2, 5, 400)
    if not found:
        return None
    latest = history[-1]
    saw = f"made images are negatives of their inputs: correlation {latest.input_correlation:.2f}"
    return Finding(found[0].step, f"{saw}, where the data has {latest.target_correlation:.2f}")


def checkerboard(history: History) -> Finding | None:
    """A pattern of period two that real images do not have stays: every generator with strides begins with one, and of
    a healthy one it loses more than a quarter in 400 steps."""
    found = lasting(history, lambda s: s.checkerboard > PATTERNED, 5, 400)
    earlier = [look.checkerboard for look in found if look.step <= found[-1].step - 400]
    if not earlier or found[-1].checkerboard < 0.75 * earlier[-1]:
        return None
    saw = f"a checkerboard in generated images is {history[-1].checkerboard:.2g} times as strong as in real ones"
    return Finding(found[0].step, saw)


def dead_units(history: History) -> Finding | None:
    """More than half of a network's rectified units are 0 for every image: nothing will bring them back."""
    found = lasting(history, lambda s: s.dead > 0.5, 3, 200)
    return Finding(found[0].step, f"{history[-1].dead:.0%} of a network's units never fire") if found else None


def saturated(history: History) -> Finding | None:
    """Generated values sit at the ends of [-1, 1] far more often than real ones: Tanh has no slope there."""
    found = lasting(history, lambda s: s.saturated > 0.5, 3, 200)
    saw = f"{history[-1].saturated:.0%} more of the generated values than of the real ones are -1 or 1"
    return Finding(found[0].step, saw) if found else None


def worsened(history: History) -> Finding | None:
    """The run's objective has fallen far behind its best, and stays there."""
    found = lasting(history, lambda s: s.setback > 3, 2, 100)
    if not found:
        return None
    return Finding(found[0].step, f"the objective is {history[-1].setback:.2g} times worse than at its best")


def _answers(look: Signals) -> bool:
    """Whether the generator makes images from others."""
    return look.influence == look.influence


def _narrowed(history: History, name: str) -> tuple[int, float | None] | None:
    """Since when images lack variety, of what they had at best: under a quarter of that; or, and then None, under a
    twentieth of the data's and not growing, while the discriminator still has something to learn (else that is the
    cause); or under a fifth of the data's for 400 steps, and not growing either. `name` is the signal."""

    def of(look: Signals) -> float:
        value: float = getattr(look, name)
        return value

    best = max((of(look) for look in history if of(look) < 1.2), default=math.nan)
    if best > 0.3 and (found := lasting(history, lambda s: of(s) < min(best / 4, 0.2), 3, 200)):
        return found[0].step, best
    found = lasting(history, lambda s: of(s) < 0.05, 3, 200)
    if not found or of(found[-1]) >= 2 * of(found[0]) + 1e-3:
        found = lasting(history, lambda s: of(s) < 0.2, 5, 400)
        if not found or of(found[-1]) >= 1.3 * min(of(look) for look in found):
            return None
    return None if _winning(found[-1]) else (found[0].step, None)


def _won(history: History) -> History:
    found = lasting(history, _winning, 4, 300)
    gains = bool(found) and 1.15 * found[0].diversity < found[-1].diversity < 0.8
    return () if gains else found


def _winning(look: Signals) -> bool:
    return look.accuracy > 0.97 and look.discriminator_pull < (1 / 3 if look.diversity < LACKING else 0.05)


def _was_even(history: History) -> bool:
    return sum(look.accuracy < 0.85 for look in history) >= 3


def _told(look: Signals) -> str:
    return (
        f"the discriminator is right in {look.accuracy:.0%} of pairs, {look.discriminator_pull:.1%} of its loss's pull "
        f"is left, score gap {look.score_gap:.3g}"
    )


def _variety(look: Signals) -> str:
    return f"{look.diversity:.2g} of the data's variety"
