"""What Hydra refuses, in one or two lines with the nearest that is right; exit code 2."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

Call = Callable[..., tuple[int, str, str]]
CHOICES = "\n  choices: dcgan, gan, wgan_gp"


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["trainer.max_step=3"], "unknown key trainer.max_step; nearest: trainer.max_steps"),
        (["trainer={max_step: 3}"], "unknown key trainer.max_step; nearest: trainer.max_steps"),
        (["modle=dcgan"], "unknown key modle; nearest: model"),
        (["lr=3"], "unknown key lr; nearest: optimizer.generator.lr, optimizer.discriminator.lr"),
        (["max_stps=3"], "unknown key max_stps; nearest: trainer.max_steps"),
        (["model=gan", "model.generator.wdth=3"], "unknown key model.generator.wdth; nearest: model.generator.width"),
        (["los/regularizers=[r1]"], "unknown key los/regularizers; nearest: loss/regularizers"),
        (["hydra.run.dri=x"], "unknown key hydra.run.dri; nearest: hydra.run.dir"),
        (["~sed"], "unknown key sed; nearest: seed"),
        (["zzzzzz=1"], "unknown key zzzzzz; to add it: +zzzzzz=..."),
        (["~zzzzzz"], "unknown key zzzzzz; gan-lab train --help lists them"),
        (["model=dcgna"], f"unknown model=dcgna; nearest: dcgan{CHOICES}"),
        (["-m", "model=gan,dcgna"], f"unknown model=dcgna; nearest: dcgan{CHOICES}"),
        (["-m", "trainer.max_step=1,2"], "unknown key trainer.max_step; nearest: trainer.max_steps"),
        (["loss/regularizers=[r11]"], "unknown loss/regularizers=r11; nearest: r1\n  choices: r1, r2"),
        (["experiment=rwo"], "unknown experiment=rwo; nearest: row\n  choices: row"),
        (
            ["loss=minimax", "model=null"],
            "model=null: a group takes the name of a choice; choose from dcgan, gan, wgan_gp",
        ),
        (["model=3"], "model=3: a group takes the name of a choice; choose from dcgan, gan, wgan_gp"),
        (["dcgan"], "'dcgan' is not key=value; did you mean model=dcgan?"),
        (["x y"], "'x y' is not key=value"),
        (["seed=a(b"], "cannot read 'seed=a(b'; a value with special characters is quoted twice: \"seed='a(b'\""),
        (["seed=1,2"], "seed=1,2 is several values: add -m to run each, or quote one value: \"seed='1,2'\""),
        (
            ["dataset.image_shape=3,32,32"],
            "dataset.image_shape=3,32,32: a list has brackets; write 'dataset.image_shape=[3,32,32]'",
        ),
        (
            ["dataset.image_shape=(3, 32,32)"],
            "cannot read 'dataset.image_shape=(3, 32,32)'; a list has square brackets: "
            "write 'dataset.image_shape=[3,32,32]'",
        ),
        (
            ["dataset.image_shape=[3,32"],
            "cannot read 'dataset.image_shape=[3,32'; a list has square brackets: write 'dataset.image_shape=[3,32]'",
        ),
        (
            ["metrics=fid,modes"],
            "metrics=fid,modes is several choices: write 'metrics=[fid,modes]' for all of them at once, "
            "or add -m to run each",
        ),
        (
            ["technique=blur,noise"],
            "technique=blur,noise is several choices: write 'technique=[blur,noise]' for all of them at once, "
            "or add -m to run each",
        ),
        (
            ["engine.threads=1,2"],
            "engine.threads=1,2 is several values: write 'engine.threads=[1,2]' for a list, or add -m to run each",
        ),
        (["~engine.threads"], "engine.threads is null already; leave out ~engine.threads"),
        (["seed=range(3)"], "seed=range(3) is several values: add -m to run each"),
        (["+seed=4"], "seed is there already; leave out the +"),
        (["seed=${nope}"], "seed refers to ${nope}, which does not exist"),
        (["hydra.run.dir=${nope}"], "hydra.run.dir refers to ${nope}, which does not exist"),
        (["dataset=folder"], "dataset.path is missing; give it, e.g. gan-lab train dataset.path=..."),
        (
            ["dataset=../in/pictures"],
            "dataset=../in/pictures is a path, and dataset= takes a name: dataset=folder dataset.path=../in/pictures",
        ),
        (
            ["dataset='a/x.npz'"],
            "dataset='a/x.npz' is a path, and dataset= takes a name: dataset=arrays dataset.path=a/x.npz",
        ),
        (["--config-name", "trian"], "there is no config trian; nearest: train"),
        (["--resolve"], "The --resolve flag can only be used in conjunction with --cfg or --help"),
    ],
)
def test_one_line_names_it_and_offers_the_nearest(call: Call, words: list[str], message: str) -> None:
    code, _, err = call("train", *words)
    assert (code, err) == (2, f"gan-lab train: {message}\n")


def test_a_missing_config_dir(call: Call) -> None:
    assert call("train", "--config-dir", "nope")[::2] == (
        2,
        f"gan-lab train: --config-dir: there is no folder {Path.cwd() / 'nope'}\n",
    )


def test_choices_of_the_users_own_folder_are_offered_and_run(call: Call, tasks: dict[str, object]) -> None:
    own = Path("own configs/model")
    own.mkdir(parents=True)
    (own / "mine.yaml").write_text("generator: {depth: 3}\n")
    code, _, err = call("train", "model=mien", "--config-dir", "own configs")
    assert code == 2
    assert err.startswith("gan-lab train: unknown model=mien; nearest: mine\n")
    code, _, err = call("train", "model=mine", "model.generator.dpth=3", "--config-dir", "own configs")
    assert err == "gan-lab train: unknown key model.generator.dpth; nearest: model.generator.depth\n"
    assert call("train", "--config-dir", "own configs", "model=mine")[0] == 0


def test_a_broken_file_of_the_users_own_is_named(call: Call) -> None:
    Path("own/model").mkdir(parents=True)
    Path("own/model/bad.yaml").write_text("a: [1\nb: 2\n")
    code, _, err = call("train", "model=bad", "-cd", "own")
    assert code == 2
    assert "bad.yaml" in err
    assert err.count("\n") == 1


def test_a_file_that_names_a_missing_one_is_named(call: Call) -> None:
    Path("own/model").mkdir(parents=True)
    Path("own/model/mine.yaml").write_text("# @package _global_\ndefaults: [override /loss: hing]\n")
    code, _, err = call("train", "model=mine", "-cd", "own")
    assert (code, err.splitlines()[0]) == (2, "gan-lab train: unknown loss=hing; nearest: hinge")


def test_a_traceback_only_for_who_asks(call: Call, monkeypatch: pytest.MonkeyPatch) -> None:
    assert "Traceback" not in call("train", "sede=1")[2]
    monkeypatch.setenv("HYDRA_FULL_ERROR", "1")
    code, _, err = call("train", "sede=1")
    assert code == 2
    assert "Traceback" in err
    assert err.endswith("gan-lab train: unknown key sede; nearest: seed\n")


def test_nothing_is_left_behind_by_a_refused_command_line(call: Call) -> None:
    call("train", "trainer.max_step=3")
    call("train", "model=dcgna")
    assert list(Path.cwd().iterdir()) == []
