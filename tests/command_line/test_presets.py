"""What a model or a recipe sets in a component goes with the component."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from gan_lab.config import leaves
from tests.compose import choices, composed, yaml_of
from tests.conftest import whole
from tests.test_presets import Loader

OTHER = {  # than what any of ours prescribes
    "algorithm": "noise_to_image",
    "augmentation": "instance_noise",
    "dataset": "kmnist",
    "degradation": "jpeg",
    "loss": "wasserstein_clipped",
    "loss/regularizers": "[path_length]",
    "metrics": "[kid]",
    "model": "pix2pixhd",
    "optimizer": "sgd",
    "optimizer/schedule": "inverse_time",
    "text_encoder": "transformer",
}


def loaded(preset: str) -> dict[str, Any]:
    found: dict[str, Any] = yaml.load(yaml_of(preset), Loader)
    return found


def groups(preset: str) -> dict[str, Any]:
    """The groups that a preset chooses in, those of a recipe's model and of what it varies among them, with its
    choices."""
    own: dict[str, Any] = {}
    for entry in loaded(preset)["defaults"]:
        if isinstance(entry, dict):
            own |= {key.removeprefix("override /"): name for key, name in entry.items()}
        elif entry != "_self_":  # what it is a variant of
            own |= groups(f"{preset.partition('/')[0]}/{entry}")
    return {**(groups(f"model/{own['model']}") if "model" in own else {}), **own}


def at_stake(preset: str) -> frozenset[str]:
    """The settings of a preset in the groups that it chooses in."""
    tops = {group.partition("/")[0] for group in groups(preset)}
    body = {key: value for key, value in loaded(preset).items() if key in tops}
    return frozenset(key for key, _ in leaves(body))


def cases() -> Iterator[Any]:
    """Every preset; those with nothing at stake that another has not are left to the whole suite."""
    seen: set[str] = set()
    for preset in [f"{group}/{name}" for group in ("model", "experiment") for name in choices(group)]:
        stake = {".".join(key.split(".")[:2]) for key in at_stake(preset)}
        yield from [preset] if stake - seen else whole([preset])
        seen |= stake


def is_variant(group: str, chosen: Any) -> bool:
    """Whether what was chosen is the other choice, or that but for a few settings: then all settings fit the other."""
    if chosen == OTHER[group]:
        return True
    if group != "algorithm":
        return False
    bases = [entry for entry in loaded(f"{group}/{chosen}").get("defaults", []) if entry != "_self_"]
    return any(base == OTHER[group] or (isinstance(base, str) and is_variant(group, base)) for base in bases)


def alone(group: str) -> dict[str, Any]:
    """The other choice of a group, as it is when nothing else is chosen."""
    name = OTHER[group].strip("[]")
    text = yaml_of(f"{group}/{name}")
    if "defaults:" in text or "${" in text or "@package _global_" in text:
        return part(composed(f"{group}={OTHER[group]}"), group)
    return part({group: yaml.load(text, Loader)}, group)


def part(config: dict[str, Any], group: str) -> dict[str, Any]:
    """What a group has of a configuration, without what other groups set in it and players that do not play."""
    for name in [group] if group in config else group.split("/"):
        config = config[name]
    below = ("regularizers", "schedule", "adversarial_from", "tokenizer") if "/" not in group else ()
    return {key: node for key, node in config.items() if key not in below and node is not None}


@pytest.mark.parametrize("preset", list(cases()))
def test_what_is_typed_over_a_choice_is_as_if_nothing_else_had_been_chosen(preset: str) -> None:
    """No number stays behind in another component, and none of one that is not there."""
    typed = {group: f"{group}={OTHER[group]}" for group, own in groups(preset).items() if not is_variant(group, own)}
    config = composed(preset.replace("/", "="), *typed.values())
    for group in typed:
        found, wanted = part(config, group), alone(group)
        if group == "model":  # its sizes are the run's
            assert [key for key, _ in leaves(found)] == [key for key, _ in leaves(wanted)]
        else:
            if group == "optimizer":  # a player that other games have not is moved as its model says
                found = {key: value for key, value in found.items() if key in wanted}
            assert found == {key: wanted[key] for key in wanted if key in found or group != "optimizer"}, group


def test_it_stands_where_the_component_is_there() -> None:
    """Beside others, as what another one is made from, and under a recipe."""
    assert composed("experiment=edsr", "metrics=[super_resolution,fid]")["metrics"]["psnr"]["border"] == 0
    assert composed("model=biggan", "algorithm=unrolled")["algorithm"]["latent"]["dim"] == 120
    assert composed("experiment=deepfill", "dataset=mnist")["degradation"]["kind"] == "both"
    assert composed("experiment=srgan", "loss=hinge")["loss"]["adversarial_from"] == 400


def test_a_technique_that_chooses_another_algorithm_leaves_nothing_of_the_model() -> None:
    """FastCUT's mirrored images are those of its own game; what stands in both games stays."""
    assert "mirrored" not in composed("model=fastcut", "+technique=[unrolled]")["algorithm"]
    assert composed("model=biggan", "+technique=[unrolled]")["algorithm"]["latent"]["dim"] == 120


def test_what_is_typed_wins_over_a_recipe_that_says_the_same() -> None:
    """The choice of a trainer says how many rounds, and so does the recipe; what only the recipe says stands."""
    recipe, debug = composed("experiment=edsr"), composed("experiment=edsr", "trainer=debug")
    assert recipe["trainer"]["max_steps"] > debug["trainer"]["max_steps"] == 2
    assert debug["trainer"]["batch_size"] == 8
    assert debug["objective"] == composed("model=edsr", "trainer=debug")["objective"] == "loss/generator"
    assert debug["degradation"] == recipe["degradation"]
    assert composed("experiment=edsr", "trainer=debug", "trainer.max_steps=7")["trainer"]["max_steps"] == 7
    assert composed("experiment=edsr", "trainer=default") == recipe


def test_a_recipe_that_chooses_another_leaves_nothing_of_the_model(tmp_path: Path) -> None:
    recipe = "# @package _global_\ndefaults:\n  - override /model: deepfill\n  - override /degradation: jpeg\n"
    (tmp_path / "experiment").mkdir()
    (tmp_path / "experiment" / "mine.yaml").write_text(recipe)
    config = composed("experiment=mine", configs=tmp_path)
    assert config["degradation"] == composed("degradation=jpeg")["degradation"]
    assert config["algorithm"]["ema"]["decay"] == 0.0


def test_what_is_new_in_a_collection_is_about_nothing_else(tmp_path: Path) -> None:
    """A regularizer that a user's model brings along, whatever the loss is."""
    mine = "# @package _global_\ndefaults: [gan, _self_]\nloss: {regularizers: {mine: {_target_: a.Mine, weight: 2}}}\n"
    (tmp_path / "model").mkdir()
    (tmp_path / "model" / "mine.yaml").write_text(mine)
    config = composed("model=mine", "loss=hinge", configs=tmp_path)
    assert config["loss"]["regularizers"] == {"mine": {"_target_": "a.Mine", "weight": 2}}


def test_a_defaults_list_may_refer_to_a_choice(tmp_path: Path) -> None:
    """Choices are collected for a file that asks for them, and for no other."""
    mine = "# @package _global_\ndefaults: [gan, {/optimizer/schedule@other: '${model}'}, _self_]\n"
    for folder, name, text in (("model", "mine", mine), ("optimizer/schedule", "mine", "a: 3\n")):
        (tmp_path / folder).mkdir(parents=True)
        (tmp_path / folder / f"{name}.yaml").write_text(text)
    assert composed("model=mine", configs=tmp_path)["other"] == {"a": 3}
