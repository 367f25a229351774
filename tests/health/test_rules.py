"""Every rule on histories made up so that it must speak, and so that it must not."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import pytest

from gan_lab.health.rules import RULES, Finding, advice, judge, lasting
from gan_lab.health.signals import Signals

WELL = {
    "epochs": 3.0,
    "diversity": 0.9,
    "accuracy": 0.8,
    "score_gap": 0.5,
    "score_size": 1.0,
    "real_sign": 0.8,
    "generator_pull": 0.6,
    "discriminator_pull": 0.7,
    "gradient_generator": 1.0,
    "gradient_discriminator": 1.0,
    "gradient_ratio": 1.0,
    "update_generator": 0.01,
    "update_discriminator": 0.01,
    "growth": 1.1,
    "dead": 0.0,
    "saturated": 0.0,
    "checkerboard": 1.2,
    "influence": math.nan,  # it makes images from noise
    "input_distance": math.nan,
    "target_distance": math.nan,
    "input_correlation": math.nan,
    "target_correlation": math.nan,
}
PAIRS = {
    "influence": 0.9,
    "input_distance": 0.9,
    "target_distance": 0.5,
    "input_correlation": 0.3,
    "target_correlation": 0.3,
}
APART = {**PAIRS, "target_distance": math.nan}


def story(looks: int = 5, every: int = 100, **changed: Any) -> list[Signals]:
    """`looks` at a healthy run, except for what is changed: a number, or one for each look."""

    def value(name: str, index: int) -> float:
        given = changed.get(name, WELL.get(name, 1.0))
        return float(given[index] if isinstance(given, (list, tuple)) else given)

    names = Signals._fields[1:]
    return [Signals((i + 1) * every, **{name: value(name, i) for name in names}) for i in range(looks)]


ILL: dict[str, tuple[str, dict[str, Any]]] = {
    "not finite": ("divergence", {"score_size": math.inf, "finite": 0.0}),
    "a round moves too far": ("divergence", {"update_generator": [0.5, 0.02, 0.02, 0.02, 0.02], "growth": 1.7}),
    "a discriminator moves too far": ("divergence", {"update_discriminator": 0.2, "growth": 1.7}),
    "a discriminator moves too far and wins": (
        "discriminator_wins",
        {"update_discriminator": 0.2, "growth": 1.7, "accuracy": 1.0, "discriminator_pull": 0.02},
    ),
    "scores run away": ("divergence", {"score_size": 2e3}),
    "constant": ("collapse", {"diversity": 0.0, "accuracy": 1.0, "discriminator_pull": 0.01}),
    "saturating": ("vanishing_gradient", {"accuracy": 1.0, "generator_pull": 0.01, "discriminator_pull": 0.01}),
    "too strong": ("discriminator_wins", {"accuracy": 1.0, "discriminator_pull": 0.02, "generator_pull": 0.99}),
    "too strong and stuck": ("discriminator_wins", {"accuracy": 1.0, "discriminator_pull": 0.3, "diversity": 0.4}),
    "narrow": ("collapse", {"diversity": [0.04, 0.03, 0.03, 0.03, 0.03]}),
    "narrow, and therefore beaten": (
        "discriminator_wins",
        {"diversity": 0.02, "accuracy": 1.0, "discriminator_pull": 0.01},
    ),
    "narrower than before": ("collapse", {"diversity": [0.9, 0.8, 0.1, 0.1, 0.1]}),
    "stuck with little variety": ("collapse", {"diversity": [0.17, 0.12, 0.11, 0.09, 0.1], "accuracy": 0.99}),
    "weights stand still": ("frozen", {"update_generator": 0.0, "update_discriminator": 0.0}),
    "the generator's weights stand still": ("frozen", {"update_generator": 0.0, "diversity": 0.01}),
    "the discriminator's weights stand still": ("frozen", {"update_discriminator": 0.0, "accuracy": 0.0}),
    "a discriminator that is fooled": ("discriminator_lost", {"accuracy": 0.02, "diversity": 0.19}),
    "far behind its best": ("worsened", {"setback": [1.0, 1.0, 2.0, 4.0, 5.0]}),
    "dead": ("dead_units", {"dead": 0.7}),
    "at the ends": ("saturated", {"saturated": 0.8}),
    "the same of every input": ("ignored_input", {**PAIRS, "influence": 0.0, "diversity": 0.0}),
    "ever more the same": ("ignored_input", {**PAIRS, "influence": [0.9, 0.8, 0.1, 0.1, 0.1], "diversity": 0.1}),
    "ignored, and therefore beaten": (
        "discriminator_wins",
        {**PAIRS, "influence": 0.02, "diversity": 0.02, "accuracy": 1.0, "discriminator_pull": 0.01},
    ),
    "copied": ("copied_input", {**PAIRS, "input_distance": 0.05, "accuracy": 0.5}),
    "copied, without a game": ("copied_input", {**PAIRS, "input_distance": 0.05, "accuracy": math.nan}),
    "copied, and seen": ("copied_input", {**APART, "input_distance": 0.05, "accuracy": 0.95}),
    "negatives": ("inverted", {**PAIRS, "input_correlation": -0.6}),
    "a checkerboard": ("checkerboard", {"checkerboard": [9.0, 9.0, 9.0, 8.0, 8.0]}),
}


@pytest.mark.parametrize("case", ILL)
def test_named(case: str) -> None:
    name, signs = ILL[case]
    alarm = judge(story(**signs))
    assert alarm is not None
    assert (alarm.name, alarm.step) == (name, 500)
    assert alarm.since <= 500
    assert all(alarm[-2:])


HEALTHY: dict[str, dict[str, Any]] = {
    "well": {},
    "the discriminator is ahead and the generator gains": {
        "accuracy": 1.0,
        "discriminator_pull": [0.34, 0.21, 0.18, 0.23, 0.33],
        "diversity": [0.2, 0.37, 0.54, 0.67, 0.74],
    },
    "far ahead, with variety": {"accuracy": 1.0, "discriminator_pull": 0.06, "diversity": 1.3},
    "a critic without end": {"accuracy": 1.0, "generator_pull": 1.0, "discriminator_pull": 1.0, "score_size": 90.0},
    "narrow, but growing": {"diversity": [0.01, 0.02, 0.03, 0.04, 0.049]},
    "weights from small beginnings": {"growth": [1.3, 1.8, 2.3, 2.7, 3.1]},
    "a high rate that the weights bear": {"update_generator": 0.3, "growth": 1.0},
    "fooled": {"accuracy": 0.4, "generator_pull": 0.1},
    "little variety, but growing": {"diversity": [0.1, 0.12, 0.14, 0.16, 0.18]},
    "fooled for a while": {"accuracy": [0.5, 0.05, 0.05, 0.05, 0.3]},
    "a discriminator that rests": {"update_discriminator": 0.0, "gradient_discriminator": math.nan},
    "the end of a schedule": {"update_generator": 1e-8, "update_discriminator": 1e-8},
    "behind its best": {"setback": 2.9},
    "from images": PAIRS,
    "from images, not in pairs": APART,
    "copied, and nobody sees it": {**APART, "input_distance": 0.05, "accuracy": 0.85},
    "copied at first": {**PAIRS, "input_distance": [0.01, 0.02, 0.04, 0.06, 0.09]},
    "copied for a while": {**PAIRS, "input_distance": [0.01, 0.01, 0.01, 0.01, 0.11]},
    "negatives that are wanted": {**PAIRS, "input_correlation": -0.9, "target_correlation": -0.3},
    "little influence, but growing": {**PAIRS, "influence": [0.1, 0.12, 0.14, 0.16, 0.18]},
    "a checkerboard that fades": {"checkerboard": [12.0, 11.0, 10.0, 9.0, 8.0]},
    "a weak checkerboard": {"checkerboard": 3.9},
    "nothing known": dict.fromkeys(WELL, math.nan),
}


@pytest.mark.parametrize("case", HEALTHY)
def test_silent(case: str) -> None:
    looks = story(**HEALTHY[case])
    assert [judge(looks[:end]) for end in range(len(looks) + 1)] == [None] * 6


def test_overfitting_is_winning_after_having_been_even() -> None:
    looks = story(
        8,
        epochs=[10, 20, 30, 40, 50, 60, 70, 80],
        accuracy=[0.7, 0.7, 0.7, 0.9, 1, 1, 1, 1],
        discriminator_pull=[0.9, 0.9, 0.9, 0.5, 0.03, 0.03, 0.03, 0.03],
    )
    alarm = judge(looks)
    assert alarm is not None
    assert (alarm.name, alarm.since) == ("overfitting", 500)
    assert judge([look._replace(epochs=2.0) for look in looks]) is None


def test_a_checkerboard_that_no_longer_fades_is_named() -> None:
    """It is held against what it was 400 steps ago, however long it has been there, however often it is looked at."""
    fading, steady = [40.0, 30.0, 22.0, 16.0, 12.0, 9.0, 7.0], [6.0, 6.0, 6.0]
    looks = story(10, checkerboard=[*fading, *steady])
    assert [judge(looks[:end]) for end in range(10)] == [None] * 10
    alarm = judge(story(11, checkerboard=[*fading, *steady, 6.0]))
    assert alarm is not None
    assert (alarm.name, alarm.step) == ("checkerboard", 1100)
    assert judge(story(41, every=10, checkerboard=[12.0 - 0.1 * n for n in range(41)])) is None


def test_lasting_counts_looks_and_steps() -> None:
    looks = story(4, accuracy=[0.5, 1, 1, 1])
    sign: Callable[[Signals], bool] = lambda look: look.accuracy == 1  # noqa: E731
    assert [look.step for look in lasting(looks, sign, 3, 200)] == [200, 300, 400]
    assert not lasting(looks, sign, 4, 200)
    assert not lasting(looks, sign, 3, 201)
    assert not lasting(looks[:1], sign, 1, 0)


def test_frequent_looks_do_not_hurry_it() -> None:
    looks = story(20, every=10, accuracy=1.0, discriminator_pull=0.02)
    assert judge(looks) is None


def test_a_cause_silences_its_consequences() -> None:
    looks = story(diversity=0.02, dead=0.9, accuracy=1.0, discriminator_pull=0.02)
    assert [alarm.name if (alarm := judge(looks, raised)) else None for raised in ([], ["discriminator_wins"])] == [
        "discriminator_wins",
        None,
    ]
    assert judge(looks, ["dead_units"]) is not None


def test_advice_names_the_override() -> None:
    rates = {"generator": 0.02, "discriminator": 0.04}
    assert advice("divergence", rates) == (
        "optimizer.generator.lr=0.002 optimizer.discriminator.lr=0.004, or precision=fp32"
    )
    assert advice("saturated", {}) == "a 5 times lower optimizer.generator.lr"
    assert advice("discriminator_lost", rates).startswith(
        "optimizer.discriminator.lr=0.2, optimizer.generator.lr=0.004"
    )
    assert advice("discriminator_lost", {}).startswith("a 5 times higher optimizer.discriminator.lr, a 5 times lower")
    assert all(advice(rule, rates) and "{" not in advice(rule, rates) for rule in RULES)


def test_what_is_not_finite_is_named() -> None:
    found = RULES["divergence"].find(story(1, gradient_generator=math.inf, finite=0.0))
    assert found == Finding(100, "gradient_generator is not finite")
