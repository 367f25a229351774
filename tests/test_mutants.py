"""The mutants of `tests/mutants.py` are edits that can be read, each with a name of its own and a lot that stays."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest
import yaml

from tests.mutation.drawing import draw, every_mutant
from tests.mutation.mutant import Mutant
from tests.mutation.nearest import nearest
from tests.mutation.operators import python_mutants
from tests.mutation.playing import TREE
from tests.mutation.settings import yaml_mutants

CODE = b'''"""A mean - of 1."""
def f(real: int, fake, label=0.5):
    if real is None:
        raise ValueError("1 - 1")
    real.detach().mean(1).add_(-fake * 2 ** 3)
    return g(real, fake) if fake > 1 and real else [not fake, True]
'''
SETTINGS = b"""# 1 of them
defaults:
  - override /loss: hinge
model:
  width: ${oc.select:width,64} # 3
  betas: [0.5, 1]
  shape: cosine
  on: true
"""


def changes(mutants: list[Mutant]) -> set[tuple[str, str]]:
    return {(mutant.source[mutant.start : mutant.end].decode(), mutant.new.decode()) for mutant in mutants}


def test_what_is_made_of_code() -> None:
    mutants = list(python_mutants("a.py", CODE))
    assert changes(mutants) == {
        *(("0.5", "1.0"), ("real.detach()", "real"), ("mean", "sum"), ("1", "0"), ("add_", "sub_"), ("-fake", "fake")),
        *(("*", "/"), ("**", "*"), ("2", "3"), ("3", "4"), ("real", "fake"), ("fake", "real")),
        *(("real, fake", "fake, real"), (">", ">="), ("1", "2"), ("and", "or"), ("not fake", "(fake)")),
        *(("True", "False"), ("real.detach().mean(1).add_(-fake * 2 ** 3)", "pass")),
    }
    assert not any(mutant.start < CODE.index(b"def") for mutant in mutants)
    for mutant in mutants:
        ast.parse(mutant.changed)
        assert mutant.diff.count("\n") == 2, mutant.diff


def test_what_is_made_of_settings() -> None:
    mutants = list(yaml_mutants("a.yaml", SETTINGS))
    assert changes(mutants) == {
        *(("  - override /loss: hinge", ""), ("64", "128"), ("0.5", "1.0"), ("1", "2")),
        *(("cosine", "linear"), ("true", "false")),
    }
    assert all(yaml.safe_load(mutant.changed) != yaml.safe_load(SETTINGS) for mutant in mutants)


def test_a_lot_does_not_depend_on_what_stands_around() -> None:
    """Names are the same where lines have moved, and all are different."""
    here = list(python_mutants("a.py", CODE))
    there = list(python_mutants("a.py", b"import torch\n\n" + CODE))
    assert [mutant.name for mutant in here] == [mutant.name for mutant in there]
    assert len({mutant.name for mutant in here}) == len(here)
    assert {m.name for m in draw(here, 3, 90)} <= {m.name for m in draw(here, 3, 250)}
    twice = list(python_mutants("a.py", b"x = 1\nx = 1\n"))
    assert len({mutant.name for mutant in twice}) == 2


def test_every_mutant_of_the_tree_can_be_read() -> None:
    """At least 150 are drawn, every one of a file that has tests."""
    mutants = draw(list(every_mutant(TREE)), 0, 250)
    assert len({mutant.name for mutant in mutants}) == len(mutants) > 150
    for mutant in mutants[::5]:
        if mutant.path.endswith(".py"):
            ast.parse(mutant.changed)
        else:
            yaml.safe_load(mutant.changed)
    assert all(nearest(TREE, path) for path in {mutant.path for mutant in mutants})


@pytest.mark.parametrize(
    ("path", "first"),
    [
        ("gan_lab/losses/top_k.py", "tests/losses/test_top_k.py"),
        ("gan_lab/layers/critique.py", "tests/layers/test_critique.py"),
        ("configs/model/sngan.yaml", "tests/models/test_sngan.py"),
        ("configs/experiment/sngan.yaml", "tests/test_recipes.py"),
    ],
)
def test_the_nearest_test_comes_first(path: str, first: str) -> None:
    found = nearest(TREE, path)
    assert found[0] == first
    assert all((Path(TREE) / each).exists() for each in found)
