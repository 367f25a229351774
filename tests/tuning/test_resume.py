"""What `resume=` of a search or an ablation stands for, and what may not be typed beside it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from gan_lab.errors import ConfigError
from gan_lab.tuning.resume import resumed


@pytest.fixture
def study(here: Path) -> Path:
    (here / "s").mkdir()
    words = ["model=gan", "trials=4", "+technique=[lecam]", "hydra.run.dir=elsewhere", "trust=[os]"]
    (here / "s/study.json").write_text(json.dumps({"overrides": words}))
    return here / "s"


def test_without_resume_nothing_changes() -> None:
    assert resumed("tune", ["model=gan"]) == ["model=gan"]
    assert resumed("tune", ["resume=null"]) == ["resume=null"]


def test_its_own_words_then_what_is_typed(study: Path) -> None:
    own = ["model=gan", "+technique=[lecam]"]
    place = [f"resume='{study}'", f"hydra.run.dir='{study}'"]
    assert resumed("tune", ["resume=s", "trials=8"]) == [*own, "trials=8", *place]
    assert resumed("tune", ["resume=s"]) == ["model=gan", "trials=4", "+technique=[lecam]", *place]


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
        resumed("tune", words)


@pytest.mark.parametrize("word", ["model.generator._target_=os.system", "seed=${oc.env:HOME}"])
def test_stored_words_are_data(study: Path, word: str) -> None:
    (study / "study.json").write_text(json.dumps({"overrides": [word]}))
    with pytest.raises(ConfigError, match="os.system|calls a resolver"):
        resumed("tune", ["resume=s"])


def test_an_ablation_may_grow(study: Path) -> None:
    (study / "ablation.json").write_text(json.dumps({"overrides": ["seeds=1"]}))
    assert resumed("ablate", ["resume=s", "seeds=2"])[0] == "seeds=2"
