"""Every table of choices says what the YAMLs say: a row for each file of the group, its paper, and the facts that the
configuration holds."""

from __future__ import annotations

import re
from collections.abc import Callable
from itertools import takewhile
from pathlib import Path
from typing import Any

import pytest
import yaml

import gan_lab
from gan_lab.config import CONFIG_DIR, build
from gan_lab.errors import ConfigError
from gan_lab.reproduction.recipe import find, read
from gan_lab.training.assemble import build_regularizers
from gan_lab.verbs.reproduce import minutes
from tests.compose import choices, composed, variants
from tests.readmes import Table, arxiv, shown, spans, tables

TABLES = tables()
SCHEDULE = "optimizer/schedule"
FOLDERS = {path.parent.relative_to(CONFIG_DIR).as_posix() for path in CONFIG_DIR.glob("*/**/*.yaml")}
GROUPS = sorted(folder for folder in FOLDERS if not folder.startswith("hydra"))


def listed(group: str) -> list[str]:
    """The choices that have a row; those that have none are another test's."""
    return [name for name in choices(group) if group in TABLES and name in TABLES[group].names]


def where(group: str, name: str) -> str:
    return f"{shown(TABLES[group].file)}, row `{name}`"


def head(group: str, name: str) -> str:
    """The comment at the top of a choice's file, without Hydra's line."""
    lines = (CONFIG_DIR / group / f"{name}.yaml").read_text().splitlines()
    comments = takewhile(lambda line: line.startswith("#"), lines)
    return " ".join(line.removeprefix("# ") for line in comments if not line.startswith("# @package"))


def row_to_add(table: Table, group: str, name: str) -> str:
    """A row as it may be pasted: what the file says of itself."""
    papers = ", ".join(f"[paper](https://arxiv.org/abs/{number})" for number in arxiv(head(group, name))[:1])
    filled = {0: f"`{name}`", 1: papers, 2: head(group, name)}
    return "| " + " | ".join(filled.get(place, "") for place in range(len(table.columns))) + " |"


@pytest.mark.parametrize("group", GROUPS)
def test_every_choice_has_a_row(group: str) -> None:
    assert group in TABLES, (
        f"configs/{group} has no table: write one between <!--table {group}--> and <!--/table--> in configs/README.md "
        f"(or configs/{group}/README.md), with a row for each of {choices(group)}, its name in backticks first"
    )
    table = TABLES[group]
    file, rows = shown(table.file), table.names
    missing = [name for name in choices(group) if name not in rows]
    add = "\n".join(row_to_add(table, group, name) for name in missing)
    assert not missing, f"{file}: the table {group} lacks rows; add, in its words and with its columns:\n{add}"
    strangers = [name for name in rows if name not in choices(group)]
    assert not strangers, f"{file}: the table {group} has rows without a file configs/{group}/NAME.yaml: {strangers}"
    assert len(rows) == len(set(rows)), f"{file}: the table {group} has two rows for one choice"


@pytest.mark.parametrize(("group", "name"), [(group, name) for group in GROUPS for name in listed(group)])
def test_the_paper_is_that_of_the_file(group: str, name: str) -> None:
    table = TABLES[group]
    said = {number for cell in table.by_name[name].values() for number in arxiv(cell)}
    own, whole = set(arxiv(head(group, name))), set(arxiv((CONFIG_DIR / group / f"{name}.yaml").read_text()))
    assert said <= whole, f"{where(group, name)}: {sorted(said - whole)} stand nowhere in configs/{group}/{name}.yaml"
    assert said & own or not own, f"{where(group, name)}: link its paper, arXiv {' or '.join(sorted(own))}"


def test_every_group_is_listed() -> None:
    missing = set(GROUPS) - set(TABLES["groups"].names)
    assert not missing, f"configs/README.md, Groups: add a row for each of {sorted(missing)}"
    assert set(TABLES["groups"].names) <= set(GROUPS)


def test_the_defaults_of_the_groups() -> None:
    defaults: dict[str, Any] = {}
    for node in yaml.safe_load((CONFIG_DIR / "train.yaml").read_text())["defaults"]:
        defaults |= node if isinstance(node, dict) else {}
    for group, row in TABLES["groups"].by_name.items():
        said = spans(row["default"])
        default = defaults.get(group)
        if said and group != "space":
            assert said == ([default] if isinstance(default, str) else default), f"configs/README.md, Groups: {group}"


def chosen(group: str, name: str) -> dict[str, Any]:
    """What the defaults list of a file chooses, by group, and what that of a file which it begins with does."""
    node = yaml.safe_load((CONFIG_DIR / group / f"{name}.yaml").read_text())
    pairs = (pair for default in node["defaults"] if isinstance(default, dict) for pair in default.items())
    own = {key.removeprefix("override /"): value for key, value in pairs}
    return {**(chosen("model", variants()[name]) if group == "model" and name in variants() else {}), **own}


def facts_of_model(name: str) -> dict[str, str]:
    prescribed = chosen("model", name)
    file = CONFIG_DIR / "model" / f"{variants().get(name, name)}.yaml"
    steps = yaml.safe_load(file.read_text()).get("algorithm", {}).get("critic_steps")
    return {
        "loss": quoted(prescribed.get("loss")),
        "optimizer": quoted(prescribed.get("optimizer")),
        "moves": str(steps or ""),
    }


def facts_of_loss(name: str) -> dict[str, str]:
    added = chosen("loss", name)
    return {"regularizers, constraints": quoted(*added["regularizers"], *added.get("constraints", []))}


def facts_of_regularizer(name: str) -> dict[str, str]:
    beside = ["model=acgan", "loss=non_saturating_auxiliary"] if name == "auxiliary_classifier" else []
    nodes = composed(*beside, f"loss/regularizers=[{name}]")["loss"]["regularizers"]
    players = {built.player for built in build_regularizers(nodes, {}).values()}
    return {"paid by": "both" if len(players) > 1 else players.pop()}


def facts_of_optimizer(name: str) -> dict[str, str]:
    node = composed(f"optimizer={name}")["optimizer"]
    generator = node["generator"]
    schedules = {each: composed(f"optimizer/schedule={each}")["optimizer"]["schedule"] for each in listed(SCHEDULE)}
    return {
        "rate of the generator": short(generator["lr"]),
        "of the discriminator": short(node["discriminator"]["lr"]),
        "betas": ", ".join(f"{beta:g}" for beta in generator.get("betas", [])),
        "eps": short(generator["eps"]) if "eps" in generator else "",
        "schedule": quoted(*(each for each, schedule in schedules.items() if schedule == node["schedule"])),
    }


def facts_of_dataset(name: str) -> dict[str, str]:
    node = composed(f"dataset={name}")["dataset"]
    return {"shape": "x".join(map(str, node["image_shape"])), "classes": str(node["num_classes"] or "-")}


def facts_of_experiment(name: str) -> dict[str, str]:
    """The ledger: what `gan-lab reproduce` lists."""
    recipe = read(name, CONFIG_DIR / "experiment" / f"{name}.yaml", [CONFIG_DIR])
    return {
        "model": quoted(chosen("experiment", name)["model"]),
        "data": quoted(recipe.dataset),
        "time": "" if recipe.seconds is None else minutes(recipe.seconds),
        "seeds": str(recipe.seeds or ""),
        "measured": ", ".join(band.measured for band in recipe.bands),
        "band": ", ".join(f"`{band}`" for band in recipe.bands),
    }


def quoted(*names: str | None) -> str:
    return ", ".join(f"`{name}`" for name in names if name is not None)


def short(number: float) -> str:
    """2e-4, 2.5e-3."""
    return f"{number:.1e}".replace(".0e", "e").replace("e-0", "e-")


FACTS: dict[str, Callable[[str], dict[str, str]]] = {
    "model": facts_of_model,
    "loss": facts_of_loss,
    "loss/regularizers": facts_of_regularizer,
    "optimizer": facts_of_optimizer,
    "dataset": facts_of_dataset,
    "experiment": facts_of_experiment,
}


@pytest.mark.parametrize(("group", "name"), [(group, name) for group in FACTS for name in listed(group)])
def test_the_facts_are_those_of_the_file(group: str, name: str) -> None:
    for column, fact in FACTS[group](name).items():
        said = TABLES[group].by_name[name][column]
        assert said == fact, (
            f"{where(group, name)}, column {column}: says {said or 'nothing'}, the YAML {fact or 'nothing'}"
        )


@pytest.mark.parametrize("name", listed("model"))
def test_labels_of_models(name: str) -> None:
    """no: the networks do not ask for classes; always: they, or what is paid for, refuse data without; if any:
    they do not."""
    config = composed(f"model={name}", "+width=4")
    networks, paid = config["model"], config["loss"]["regularizers"]
    generator = next(node for role, node in networks.items() if role.startswith("generator"))
    asks = "num_classes" in generator
    without = built({**generator, "num_classes": 0}) and "classify_real" not in paid
    fact = ("if any" if without else "always") if asks else "no"
    assert TABLES["model"].by_name[name]["labels"] == fact, where("model", name)


@pytest.mark.parametrize("name", listed("model"))
def test_sizes_of_models(name: str) -> None:
    """Those that say *any* take 15x9, those that say *halving* 12x8 and not 15x9."""
    said = TABLES["model"].by_name[name]["sizes"]
    if said in ("any", "halving"):
        assert fits(name, 12, 8), f"{where('model', name)}: sizes"
        assert fits(name, 15, 9) == (said == "any"), f"{where('model', name)}: sizes"


def fits(name: str, *size: int) -> bool:
    """The model of the tests' images, told that they are of this size."""
    config = composed(f"model={name}", "+width=4")
    before = config["dataset"]["image_shape"]
    image = [before[0], *size]
    config = with_shape(config, before, image)
    input = list(build(config["degradation"], "degradation").shape(image)) if config.get("degradation") else image
    given = [{**node, **({"input_shape": input} if "input_shape" in node else {})} for node in config["model"].values()]
    for node in given:
        if node.get("encoder"):
            node["encoder"]["num_tokens"] = 9
    return all(map(built, given))


def with_shape(node: Any, before: list[int], shape: list[int]) -> Any:
    """A configuration in which all that was told one shape of images is told another."""
    if isinstance(node, dict):
        return {key: with_shape(value, before, shape) for key, value in node.items()}
    return shape if node == before else node


def built(network: dict[str, Any]) -> bool:
    try:
        build(network, "model")
    except ConfigError:
        return False
    return True


# What a model without a recipe needs that nobody has by himself. adain: the weights of VGG19. With random ones it was
# tried, on photos of 48 pixels: after 400 rounds the colours are near the style's (style_distance 15), and of the
# content a third is left (content_correlation 0.33): mud, which is no style transfer.
WITHOUT_RECIPE = {"adain", "projected_gan_stylegan2"}


def test_pictures_of_models() -> None:
    """Every model, but for those that are another's with other numbers, has one, made by a recipe of that model, with
    the figures that were measured of it beside."""
    table, recipes = TABLES["model pictures"], find([CONFIG_DIR])
    assert set(table.names) == set(choices("model")) - set(variants()) - WITHOUT_RECIPE
    assert not WITHOUT_RECIPE & set(choices("experiment"))
    for name, row in table.by_name.items():
        (recipe,) = spans(row["recipe"])
        model = chosen("experiment", recipe)["model"]
        assert variants().get(model, model) == name
        assert row["measured"] == ", ".join(band.measured for band in recipes[recipe].bands), where("model", name)
        assert recipes[recipe].bands, f"configs/experiment/{recipe}.yaml: expected"
        assert f"models/{name}.png" in row[table.columns[-1]]


@pytest.mark.parametrize("name", listed("experiment"))
def test_recipes_end_inside_of_their_band_where_they_were_measured(name: str) -> None:
    """And a band says something: what was measured lies within it."""
    for band in find([CONFIG_DIR])[name].bands:
        assert band.value is not None
        assert band.holds(band.value), f"configs/experiment/{name}.yaml: {band.measured}, where {band} is expected"


def test_ablation() -> None:
    assert set(TABLES["ablation"].names) <= {"none", *choices("technique")}


@pytest.mark.parametrize("name", listed("technique"))
def test_settings_of_techniques(name: str) -> None:
    """The keys that a row names are there once the technique is chosen; `.dims` is one beside that before it."""
    config = composed("model=wgan_gp_resnet", "loss=non_saturating", f"+technique=[{name}]")
    above = ""
    for key in (span.split("=")[0] for span in spans(TABLES["technique"].by_name[name]["settings"])):
        whole = above + key if key.startswith(".") else key
        above = whole.rpartition(".")[0]
        node: Any = config
        for part in whole.split("."):
            assert part in node, f"{where('technique', name)}: {whole} is no key of it"
            node = node[part]


def test_every_room_is_listed() -> None:
    rooms = {path.parent.name: path for path in Path(gan_lab.__file__).parent.glob("*/__init__.py")}
    table = TABLES["rooms"]
    missing = [f"| [`{name}`]({name}) | {summary(rooms[name])} |" for name in sorted(rooms.keys() - set(table.names))]
    assert not missing, f"{shown(table.file)}, The rooms: add\n" + "\n".join(missing)
    assert set(table.names) <= rooms.keys()


def summary(path: Path) -> str:
    found = re.match(r'"""(.*?)(?:\.\s|"""|$)', path.read_text(), re.DOTALL)
    return "" if found is None else found.group(1)
