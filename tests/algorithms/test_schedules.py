"""Learning rate schedules in closed form."""

from __future__ import annotations

import math

import pytest

from gan_lab.algorithms.schedules import Constant, Cosine, InverseTime, LinearDecay, MultiStep, Ramp


def test_constant() -> None:
    assert [Constant().factor(step) for step in (0, 1, 10**9)] == [1.0, 1.0, 1.0]


@pytest.mark.parametrize(
    ("start", "end", "expected"),
    [
        (0.0, 0.0, {0: 1.0, 1: 0.9, 5: 0.5, 9: 0.1, 10: 0.0, 15: 0.0}),
        (0.5, 0.0, {0: 1.0, 5: 1.0, 6: 0.8, 9: 0.2, 10: 0.0}),
        (0.0, 0.2, {0: 1.0, 5: 0.6, 10: 0.2, 99: 0.2}),
    ],
)
def test_linear_decay(start: float, end: float, expected: dict[int, float]) -> None:
    schedule = LinearDecay(10, start=start, end_factor=end)
    assert {step: schedule.factor(step) for step in expected} == pytest.approx(expected)


@pytest.mark.parametrize(
    ("warmup", "end", "expected"),
    [
        (0.0, 0.0, {0: 1.0, 5: 0.5 * (1 + math.sqrt(0.5)), 10: 0.5, 20: 0.0, 30: 0.0}),
        (0.2, 0.0, {0: 0.25, 1: 0.5, 2: 0.75, 3: 1.0, 4: 1.0, 8: 0.5 * (1 + math.sqrt(0.5)), 12: 0.5, 20: 0.0}),
        (0.0, 0.1, {0: 1.0, 10: 0.55, 20: 0.1}),
    ],
)
def test_cosine(warmup: float, end: float, expected: dict[int, float]) -> None:
    schedule = Cosine(20, warmup=warmup, end_factor=end)
    assert {step: schedule.factor(step) for step in expected} == pytest.approx(expected)


def test_multi_step() -> None:
    schedule = MultiStep(800, [0.125, 0.25, 0.5, 0.75])
    expected = {0: 1.0, 99: 1.0, 100: 0.5, 199: 0.5, 200: 0.25, 400: 0.125, 599: 0.125, 600: 0.0625, 9999: 0.0625}
    assert {step: schedule.factor(step) for step in expected} == expected


def test_multi_step_of_a_second_stage() -> None:
    schedule = MultiStep(300, [0.0, 0.5], factor=0.1, begin=100)
    expected = {0: 1.0, 99: 1.0, 100: 0.1, 199: 0.1, 200: 0.01}
    assert {step: schedule.factor(step) for step in expected} == pytest.approx(expected)
    assert MultiStep(100, [0.0, 0.5], begin=100).factor(99) == 1.0  # a stage that is not reached


@pytest.mark.parametrize("steps", [1, 2])
def test_the_shortest_runs(steps: int) -> None:
    assert LinearDecay(steps, start=0.9).factor(0) == 1.0
    assert Cosine(steps, warmup=0.9).factor(0) == 1.0
    assert Cosine(steps).factor(steps) == 0.0


@pytest.mark.parametrize(
    ("build", "message"),
    [
        (lambda: LinearDecay(0), "steps must be at least 1, not 0"),
        (lambda: Cosine(-1), "steps must be at least 1, not -1"),
        (lambda: LinearDecay(10, start=1.0), "start is a fraction of the run"),
        (lambda: Cosine(10, warmup=5), "warmup is a fraction of the run"),
        (lambda: LinearDecay(10, end_factor=-0.1), "end_factor must be a finite number"),
        (lambda: MultiStep(0, [0.5]), "steps must be at least 1, not 0"),
        (lambda: MultiStep(9, [0.5], begin=-1), "begin must be at least 0, not -1"),
        (lambda: MultiStep(9, [0.5, 1.0]), r"at must be fractions of the run in \[0, 1\), in order, not \[0.5, 1.0\]"),
        (lambda: MultiStep(9, [0.5, 0.25]), "in order"),
        (lambda: MultiStep(9, [0.5], factor=0), "factor must be a positive number, not 0"),
        (lambda: Cosine(10, end_factor=float("nan")), "end_factor must be a finite number"),
    ],
)
def test_ranges(build: object, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        build()  # type: ignore[operator]


@pytest.mark.parametrize(
    ("shape", "expected"),
    [
        ("linear", {0: 8.0, 2: 8.0, 3: 6.5, 4: 5.0, 6: 2.0, 9: 2.0}),
        ("cosine", {0: 8.0, 3: 8 - 6 * (1 - math.sqrt(0.5)) / 2, 4: 5.0, 6: 2.0, 9: 2.0}),
        ("exponential", {0: 8.0, 3: 8 / math.sqrt(2), 4: 4.0, 6: 2.0, 9: 2.0}),
    ],
)
def test_ramp(shape: str, expected: dict[int, float]) -> None:
    for start, configured in ((None, 8.0), (8.0, 123.0)):
        ramp = Ramp(end=2.0, steps=4, start=start, begin=2, shape=shape)
        assert {step: ramp.value(step, configured) for step in expected} == pytest.approx(expected)


@pytest.mark.parametrize("batch", [1, 64, 512])
def test_a_ramp_over_images_is_the_same_for_every_batch_size(batch: int) -> None:
    ramp = Ramp(end=2.0, steps=1024, start=8.0, begin=512, unit="images")
    for images, value in ((0, 8.0), (512, 8.0), (1024, 5.0), (1536, 2.0), (4096, 2.0)):
        assert ramp.value(images // batch, 0.0, images) == value


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"unit": "epochs"}, "unit must be one of rounds, images, not 'epochs'"),
        ({"steps": 0}, "steps must be at least 1"),
        ({"begin": -1}, "begin at least 0"),
        ({"shape": "square"}, "shape must be one of linear, cosine, exponential"),
        ({"settings": "a.b"}, "settings must be a list"),
        ({"end": float("inf")}, "end must be a finite number"),
        ({"start": float("nan")}, "start must be a finite number"),
    ],
)
def test_ranges_of_a_ramp(given: dict[str, object], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Ramp(**{"settings": ["a.b"], "end": 1.0, "steps": 2, **given})  # type: ignore[arg-type]


def test_inverse_time() -> None:
    schedule = InverseTime(5e-5)
    assert [schedule.factor(step) for step in (0, 20_000, 60_000)] == pytest.approx([1.0, 0.5, 0.25])
    with pytest.raises(ValueError, match="decay must be a number of at least 0"):
        InverseTime(-1.0)


def test_the_decay_of_cyclegans_code_begins_an_epoch_earlier() -> None:
    """1 - max(0, e + 1 - 100) / 101 in epoch e of 200, where ours is 1 until the middle; both end above 0."""
    theirs, ours = LinearDecay(200, start=0.495), LinearDecay(200, start=0.5)
    for epoch, factor in ((0, 1.0), (99, 1.0), (100, 100 / 101), (150, 50 / 101), (199, 1 / 101)):
        assert theirs.factor(epoch) == pytest.approx(factor)
    assert [ours.factor(step) for step in (0, 100, 150, 199)] == pytest.approx([1.0, 1.0, 0.5, 0.01])
