"""The command as a user meets it: verbs, help pages, flags, start-up without torch."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml

import gan_lab as package
from gan_lab.cli import main
from gan_lab.command_line.verbs import MEANT, SAID, VERBS
from gan_lab.config import CONFIG_DIR

Call = Callable[..., tuple[int, str, str]]

ACTIONS = "pack, list, inspect, remove"


@pytest.fixture
def call(here: Path, logging_as_before: None, capsys: pytest.CaptureFixture[str]) -> Call:
    """`call("train", "--help")` -> exit code, stdout, stderr, from an empty folder."""

    def run(*words: str) -> tuple[int, str, str]:
        code = main(words)
        said = capsys.readouterr()
        return code, said.out, said.err

    return run


def python(code: str, **environment: str) -> subprocess.CompletedProcess[str]:
    env = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[1]), **environment}
    return subprocess.run([sys.executable, "-c", code], env=env, capture_output=True, text=True, timeout=60)


@pytest.mark.parametrize("words", [(), ("--help",), ("-h",)])
def test_the_verbs_are_listed(call: Call, words: tuple[str, ...]) -> None:
    code, out, err = call(*words)
    assert (code, err) == (0, "")
    for verb, summary in (("train", "train a GAN"), ("sample", "images"), ("data", "pack"), ("runs", "a table")):
        assert re.search(rf"^  {verb} +{summary}", out, re.MULTILINE)
    assert "gan-lab train model=dcgan" in out


def test_the_version(call: Call) -> None:
    assert call("--version") == (0, f"gan-lab {package.__version__}\n", "")
    assert call("train", "--version") == (0, f"gan-lab {package.__version__}\n", "")


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["trian"], "gan-lab: unknown verb trian; nearest: train"),
        (["zzz"], "gan-lab: unknown verb zzz; the verbs: " + ", ".join(VERBS)),
        (
            ["model=gan"],
            "gan-lab: the verb comes first, e.g. gan-lab train model=gan; the verbs: " + ", ".join(VERBS),
        ),
        (["train", "--multrun"], "gan-lab: there is no flag --multrun; nearest: --multirun"),
        (
            ["generate"],
            "gan-lab: unknown verb generate; the verb is sample: gan-lab sample run=outputs/dcgan-digits/RUN",
        ),
        (
            ["Predict", "n=4"],
            "gan-lab: unknown verb Predict; the verb is sample: gan-lab sample run=outputs/dcgan-digits/RUN",
        ),
        (["fit"], "gan-lab: unknown verb fit; the verb is train: gan-lab train"),
        (["pack"], "gan-lab: unknown verb pack; the verb is data: gan-lab data pack"),
        (["datasets"], "gan-lab: unknown verb datasets; the verb is data: gan-lab data list"),
        (["sweep"], "gan-lab: unknown verb sweep; a sweep is a training with -m: gan-lab train -m seed=0,1,2"),
        (["help", "trian"], "gan-lab: unknown verb trian; nearest: train"),
        (["data"], "gan-lab data: which action? " + ACTIONS),
        (["data", "dataset=mnist"], "gan-lab data: which action? " + ACTIONS),
        (["data", "pakc"], "gan-lab data: unknown action pakc; nearest: pack\n  actions: pack, list, inspect, remove"),
        (
            ["data", "action=pakc"],
            "gan-lab data: unknown action pakc; nearest: pack\n  actions: pack, list, inspect, remove",
        ),
    ],
)
def test_a_misspelt_verb_flag_or_action(call: Call, words: list[str], message: str) -> None:
    assert call(*words) == (2, "", f"{message}\n")


def test_help_of_train_lists_every_group_with_its_choices(call: Call) -> None:
    code, out, err = call("train", "--help")
    assert (code, err) == (0, "")
    flat = " ".join(out.split())
    for folder in CONFIG_DIR.iterdir():
        choices = sorted(path.stem for path in folder.glob("*.yaml")) if folder.is_dir() else []
        if choices and folder.name not in VERBS["train"].without:
            assert f" {folder.name} {', '.join(choices)}" in flat
    for key in ("seed", "device", "trainer.max_steps", "optimizer.generator.lr", "dataset.path", "hydra.run.dir"):
        assert f"\n  {key} " in out
    assert "job_logging" not in out
    assert all(len(line) <= 120 for line in out.splitlines())


def test_words_for_help_and_for_the_version(call: Call) -> None:
    assert call("help") == call()
    assert call("help", "sample") == call("sample", "help") == call("sample", "--help")
    assert call("version") == call("--version")


def test_summaries_stand_in_a_column_behind_the_verbs(call: Call) -> None:
    listed = call("--help")[1].partition("verbs:\n")[2].partition("\n\n")[0].splitlines()
    assert [line.split()[0] for line in listed] == list(VERBS)
    assert len({line.index(VERBS[line.split()[0]].summary) for line in listed}) == 1
    assert all(line.split(maxsplit=1)[1] == VERBS[line.split()[0]].summary for line in listed)


def test_a_first_word_means_one_verb() -> None:
    words = [word for meant in MEANT.values() for word in meant.split()]
    assert len(words) == len(set(words))
    assert MEANT.keys() <= VERBS.keys()
    assert not {*words, *SAID} & VERBS.keys()


@pytest.mark.parametrize("verb", ["train", "tune", "bench", "ablate"])
@pytest.mark.parametrize("key", ["model", "dataset", "seed", "trainer"])
def test_what_no_training_can_do_without(call: Call, here: Path, verb: str, key: str) -> None:
    code, _, err = call(verb, f"~{key}")
    assert (code, err.count("\n")) == (2, 1)
    assert f"gan-lab {verb}: {key} is missing, no training can do without it: leave out ~{key}" in err
    assert not list(here.iterdir())


@pytest.mark.parametrize("verb", VERBS)
def test_every_verb_has_help(call: Call, verb: str) -> None:
    code, out, err = call(verb, "--help")
    assert (code, err) == (0, "")
    assert out.startswith(f"gan-lab {verb}: ")
    assert "$" not in out


@pytest.mark.parametrize("verb", ["sample", "translate", "upscale", "data", "runs", "doctor"])
def test_help_of_the_other_verbs_lists_their_keys(call: Call, verb: str) -> None:
    _, out, _ = call(verb, "-h")
    keys = yaml.safe_load((CONFIG_DIR / f"{verb}.yaml").read_text()).keys() - {"defaults", "hydra", "action"}
    for key in keys:
        assert f"\n  {key} " in out
    assert "groups" not in out


def test_keys_that_the_help_of_train_names_are_there(call: Call) -> None:
    from omegaconf import OmegaConf

    cfg = OmegaConf.create(call("train", "--cfg", "job")[1])
    named = call("train", "--help")[1].partition("keys (")[2].partition("flags:")[0].splitlines()[1:]
    keys = [line.split()[0] for line in named if line.strip()]
    missing = [key for key in keys if key[0] not in "+" and "/" not in key and not key.startswith("hydra")]
    assert [key for key in missing if OmegaConf.select(cfg, key, default=cfg) is cfg] == []


@pytest.mark.parametrize(
    "words",
    [
        ("train", "model=gan", "--cfg", "job", "seed=7"),
        ("--cfg=job", "train", "model=gan", "seed=7"),
        ("train", "seed=7", "model=gan", "-c", "job"),
    ],
)
def test_flags_stand_anywhere(call: Call, here: Path, words: tuple[str, ...]) -> None:
    code, out, err = call(*words)
    cfg = yaml.safe_load(out)
    assert (code, err, cfg["seed"]) == (0, "", 7)
    assert "hydra" not in cfg
    assert list(here.iterdir()) == []


def test_hydra_information(call: Call, here: Path) -> None:
    (here / "my").mkdir()
    code, out, _ = call("train", "--info", "searchpath", "--config-dir", "my")
    assert code == 0
    assert str(CONFIG_DIR) in out
    assert str(here / "my") in out


def test_the_primary_config_says_what_each_key_is() -> None:
    for verb in ("train", "sample", "data"):
        lines = (CONFIG_DIR / f"{verb}.yaml").read_text().split("\nhydra:")[0].splitlines()
        keys = [line for line in lines if line[:1].isalpha() and not line.startswith("defaults:")]
        assert [line for line in keys if " # " not in line] == []
    defaults = yaml.safe_load((CONFIG_DIR / "train.yaml").read_text())["defaults"]
    assert defaults[0] == "_self_"


WITHOUT_TORCH = """
import sys
from gan_lab.cli import main
code = main({words!r})
heavy = {{"torch", "numpy", "torchvision"}} | ({{"hydra"}} if {light} else set())
bad = sorted(heavy & set(sys.modules))
sys.exit(code or (f"imported {{bad}}" if bad else 0))
"""


@pytest.mark.parametrize(
    ("words", "line", "light"),
    [
        (["--help"], "", True),
        (["train", "--help"], "", True),
        (["train", "--cfg", "job"], "", False),
        (["train", "--info", "defaults"], "", False),
        (["--complete"], "gan-lab train model=", True),
        (["--complete"], "gan-lab train trainer.", False),
        (["--install-completion", "bash"], "", True),
    ],
)
def test_help_and_completion_import_no_torch(words: list[str], line: str, light: bool) -> None:
    done = python(WITHOUT_TORCH.format(words=words, light=light), COMP_LINE=line)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout


def test_a_misspelt_choice_imports_no_torch() -> None:
    done = python(WITHOUT_TORCH.format(words=["train", "model=dcgna"], light=False))
    assert done.returncode == 2
    assert done.stderr.startswith("gan-lab train: unknown model=dcgna; nearest: dcgan\n")


LEFT = """
import sys, types
sys.stdin.read()
task = types.ModuleType("task")
task.main = lambda cfg: [print("a line of a long list") for _ in range(3000)]
sys.modules["gan_lab.verbs.data"] = task
from gan_lab.cli import main
sys.exit(main(sys.argv[1:]))
"""


@pytest.mark.parametrize(
    "words", [["--help"], ["train", "--help"], ["train", "--cfg", "all"], ["train", "--info"], ["data", "list"]]
)
def test_a_reader_that_leaves_is_no_error(words: list[str]) -> None:
    env = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[1])}
    pipe = subprocess.PIPE
    with subprocess.Popen(
        [sys.executable, "-c", LEFT, *words], env=env, stdin=pipe, stdout=pipe, stderr=pipe
    ) as process:
        assert process.stdin
        assert process.stdout
        assert process.stderr
        process.stdout.close()  # before a word is written
        process.stdin.close()
        assert process.stderr.read() == b""
        assert process.wait(60) == 0


def test_the_module_is_the_command() -> None:
    code = "import runpy, sys; sys.argv = ['gan-lab', 'trian']; runpy.run_module('gan_lab', run_name='__main__')"
    done = python(code)
    assert (done.returncode, done.stderr) == (2, "gan-lab: unknown verb trian; nearest: train\n")
