"""Building from configuration: what is built, what is said when it cannot be, and what stored data may not name."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytest
import torch
from omegaconf import OmegaConf

from gan_lab.config import CONFIG_DIR, build, check_targets, leaves, require_whole, targets
from gan_lab.errors import ConfigError

LINEAR = {"_target_": "torch.nn.Linear", "in_features": 3, "out_features": 2}


def test_the_configs_are_found() -> None:
    assert (CONFIG_DIR / "train.yaml").is_file()


def test_build_takes_plain_and_composed_nodes_and_what_is_given() -> None:
    for node in (LINEAR, OmegaConf.create(LINEAR)):
        layer = build(node, "model.generator", bias=False)
        assert isinstance(layer, torch.nn.Linear)
        assert layer.weight.shape == (2, 3)
        assert layer.bias is None


def test_containers_reach_the_class_as_plain_python() -> None:
    node = OmegaConf.create({"_target_": "types.SimpleNamespace", "shape": [1, 2], "map": {"a": [3]}})
    built = build(node)
    assert type(built.shape) is list
    assert type(built.map) is dict
    assert type(built.map["a"]) is list


def test_a_partial_waits_for_the_rest() -> None:
    weights = [torch.zeros(2, requires_grad=True)]
    factory = build({"_target_": "torch.optim.SGD", "_partial_": True, "lr": 0.5}, "optimizer.generator")
    assert factory(weights).param_groups[0]["lr"] == 0.5


def test_what_is_inside_is_built_first_and_references_are_followed() -> None:
    cfg = OmegaConf.create({"width": 3, "model": {"_target_": "torch.nn.Sequential", "_args_": [LINEAR]}})
    cfg.model._args_[0].out_features = "${width}"
    assert build(cfg.model)[0].out_features == 3


def test_a_module_of_the_working_directory_is_a_target(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "own_module_of_a_test.py").write_text("class Net:\n    def __init__(self, width): self.width = width\n")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", list(sys.path))
    assert build({"_target_": "own_module_of_a_test.Net", "width": 4}).width == 4


@pytest.mark.parametrize(
    ("node", "message"),
    [
        ({"width": 3}, "model: has no _target_"),
        (None, "model: has no _target_"),
        ({"_target_": "torch.nn.Linaer"}, r"^model: Error locating target 'torch\.nn\.Linaer'.*Linaer"),
        ({"_target_": "no_such_module.Net"}, r"^model: .*no_such_module"),
        ({**LINEAR, "widht": 3}, r"^model \(torch\.nn\.Linear\): .*widht"),
        ({"_target_": "torch.nn.Linear"}, r"^model \(torch\.nn\.Linear\): .*in_features"),
        ({"_target_": "torch.nn.Sequential", "_args_": [{"_target_": "torch.nn.Linaer"}]}, "Linaer.*_args_"),
        ({"_target_": "os.system", "command": "true"}, "^model: "),
    ],
)
def test_a_failure_is_one_line_that_names_the_key(node: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError, match=message) as error:
        build(node, "model")
    assert "\n" not in str(error.value)
    assert "HYDRA_FULL_ERROR" not in str(error.value)


def test_a_refusal_in_many_lines_is_said_in_one() -> None:
    with pytest.raises(ConfigError, match=r"^loss \(tests\.test_config\.Wordy\): first") as error:
        build({"_target_": "tests.test_config.Wordy"}, "loss")
    assert "\n" not in str(error.value)


class Wordy:
    def __init__(self) -> None:
        raise ValueError("first\nsecond")


def test_a_reference_that_leads_nowhere_is_a_config_error() -> None:
    cfg = OmegaConf.create({"model": {**LINEAR, "in_features": "${nope}"}})
    with pytest.raises(ConfigError, match="nope"):
        build(cfg.model, "model")


def test_targets_and_leaves_are_found_everywhere() -> None:
    tree = {"a": {"_target_": "x.Y", "b": [{"_target_": "z.W"}, 3]}, "c": [1, 2], "d": {}, "e": []}
    assert list(targets(tree)) == [("a", "x.Y"), ("a.b.0", "z.W")]
    assert dict(leaves(tree)) == {
        "a._target_": "x.Y",
        "a.b.0._target_": "z.W",
        "a.b.1": 3,
        "c": [1, 2],
        "d": {},
        "e": [],
    }


@pytest.mark.parametrize("target", ["torch.nn.Linear", "torch.optim.Adam", "gan_lab.errors.ConfigError"])
def test_our_own_and_torchs_classes_are_trusted(target: str) -> None:
    check_targets({"model": {"_target_": target}})
    with pytest.raises(ConfigError, match="model"):
        check_targets({"model": {"_target_": f"x{target}"}})


@pytest.mark.parametrize(
    "target",
    [
        "os.system",
        "torch.load",
        "torch.hub.load",
        "torch.nn.functional.os.system",
        "torch.nn.functional.relu",
        "gan_lab.config.os.system",
        "gan_lab.config.Path",
        "gan_lab.config.build",
        "gan_lab",
        "gan_labyrinth.Net",
        "torch.nn.NoSuchThing",
        "torch.nnx.Linear",
    ],
)
def test_nothing_else_is(target: str) -> None:
    with pytest.raises(ConfigError, match=r"stored config: a\.0 names") as error:
        check_targets({"a": [{"_target_": target}]})
    assert "\n" not in str(error.value)
    assert "trust=[" in str(error.value)


def test_what_is_not_trusted_is_not_imported(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "hostile_module_of_a_test.py").write_text("open('touched', 'w').close()\nclass Net: pass\n")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", list(sys.path))
    node = {"model": {"_target_": "hostile_module_of_a_test.Net"}}
    with pytest.raises(ConfigError):
        check_targets(node)
    assert not (tmp_path / "touched").exists()
    check_targets(node, trust=["hostile_module_of_a_test"])


@pytest.mark.parametrize(
    "tree",
    [
        {"a": "${oc.env:HOME}"},
        {"a": {"_target_": "${b}"}, "b": "os.system"},
        {"a": [1, {"b": "x${c}"}]},
        {"betas": ["${oc.env:HOME}", 0.9]},
        {"a": [["${oc.create:'{_target_: os.system}'}"]]},
    ],
)
def test_stored_references_are_refused(tree: dict[str, Any]) -> None:
    with pytest.raises(ConfigError, match="interpolation"):
        check_targets(tree)


@pytest.mark.parametrize("value", [0, -1, True, 1.5, "3", None])
def test_a_number_of_things(value: object) -> None:
    assert require_whole(2, "n") == 2
    with pytest.raises(ConfigError, match="n: .* is not a whole number of at least 1"):
        require_whole(value, "n")
