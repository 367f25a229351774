"""Which of the words that were typed a training is started with, and what `resume=` stands for."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from gan_lab.errors import ConfigError
from gan_lab.tuning.typed import for_training, take_up, to_start


@pytest.fixture
def study(here: Path) -> Path:
    (here / "s").mkdir()
    words = ["model=gan", "trials=4", "+technique=[lecam]", "hydra.run.dir=elsewhere", "trust=[os]"]
    (here / "s/study.json").write_text(json.dumps({"overrides": words}))
    return here / "s"


def test_without_resume_nothing_changes() -> None:
    assert take_up("tune", ["model=gan"]) == ["model=gan"]
    assert take_up("tune", ["resume=null"]) == ["resume=null"]


def test_its_own_words_then_what_is_typed(study: Path) -> None:
    own = ["model=gan", "+technique=[lecam]"]
    place = [f"resume='{study}'", f"hydra.run.dir='{study}'"]
    assert take_up("tune", ["resume=s", "trials=8"]) == [*own, "trials=8", *place]
    assert take_up("tune", ["resume=s"]) == ["model=gan", "trials=4", "+technique=[lecam]", *place]


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["resume=nowhere"], "resume=nowhere does not exist"),
        (["resume=."], r"resume=\. is not the folder of such a call \(no study\.json\)"),
        (["resume=s", "model=dcgan"], "model=dcgan: cannot change once begun; start anew, or leave it out"),
        (["resume=s", "space.seed=[0,1]"], r"space\.seed=\[0,1\]: cannot change"),
        (["resume=s", "hydra.run.dir=x"], r"hydra\.run\.dir=x: cannot change"),
    ],
)
def test_refusals(study: Path, words: list[str], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        take_up("tune", words)


@pytest.mark.parametrize("word", ["model.generator._target_=os.system", "seed=${oc.env:HOME}"])
def test_stored_words_are_data(study: Path, word: str) -> None:
    (study / "study.json").write_text(json.dumps({"overrides": [word]}))
    with pytest.raises(ConfigError, match="os.system|calls a resolver"):
        take_up("tune", ["resume=s"])


def test_an_ablation_may_grow(study: Path) -> None:
    (study / "ablation.json").write_text(json.dumps({"overrides": ["seeds=1"]}))
    assert take_up("ablate", ["resume=s", "seeds=2"])[0] == "seeds=2"


def test_its_own_keys_stay_behind() -> None:
    words = ["model=gan", "trials=3", "~space.seed", "+space.a.low=1", "+technique=[lecam]", "workers=2"]
    assert for_training(words, ("trials", "space", "workers")) == ["model=gan", "+technique=[lecam]"]


def test_a_run_that_has_begun_keeps_what_it_was_started_with(tmp_path: Path) -> None:
    base, run = (
        ["model=dcgan", "device=cpu", "trust=[mine]", "trainer.max_steps=5", "dataset.path=there"],
        tmp_path / "a b",
    )
    assert to_start(base, ["seed=1"], run) == [*base, "seed=1", f"hydra.run.dir='{run}'"]
    run.mkdir()
    (run / "config.yaml").touch()
    assert to_start(base, ["seed=1"], run) == ["device=cpu", "trust=[mine]", "dataset.path=there", f"resume='{run}'"]
