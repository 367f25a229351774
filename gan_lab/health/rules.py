"""Which alarm the looks at a run give cause for, and what to try.

Where two rules hold the cause is named and not its consequence: `RULES` has the causes first, and what an alarm
`explains` is not raised behind it. What each of them looks for is in `gan_lab.health.signs`.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import NamedTuple

from gan_lab.health import signs
from gan_lab.health.alarm import Alarm
from gan_lab.health.signs import Finding, History
from gan_lab.health.signs import lasting as lasting


class Rule(NamedTuple):
    """`advice`: the overrides to try; `{both:10}` stands for both learning rates over 10, `{generator:x5}` for one
    times 5. `explains`: alarms that would only say its consequences."""

    find: Callable[[History], Finding | None]
    advice: str
    explains: Sequence[str] = ()


RULES: dict[str, Rule] = {
    "divergence": Rule(
        signs.divergence,
        "{both:10}, or precision=fp32",
        "vanishing_gradient frozen discriminator_wins discriminator_lost overfitting collapse ignored_input "
        "copied_input inverted dead_units saturated checkerboard worsened".split(),
    ),
    "constant": Rule(
        signs.constant,
        "another model.generator: this one ignores its latent; or a larger algorithm.latent.dim",
        "collapse vanishing_gradient frozen discriminator_wins discriminator_lost overfitting saturated "
        "checkerboard worsened".split(),
    ),
    "vanishing_gradient": Rule(
        signs.vanishing_gradient,
        "loss=non_saturating or loss=relativistic_r1_r2",
        "frozen discriminator_wins overfitting collapse ignored_input dead_units saturated checkerboard "
        "worsened".split(),
    ),
    "frozen": Rule(
        signs.frozen,
        "optimizer.generator.lr=2e-4 optimizer.discriminator.lr=2e-4",
        "vanishing_gradient discriminator_wins discriminator_lost overfitting collapse ignored_input copied_input "
        "inverted checkerboard worsened".split(),
    ),
    "discriminator_wins": Rule(
        signs.discriminator_wins,
        "{discriminator:5}, algorithm.critic_steps=1, loss=relativistic_r1_r2 or +technique=[instance_noise]",
        ("overfitting", "collapse", "ignored_input", "dead_units", "saturated", "checkerboard", "worsened"),
    ),
    "discriminator_lost": Rule(
        signs.discriminator_lost,
        "{discriminator:x5}, {generator:5} or algorithm.critic_steps=2",
        ("collapse", "ignored_input", "overfitting", "checkerboard", "worsened"),
    ),
    "overfitting": Rule(
        signs.overfitting,
        "+technique=[adaptive_augmentation], dataset.flip=true or more data",
        ("discriminator_wins", "worsened"),
    ),
    "collapse": Rule(
        signs.collapse,
        "loss=relativistic_r1_r2, +technique=[packing], +technique=[minibatch_stddev] or {both:5}",
        ("discriminator_wins", "overfitting", "saturated", "checkerboard", "worsened"),
    ),
    "ignored_input": Rule(
        signs.ignored_input,
        "more of what ties images to their inputs, e.g. loss.regularizers.l1.weight=200 (of pairs), "
        "loss.regularizers.cycle.weight=10 or loss.regularizers.patch_nce.weight=1, or {both:5}",
        ("discriminator_wins", "overfitting", "checkerboard", "saturated", "worsened"),
    ),
    "copied_input": Rule(
        signs.copied_input,
        "less of what holds images to their inputs, e.g. loss.regularizers.identity.weight=0.5 or "
        "loss.regularizers.cycle.weight=1, or {generator:x5}",
        ("discriminator_wins", "overfitting", "worsened"),
    ),
    "inverted": Rule(
        signs.inverted,
        "loss/regularizers=[cycle,identity] with a larger loss.regularizers.identity.weight=5, or another seed",
        ("worsened",),
    ),
    "dead_units": Rule(signs.dead_units, "{both:5}"),
    "saturated": Rule(signs.saturated, "{generator:5}"),
    "checkerboard": Rule(
        signs.checkerboard,
        "a model.generator that enlarges before it convolves, e.g. model=cut instead of cyclegan, "
        "model=conv_gan instead of dcgan, or {generator:5}",
    ),
    "worsened": Rule(signs.worsened, "checkpoint=best for samples and metrics; to train on: {both:5}"),
}
CALLED = {"constant": "collapse"}  # two rules, one alarm


Rates = Mapping[str, float]  # learning rates by role


class _Lower(dict[str, "_Lower"]):
    """What `{both:10}`, `{generator:10}` and `{generator:x10}` of an advice become."""

    def __init__(self, rates: Rates, role: str = "") -> None:
        super().__init__()
        self.rates, self.role = rates, role

    def __missing__(self, role: str) -> _Lower:
        return _Lower(self.rates, role)

    def __format__(self, spec: str) -> str:
        roles = ("generator", "discriminator") if self.role == "both" else (self.role,)
        times, rises = int(spec.removeprefix("x")), spec.startswith("x")
        told = [
            f"optimizer.{role}.lr={self.rates[role] * times if rises else self.rates[role] / times:.2g}"
            if role in self.rates
            else f"a {times} times {'higher' if rises else 'lower'} optimizer.{role}.lr"
            for role in roles
        ]
        return (" " if self.rates else " and ").join(told)


def advice(rule: str, rates: Rates) -> str:
    """The overrides to try, for a run with these learning rates."""
    return RULES[rule].advice.format_map(_Lower(rates))


def judge(history: History, raised: Collection[str] = (), rates: Rates | None = None) -> Alarm | None:
    """The alarm that the latest look gives cause for, if it has not been raised and is not explained by one that has.

    The first rule that holds speaks; what lies behind it is its consequence.
    """
    if not history:
        return None
    silent = {name for each in raised if each in RULES for name in RULES[each].explains} | set(raised)
    for rule, (find, _, _) in RULES.items():
        name = CALLED.get(rule, rule)
        if name not in silent and (found := find(history)) is not None:
            return Alarm(name, history[-1].step, found.since, found.saw, advice(rule, rates or {}))
    return None
