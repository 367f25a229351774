"""Flags anywhere, sorted out from the other words."""

from __future__ import annotations

import pytest

from gan_lab.command_line.flags import join, split
from gan_lab.errors import ConfigError


def test_flags_and_their_values_are_taken_from_anywhere() -> None:
    words = ["train", "model=dcgan", "-m", "seed=1,2", "--config-dir", "my", "~x", "-c", "job", "--info", "a=1"]
    flags, others = split(words)
    assert flags == {"--multirun": "", "--config-dir": "my", "--cfg": "job", "--info": "all"}
    assert others == ["train", "model=dcgan", "seed=1,2", "~x", "a=1"]
    assert join(flags) == ["--multirun", "--config-dir=my", "--cfg=job", "--info=all"]


def test_an_optional_value_is_taken_only_when_it_is_one() -> None:
    assert split(["--info", "searchpath", "x=1"]) == ({"--info": "searchpath"}, ["x=1"])
    assert split(["--cfg=all", "-cd=a b"]) == ({"--cfg": "all", "--config-dir": "a b"}, [])


def test_behind_two_dashes_everything_is_a_word() -> None:
    assert split(["-m", "--", "-c"]) == ({"--multirun": ""}, ["-c"])


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--multrun"], "there is no flag --multrun; nearest: --multirun"),
        (["--config_dir", "x"], "there is no flag --config_dir; nearest: --config-dir"),
        (["train", "--model", "dcgan"], "there is no flag --model; settings have no dashes: write model=dcgan"),
        (
            ["--trainer.max_steps=5"],
            "there is no flag --trainer.max_steps; settings have no dashes: write trainer.max_steps=5",
        ),
        (["--batch-size", "seed=1"], "there is no flag --batch-size; settings have no dashes: write batch_size=..."),
        (["-n", "5"], "there is no flag -n; settings have no dashes: write n=5"),
        (["--out", "my run"], "there is no flag --out; settings have no dashes: write 'out=my run'"),
        (["--cfg", "jbo"], "--cfg jbo: choose from job, hydra, all; nearest: job"),
        (["--cfg"], "--cfg needs a value: job, hydra, all"),
        (["x=1", "-cd"], "--config-dir needs a value"),
        (["--resolve=yes"], "--resolve takes no value"),
    ],
)
def test_a_wrong_flag_is_named_with_the_way_out(words: list[str], message: str) -> None:
    with pytest.raises(ConfigError) as error:
        split(words)
    assert str(error.value) == message
