"""What a run that goes on is told to change: key by key, and what is taken away."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from gan_lab.training.start import ABSENT, apply, difference
from tests.conftest import TINY


@pytest.mark.parametrize(
    ("stored", "before", "after", "expected"),
    [
        ({"a": {"b": 1, "c": 2}}, {"a": {"b": 1, "c": 2}}, {"a": {"c": 2}}, {"a": {"c": 2}}),
        ({"a": 1, "b": 2}, {"a": 1, "b": 2}, {"b": 2}, {"b": 2}),
        ({"a": {"b": {"c": 1}, "d": 2}}, {"a": {"b": {"c": 1}, "d": 2}}, {"a": {"d": 2}}, {"a": {"d": 2}}),
        ({"a": {"b": {"c": 1}}}, {"a": {"b": {"c": 1}}}, {"a": {}}, {"a": {}}),
        ({"a": 5, "own": 7}, {"a": 1}, {"a": 2}, {"a": 2, "own": 7}),  # what a default has become is no change
        ({"a": {"b": 1}}, {"a": {}}, {"a": {"c": 3}}, {"a": {"b": 1, "c": 3}}),
        ({"a": {}}, {"a": {}}, {"a": {"b": {"c": 1}}}, {"a": {"b": {"c": 1}}}),
        ({"b": 2}, {"a": {"c": 1}, "b": 2}, {"b": 2}, {"b": 2}),  # it was never there
    ],
)
def test_changes_are_made_in_what_is_stored(
    stored: dict[str, Any], before: dict[str, Any], after: dict[str, Any], expected: dict[str, Any]
) -> None:
    assert apply(stored, difference(before, after)) == expected


def test_what_is_of_one_call_is_no_change() -> None:
    assert difference({"a": 1, "resume": None}, {"resume": "x", "trust": ["m"]}) == {"a": (1, ABSENT)}


def test_a_callback_is_taken_out_of_a_run_that_goes_on(gan_lab: Callable[..., int], here: Path) -> None:
    assert gan_lab("train", *TINY, "model=gan_small", "trainer.max_steps=2", "hydra.run.dir=run") == 0
    assert gan_lab("train", "resume=run", "trainer.max_steps=4", "~callbacks.samples", "~callbacks.scores.count") == 0
    callbacks = yaml.safe_load((here / "run" / "config.yaml").read_text())["callbacks"]
    assert "samples" not in callbacks
    assert list(callbacks["scores"]) == ["_target_"]
