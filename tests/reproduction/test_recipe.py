"""Recipes as their files tell them."""

from __future__ import annotations

from pathlib import Path

import pytest

from gan_lab.config import CONFIG_DIR
from gan_lab.errors import ConfigError
from gan_lab.reproduction.band import Band
from gan_lab.reproduction.recipe import CHEAP, DOWNLOAD, NOTHING, PATH, Recipe, find, origin, read
from tests.compose import choices, composed

EXPECTED = "expected: {seconds: 120, seeds: 3, figures: {fid: {value: 5, spread: 1, at_most: 8}, modes: {at_least: 9}}}"


def write(folder: Path, name: str, text: str) -> Path:
    path = folder / "experiment" / f"{name}.yaml"
    path.parent.mkdir(exist_ok=True)
    path.write_text(text)
    return path


def test_all_that_a_file_tells(tmp_path: Path) -> None:
    write(tmp_path, "mine", f"defaults:\n  - override /dataset: mnist\n{EXPECTED}\n")
    bands = (Band("fid", at_most=8, value=5, spread=1), Band("modes", at_least=9))
    found = find([tmp_path, CONFIG_DIR])
    assert found["mine"] == Recipe("mine", "mnist", DOWNLOAD, 120.0, 3, bands)
    assert found["mine"].cheap
    assert found.keys() == {"mine", *choices("experiment")}


def test_who_says_no_dataset_takes_the_default(tmp_path: Path) -> None:
    recipe = read("mine", write(tmp_path, "mine", "trainer: {max_steps: 3}"), [tmp_path, CONFIG_DIR])
    assert recipe == Recipe("mine", composed()["dataset"]["name"], NOTHING)
    assert not recipe.cheap


def test_ones_own_file_comes_first(tmp_path: Path) -> None:
    write(tmp_path, "grid", EXPECTED)
    assert find([tmp_path, CONFIG_DIR])["grid"].seconds == 120


@pytest.mark.parametrize(
    ("dataset", "needs"),
    [
        ("digits", NOTHING),
        ("stacked_digits", NOTHING),
        ("ring", NOTHING),
        ("mnist", DOWNLOAD),
        ("stacked_mnist", DOWNLOAD),
        ("huggingface", DOWNLOAD),
        ("folder", PATH),
        ("arrays", PATH),
        ("lsun", PATH),
        ("paired", PATH),
    ],
)
def test_what_the_data_needs(dataset: str, needs: str) -> None:
    assert origin(composed(f"dataset={dataset}", "model=gan_small")["dataset"]) == needs


def test_a_path_in_the_recipe_is_the_users(tmp_path: Path) -> None:
    text = "defaults:\n  - override /dataset: mnist\ndataset: {path: my.zip}\n"
    assert read("mine", write(tmp_path, "mine", text), [CONFIG_DIR]).needs == PATH


def test_cheap_is_less_than_five_minutes() -> None:
    times = {seconds: Recipe("a", "digits", NOTHING, seconds).cheap for seconds in (CHEAP - 0.1, CHEAP)}
    assert list(times.values()) == [True, False]
    assert CHEAP == 300


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("expected: {seconds: 3}", "expected: says no figures"),
        ("expected: 3", "expected: says no figures"),
        ("expected: {figures: {fid: {at_most: 3}}}", "expected.seconds: None is not how long it takes"),
        ("expected: {seconds: 3, seeds: 0, figures: {fid: {at_most: 3}}}", "expected.seeds: 0 is not a whole number"),
        ("expected: {seconds: 3, figures: {fid: 3}}", "expected.figures.fid: 3 is not a band"),
        ("a: [", "mine.yaml cannot be read"),
        ("- 3", "mine.yaml: is not a configuration"),
    ],
)
def test_what_is_no_recipe(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        read("mine", write(tmp_path, "mine", text), [CONFIG_DIR])
