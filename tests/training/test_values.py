"""Odd values of every kind: one line that names the key, before torch is imported, and nothing on the disk."""

from __future__ import annotations

import functools
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from gan_lab.command_line.overrides import PATH_KEYS
from gan_lab.command_line.verbs import VERBS
from gan_lab.config import CONFIG_DIR
from gan_lab.engine.switches import SWITCHES
from gan_lab.errors import ConfigError
from gan_lab.train import check_statistics
from gan_lab.training.values import NUMBERS, WHOLE, check_argument, check_settings
from tests.compose import choices, composed, tiny_run

REFUSED = {
    "seed": (["abc", -1, 10**29, 1.5, True, None, [1]], "is not a whole number from 0 to 4294967295"),
    "trainer.batch_size": ([0, -4, "four", None, True], "is not a whole number of at least 1, or auto"),
    "trainer.max_steps": ([1e3], "1000.0 is not a whole number of at least 1; write 1000"),
    "trainer.accumulation": ([3], "3 does not divide trainer.batch_size=64"),
    "trainer.log_every": ([-1], "-1 is not a whole number of at least 0"),
    "trainer": ([{"_target_": "gan_lab.training.plan.Plan", "speed": 1}], "unexpected keyword argument 'speed'"),
    "dataset.image_shape": (
        [64, [64, 64], [1, 16, 0], [1, 16.5, 16], "big", [], ["x", 16, 16]],
        r"\[channels, height, width\] with",
    ),
    "dataset.flip": (["maybe", 1], "is neither true nor false"),
    "dataset.max_corrupt": ([-1, "x"], "is not a whole number of at least 0"),
    "optimizer.generator.lr": (["fast", None, True, [1e-3], float("inf"), float("nan")], "is not a number"),
    "optimizer.generator.betas": ([[0.5], [0.5, 0.9, 0.9], 0.5, []], r"is not two numbers, e.g. \[0.5,0.999\]"),
    "optimizer.discriminator.betas": ([[0.5, 1.0]], "1.0 must be below 1"),
    "optimizer.generator.eps": ([-1], "-1 must be at least 0"),
    "model.generator.width": ([0, 1.5, "wide", True, [8]], "is not a whole number of at least 1"),
    "model.generator": ([None, 3], "is not a component"),
    "loss.adversarial": ([None, [1]], "is not a component"),
    "loss.adversarial_from": ([-1, 0.5], "is not a whole number of at least 0"),
    "wrappers": ([3, "x"], "is not a mapping of components"),
    "schedules": ([[1]], "is not a mapping of components"),
    "algorithm.latent.dim": ([0, "x"], "is not a whole number of at least 1"),
    "algorithm.ema.decay": ([-0.1, float("nan")], "must be at least 0|is not a number"),
    "callbacks.metrics.every": ([-1, "often"], "is not a whole number of at least 0"),
    "device": (["tpu", 3, ["cpu"], None], "is not one of auto, cpu, cuda, cuda:1, mps$"),
    "precision": (["fp16", 16], "is not one of auto, fp32, bf16"),
    "engine.threads": ([0, "two", 1.5, 10**29], "is not a whole number of at least 1, or null|is too large"),
    "engine.compile": (["maybe"], "is not one of auto, off, on"),
    "trust": (["my_models"], r"is not a list of modules, e.g. trust=\[my_models\]"),
    "objective": ([["fid"], 3, None], "is not a name"),
    "resume_force": (["yes"], "is neither true nor false"),
}


@pytest.mark.parametrize(("key", "value"), [(key, value) for key, (values, _) in REFUSED.items() for value in values])
def test_refused(key: str, value: Any) -> None:
    with pytest.raises(ConfigError, match=f"^{key}.*({REFUSED[key][1]})"):
        check_settings(changed(composed(), key, value))


def changed(config: dict[str, Any], key: str, value: Any) -> dict[str, Any]:
    *parents, last = key.split(".")
    node = config
    for parent in parents:
        node = node[parent]
    node[last] = value
    return config


@pytest.mark.parametrize("device", ["gpu:2", "CUDA2", "cuda 2", "GPU-2", "nvidia:2"])
def test_what_is_typed_for_cuda(device: str) -> None:
    with pytest.raises(ConfigError, match="write device=cuda:2$"):
        check_settings({"device": device})


@pytest.mark.parametrize("model", choices("model"))
def test_what_the_configs_hold_is_taken(model: str) -> None:
    check_settings(composed(f"model={model}"))


@pytest.mark.parametrize(
    "words",
    [
        ["trainer.batch_size=auto", "trainer.accumulation=auto"],
        ["dataset.image_shape=auto", "dataset=folder"],
        ["dataset=ring", "model=points"],
        ["optimizer.generator.lr=0", "optimizer.generator.betas=[0,0.9]", "seed=4294967295", "device=cuda:1"],
        ["callbacks=[]", "metrics=[]", "logger=[]", "+callbacks.x=null"],
        *([f"augmentation={name}"] for name in choices("augmentation")),
        ["+technique=[lecam,packing,top_k,several_discriminators,minibatch_discrimination]"],
    ],
)
def test_what_is_right_is_taken(words: list[str]) -> None:
    check_settings(composed(*words))


ZERO = {
    *("attention", "begin", "blocks", "depth", "every", "fade_images", "group", "line_every", "max_corrupt", "pixels"),
    *("shared_dim", "unroll_steps"),
}


@pytest.mark.parametrize("name", sorted({*WHOLE, *NUMBERS}))
def test_the_least_value_is_taken_and_nothing_below(name: str) -> None:
    """Of numbers that is 0 (a weight may be negative); of whole ones 1, where a part can be left out 0."""
    take = functools.partial(check_argument, f"a.{name}", "gan_lab.x.Y", name)
    if name in NUMBERS:
        least, below = 0.0, -1e-9
    else:
        least = 2 if name == "subset_size" else int(name not in ZERO)
        below = least - 1
    take(least)
    if name == "weight":
        take(-1.0)
        return
    with pytest.raises(ConfigError, match=f"^a.{name}: "):
        take(below)


def test_nothing_is_supposed_of_other_peoples_components() -> None:
    theirs = {"_target_": "my_models.Net", "width": "wide", "lr": None, "betas": 3}
    check_settings(changed(composed(), "model.generator", theirs))


@pytest.mark.parametrize("verb", ["train", "bench", "ablate", "tune"])
def test_said_before_torch_is_there_and_without_a_trace(verb: str, here: Path) -> None:
    """In a process of its own, where nothing has imported torch yet."""
    words = ["seed=abc"] if verb in ("ablate", "tune") else ["dataset.image_shape=64"]
    program = (
        "import sys; from gan_lab.cli import main; code = main(sys.argv[1:]); "
        "assert 'torch' not in sys.modules; exit(code)"
    )
    ended = subprocess.run([sys.executable, "-c", program, verb, *words], capture_output=True, text=True)
    assert (ended.returncode, ended.stderr.count("\n")) == (2, 1), ended.stderr
    assert words[0].partition("=")[0] in ended.stderr
    assert not list(here.iterdir())


def test_every_position_of_a_switch_can_be_typed() -> None:
    for name, known in SWITCHES.items():
        assert composed()["engine"][name] == known[0]
        for position in known:
            check_settings(composed("model=gan_small", f"engine.{name}={str(position).lower()}"))


@pytest.mark.parametrize(
    ("word", "said"),
    [
        ("engine.tf32=no", "engine.tf32: 'no' is not one of auto, off, on"),
        ("engine.deterministic=perhaps", "engine.deterministic: 'perhaps' is not one of false, true"),
        ("trainer.max_steps=0", "trainer.max_steps: 0 is not"),
        ("optimizer.generator.lr=null", "optimizer.generator.lr: None is not a number"),
        ("engine.capture=on", "engine.capture: 'on' is not"),
        ("dataset.fit=zoom", "dataset.fit=zoom: choose"),  # by the component itself
        ("optimizer.generator=null", "generator.lr"),
    ],
)
def test_nothing_is_left_of_what_is_refused(
    gan_lab: Callable[..., int], here: Path, capsys: pytest.CaptureFixture[str], word: str, said: str
) -> None:
    assert gan_lab("train", "model=gan_small", "trainer=debug", word) == 2
    err = capsys.readouterr().err
    assert said in err
    assert err.count("\n") == 1
    assert not list(here.iterdir())


@pytest.mark.parametrize(
    ("key", "words"),
    [
        ("trainer.batch_size", ["trainer.batch_size=1"]),
        ("trainer.accumulation", ["trainer.batch_size=8", "trainer.accumulation=8"]),
    ],
)
def test_batches_of_one_under_batch_normalization(
    gan_lab: Callable[..., int], here: Path, capsys: pytest.CaptureFixture[str], key: str, words: list[str]
) -> None:
    assert gan_lab("train", "trainer=debug", "model=gan", *words) == 2
    assert f"gan-lab train: {key}: BatchNorm has no statistics of a piece of one image" in capsys.readouterr().err
    assert not list(here.iterdir())


def test_maps_of_several_pixels_have_statistics_of_one_image(tmp_path: Path) -> None:
    check_statistics(tiny_run(tmp_path, "model=dcgan", "trainer.batch_size=1"))


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["sample", "~n", "run=x"], "n is missing, gan-lab sample cannot do without it: leave out ~n"),
        (["evaluate", "~n", "run=x"], "n is missing, gan-lab evaluate cannot do without it: leave out ~n"),
        (["evaluate", "run=x", "seed=abc"], "seed: 'abc' is not a whole number"),
        (["evaluate", "run=x", "trust=mine"], "trust: 'mine' is not a list of modules, e.g. trust=[mine]"),
        (["sample", "run=x", "device=gpu"], "write device=cuda"),
        (["doctor", "precision=fp8"], "precision: 'fp8' is not one of"),
        (["tune", "sampler=x"], "sampler: 'x' is not a component"),
        (["bench", "resume=x"], "resume: a benchmark plays fresh networks"),
        (["compare", "runs=3"], "runs: name two or more"),
        (["compare", "runs=true"], "runs: name two or more"),
        (["tune", "baseline=3"], "baseline: 3 is neither true nor false"),
        (["ablate", "seeds=99999999999999999999"], "seeds: 99999999999999999999 is too large"),
        (["ablate", "seeds=[4294967296]"], "seeds: [4294967296] is neither"),
        (["ablate", "seeds=2", "seed=4294967295"], "seed: 4294967296 is not"),
        (["data", "list", "stores=3"], "stores: 3 is not a list of names, e.g. stores=[3]"),
        (["data", "remove", "stores={a: 1}"], "stores={a: 1}"),
        (["evaluate", "run=x", "inputs=3"], "inputs: 3 is not a name"),
        (["evaluate", "run=x", "dataset=3"], "gan-lab evaluate: dataset has no choices here, but keys: dataset.path, "),
        (["reproduce", "gan", "dataset=digits"], "dataset has no choices here, but keys: dataset.path"),
        (["runs", "folder=true"], "folder: True is not a path"),
    ],
)
def test_other_verbs(
    gan_lab: Callable[..., int], here: Path, capsys: pytest.CaptureFixture[str], words: list[str], said: str
) -> None:
    assert gan_lab(*words) == 2
    err = capsys.readouterr().err
    assert said in err
    assert err.count("\n") == 1
    assert not list(here.iterdir())


def is_switch(key: str, value: Any) -> bool:
    return isinstance(value, bool)


def is_open(key: str, value: Any) -> bool:
    return bool(value == "???")


def is_path(key: str, value: Any) -> bool:
    return key in PATH_KEYS and key != "resume"  # which is looked for before


def own_keys(odd: Callable[[str, Any], bool]) -> list[tuple[str, str]]:
    """`(verb, key)` of every key at the top of a verb's configuration that is of some kind."""
    found = {verb: yaml.safe_load((CONFIG_DIR / f"{verb}.yaml").read_text()) for verb in VERBS}
    return [(verb, key) for verb, node in found.items() for key, value in node.items() if odd(key, value)]


@pytest.mark.parametrize(
    ("verb", "word", "said"),
    [
        *((verb, f"{key}=maybe", "'maybe' is neither true nor false") for verb, key in own_keys(is_switch)),
        *((verb, f"{key}=[a]", "['a'] is not a path") for verb, key in own_keys(is_path)),
    ],
)
def test_switches_and_paths_of_every_verb(
    gan_lab: Callable[..., int], here: Path, capsys: pytest.CaptureFixture[str], verb: str, word: str, said: str
) -> None:
    """Found in the configurations: a new one has to be judged, too."""
    action = VERBS[verb].actions[:1]
    needed = [
        f"{key}=x" for each, key in own_keys(is_open) if each == verb and key not in ("action", word.split("=")[0])
    ]
    assert gan_lab(verb, *action, *needed, word) == 2
    assert capsys.readouterr().err == f"gan-lab {verb}: {word.partition('=')[0]}: {said}\n"
    assert not list(here.iterdir())
