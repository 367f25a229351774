"""Commands that can be pasted, and a terminal that has fewer characters than we."""

from __future__ import annotations

import shlex
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from gan_lab.command_line.console import command, dashboard, require_folder
from gan_lab.errors import ConfigError
from tests.conftest import TINY

Cli = Callable[..., int]


@pytest.mark.parametrize("name", ["plain", "my run, 1", "it's", 'a"b', "$HOME", "a;b", "(x)", "ä*"])
def test_a_command_is_one_for_the_shell(name: str) -> None:
    words = ["gan-lab", "train", f"resume={name}", "seed=1"]
    assert shlex.split(command("train", f"resume={name}", "seed=1")) == words
    assert shlex.split(dashboard(Path(name))) == ["tensorboard", "--logdir", name]


def printed_commands(out: str) -> list[list[str]]:
    """The words of every command that was printed behind its label."""
    lines = [line.split(maxsplit=1)[1] for line in out.splitlines() if line.startswith(("more ", "dashboard "))]
    ahead = [line.removeprefix("go on").strip() for line in out.splitlines() if line.startswith("go on ")]
    return [shlex.split(line) for line in (*lines, *ahead)]


def test_what_a_run_prints_can_be_pasted(gan_lab: Cli, here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A folder with a space, a comma and a quote; a folder of configs that the model comes from."""
    (here / "my configs" / "trainer").mkdir(parents=True)
    (here / "my configs" / "trainer" / "short.yaml").write_text("defaults: [debug]\nmax_steps: 1\n")
    own = ("--config-dir", "my configs")
    run = ("model=gan_small", "trainer=short", "trainer.batch_size=4")
    assert gan_lab("train", *run, *own, 'hydra.run.dir="my run, it\'s 1"') == 0
    board, more, ahead = printed_commands(capsys.readouterr().out)
    assert board == ["tensorboard", "--logdir", "my run, it's 1"]
    assert more == ["gan-lab", "sample", "run=my run, it's 1", "n=64"]
    assert ahead[:3] == ["gan-lab", "train", "resume=my run, it's 1"]
    assert ahead[-1].startswith("--config-dir=")
    assert gan_lab(*ahead[1:]) == 0
    assert gan_lab("train", *run, *own, 'hydra.run.dir="my run, it\'s 1"') == 2
    assert shlex.quote("resume=my run, it's 1") in capsys.readouterr().err
    assert gan_lab(*more[1:-1], "n=2") == 0


def test_a_terminal_of_ascii_ends_no_command(here: Path) -> None:
    """What it cannot show is escaped, on both streams, and the log has it whole."""
    program = (
        "import sys, io\n"
        "sys.stdout = io.TextIOWrapper(sys.stdout.buffer, encoding='ascii')\n"
        "sys.stderr = io.TextIOWrapper(sys.stderr.buffer, encoding='ascii')\n"
        "from gan_lab.cli import main\n"
        "print('before')\n"
        "code = main(sys.argv[1:])\n"
        "print('\\u2026')\n"
        "sys.exit(code)"
    )
    words = ("train", *TINY, "model=gan_small", "hydra.run.dir='größe…'", "metrics=[]", "callbacks.metrics.every=0")
    ended = subprocess.run([sys.executable, "-c", program, *words], capture_output=True)
    assert ended.returncode == 0, ended.stderr
    assert rb"gr\xf6\xdfe\u2026" in ended.stdout
    assert ended.stdout.strip().endswith(rb"\u2026")
    assert "größe…" in (here / "größe…" / "train.log").read_text(encoding="utf-8")
    ended = subprocess.run([sys.executable, "-c", program, "trän"], capture_output=True)
    assert (ended.returncode, ended.stderr.count(b"\n")) == (2, 1)
    assert rb"unknown verb tr\xe4n" in ended.stderr


def test_a_file_is_no_folder(here: Path) -> None:
    Path("note.txt").write_text("")
    for folder in (Path("note.txt"), Path("note.txt/below/it"), here / "note.txt"):
        with pytest.raises(ConfigError, match=r"^out: .*note\.txt is a file; name a folder$"):
            require_folder("out", folder)
    for folder in (here, Path("new"), Path("new/below")):
        assert require_folder("out", folder) == folder
    assert not Path("new").exists()
