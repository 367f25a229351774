"""Tab completion: what is offered where, and that a real shell inserts it."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from gan_lab.command_line.completion import candidates, script
from gan_lab.command_line.verbs import VERBS
from gan_lab.errors import ConfigError

MODELS = ["dcgan", "gan", "wgan_gp"]


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("gan-lab ", sorted(VERBS)),
        ("gan-lab tr", ["train", "translate"]),
        ("gan-lab -m tr", ["train", "translate"]),
        ("gan-lab --vers", ["--version"]),
        ("gan-lab data ", ["inspect", "list", "pack", "remove"]),
        ("gan-lab data pack dataset=", ["dataset=digits", "dataset=folder"]),
        ("gan-lab train --cf", ["--cfg"]),
        ("gan-lab train --cfg ", ["all", "hydra", "job"]),
        ("gan-lab train --info se", ["searchpath"]),
        ("gan-lab train mod", ["model.", "model="]),
        ("gan-lab train model=", [f"model={name}" for name in MODELS]),
        ("gan-lab train -m model=gan,", [f"model=gan,{name}" for name in MODELS]),
        ("gan-lab train loss/", ["loss/regularizers="]),
        ("gan-lab train loss/regularizers=[r1,", ["loss/regularizers=[r1,r1", "loss/regularizers=[r1,r2"]),
        ("gan-lab train techn", ["technique="]),
        ("gan-lab train technique=", ["technique=blur", "technique=noise"]),
        ("gan-lab train technique=[blur,", ["technique=[blur,blur", "technique=[blur,noise"]),
        ("gan-lab train +technique=n", ["+technique=noise"]),
        ("gan-lab train technique=blur augmentation.", ["augmentation._target_=", "augmentation.blur="]),
        ("gan-lab runs so", ["sort="]),
        ("gan-lab train trainer.", ["trainer.log_every=", "trainer.max_steps="]),
        ("gan-lab train model=gan model.generator.", ["model.generator.width="]),
        ("gan-lab train optimizer.gen", ["optimizer.generator."]),
        ("gan-lab train seed=", ["seed=0"]),
        ("gan-lab train resume_force=", ["resume_force=false", "resume_force=true"]),
        ("gan-lab train hydra.run.", ["hydra.run.dir="]),
        ("gan-lab sample ru", ["run="]),
        ("gan-lab nonsense ", []),
        ("gan-lab train --nonsense mod", []),
    ],
)
def test_what_is_offered(configs: Path, line: str, expected: list[str]) -> None:
    assert candidates({"COMP_LINE": line}) == expected


def test_hydras_own_keys_stay_out_of_the_way(configs: Path) -> None:
    assert not [word for word in candidates({"COMP_LINE": "gan-lab train "}) if "hydra" in word]


def test_paths(configs: Path) -> None:
    Path("outputs/dcgan").mkdir(parents=True)
    Path("outs.zip").write_text("")
    assert candidates({"COMP_LINE": "gan-lab train resume=ou"}) == ["resume=outputs/", "resume=outs.zip"]
    assert candidates({"COMP_LINE": "gan-lab sample run=outputs/"}) == ["run=outputs/dcgan/"]
    assert candidates({"COMP_LINE": "gan-lab train --config-dir ou"}) == ["outputs/"]
    assert candidates({"COMP_LINE": "gan-lab train resume=nowhere/x"}) == []


def test_choices_of_the_users_own_folder(configs: Path) -> None:
    Path("own/model").mkdir(parents=True)
    Path("own/model/mine.yaml").write_text("depth: 3\n")
    assert candidates({"COMP_LINE": "gan-lab train --config-dir own model=m"}) == ["model=mine"]
    line = "gan-lab train model=mine --config-dir own model."
    assert candidates({"COMP_LINE": line}) == ["model.depth="]


def test_the_shell_is_guessed_or_named() -> None:
    assert script("guess", {"SHELL": "/usr/bin/fish"}) == script("fish")
    assert len({script(shell) for shell in ("bash", "zsh", "fish")}) == 3
    with pytest.raises(ConfigError, match="name the shell"):
        script("guess", {"SHELL": "/bin/csh"})


SHELLS = {
    "bash": """
        t() { COMP_LINE="$1"; COMP_POINT=${#1}; _gan_lab gan-lab; printf '<%s>' "${COMPREPLY[@]}"; echo; }
        eval "$(gan-lab --install-completion bash)"; complete -p gan-lab >/dev/null || echo unregistered
        t 'gan-lab trai'; t 'gan-lab data pa'; t 'gan-lab train model=dcg'; t 'gan-lab train --cf'; t 'gan-lab none '
    """,
    "fish": """
        gan-lab --install-completion fish | source
        for line in 'gan-lab trai' 'gan-lab data pa' 'gan-lab train model=dcg' 'gan-lab train --cf'
            echo '<'(complete -C $line)'>'
        end
    """,
}
EXPECTED = {
    "bash": ["<train >", "<pack >", "<dcgan>", "<--cfg >", "<>"],
    "fish": ["<train>", "<pack>", "<model=dcgan>", "<--cfg>"],
}


@pytest.mark.parametrize("shell", ["bash", "fish"])
def test_a_real_shell_inserts_it(tmp_path: Path, shell: str) -> None:
    if os.name == "nt" or not (program := shutil.which(shell)):
        pytest.skip(f"no {shell} here")
    command = tmp_path / "gan-lab"
    root = Path(__file__).parents[2]
    command.write_text(f'#!/bin/sh\nPYTHONPATH="{root}" exec "{sys.executable}" -m gan_lab "$@"\n')
    command.chmod(0o755)
    environment = {**os.environ, "PATH": f"{tmp_path}{os.pathsep}{os.environ['PATH']}", "HOME": str(tmp_path)}
    done = subprocess.run(
        [program, "-c", SHELLS[shell]], env=environment, capture_output=True, text=True, timeout=60, check=True
    )
    assert done.stdout.split("\n")[:-1] == EXPECTED[shell], done.stderr
