"""Search spaces: what may be written, what a trial is started with, and that those that come with gan-lab compose."""

from __future__ import annotations

from typing import Any

import pytest
import yaml

from gan_lab.config import CONFIG_DIR
from gan_lab.errors import ConfigError
from gan_lab.tuning.space import Categorical, Interval, Space, typed
from tests.compose import composed

SPACES = sorted((CONFIG_DIR / "space").glob("*.yaml"))


def test_nested_and_dotted_keys_and_both_ways_to_write_choices() -> None:
    node = {
        "optimizer": {"generator": {"lr": {"low": 1e-5, "high": 1e-2, "log": True}}},
        "algorithm.critic_steps": {"low": 1, "high": 5},
        "loss": ["hinge", "minimax"],
        "seed": {"choices": [0, 1]},
    }
    assert Space.read(node) == {
        "optimizer.generator.lr": Interval(1e-5, 1e-2, True, None),
        "algorithm.critic_steps": Interval(1, 5),
        "loss": Categorical(("hinge", "minimax")),
        "seed": Categorical(("0", "1")),
    }


@pytest.mark.parametrize(
    ("node", "message"),
    [
        ({"a": 3}, r"space\.a: 3 is neither \{low, high\} nor a list of choices"),
        (None, "space: None is neither"),
        ({"a": {"low": 1}}, r"space\.a: has no high"),
        ({"a": {"low": "1e-5", "high": 1}}, r"space\.a\.low: '1e-5' is not a number \(write it 1e-05\)"),
        ({"a": {"low": 0, "high": True}}, r"space\.a\.high: True is not a number"),
        ({"a": {"low": 2, "high": 1}}, r"space\.a: low 2 is not below high 1"),
        ({"a": {"low": 0, "high": 1, "log": True}}, r"space\.a: low 0 has no logarithm"),
        ({"a": {"low": 1, "high": 2, "log": "yes"}}, r"space\.a\.log: 'yes' is not true or false"),
        ({"a": {"low": 1, "high": 9, "log": True, "step": 2}}, r"space\.a\.step: 2 must be above 0, and goes without"),
        ({"a": ["x"]}, r"space\.a: needs a list of at least two choices"),
        ({"a": [1, "1"]}, r"space\.a: a choice stands there twice"),
    ],
)
def test_what_is_no_space(node: Any, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        Space.read(node)


def test_numbers_are_typed_in_few_digits_and_stay_inside() -> None:
    assert Interval(0.0, 1.0).text(0.123456789) == "0.1235"
    assert Interval(1.23446e-5, 1.0).text(1.23446e-5) == "1.23446e-05"
    assert Interval(1, 5).text(3) == "3"
    assert Interval(0.5, 1, step=0.25).text(0.75) == "0.75"


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, "null"),
        (True, "true"),
        (0.5, "0.5"),
        ([0.0, 0.9], "[0.0,0.9]"),
        (["a", "b c"], "[a,'b c']"),
        ({"a": [1]}, "{a:[1]}"),
        ("[r1]", "[r1]"),
    ],
)
def test_plain_values_in_hydras_grammar(value: Any, text: str) -> None:
    assert typed(value) == text


def test_the_default_is_a_point_of_the_space_or_not() -> None:
    space = Space({"lr": Interval(0.1, 1.0), "n": Interval(1, 9, step=2), "loss": Categorical(("a", "b"))})
    assert space.default({"lr": 0.1, "n": 3, "loss": "b"}) == ({"lr": 0.1, "n": 3, "loss": "b"}, "")
    assert space.default({"lr": 2.0, "n": 3, "loss": "b"}) == ({}, "lr")
    assert space.default({"lr": 0.5, "n": 2, "loss": "b"}) == ({}, "n")
    assert space.default({"lr": 0.5, "n": 3, "loss": "c"}) == ({}, "loss")
    assert space.words({"lr": 0.12345, "n": 3, "loss": "b"}) == ["lr=0.1235", "n=3", "loss=b"]


def test_what_is_searched_is_not_typed() -> None:
    space = Space({"lr": Interval(0.1, 1.0)})
    space.check_apart(["seed"])
    with pytest.raises(ConfigError, match=r"lr: is typed and in the search space too; .* ~space\.lr"):
        space.check_apart(["seed", "lr"])


@pytest.mark.parametrize("file", SPACES, ids=lambda path: path.stem)
def test_every_space_composes_at_both_ends(file: Any) -> None:
    text = file.read_text()
    assert text.startswith("# ")
    space = Space.read(yaml.safe_load(text))
    for index in (0, -1):
        ends = [f"{key}={dimension.ends()[index]}" for key, dimension in space.items()]
        config = composed(*(word for word in ends if word != "technique=null" and not word.startswith("technique")))
        for key, dimension in space.items():
            if isinstance(dimension, Interval):
                node: Any = config
                for part in key.split("."):
                    node = node[part]
                assert dimension.of_setting(node) is not None
    for key, dimension in space.items():
        for text in dimension.ends() if key == "technique" else ():
            assert text == "null" or composed(f"+{key}={text}")
