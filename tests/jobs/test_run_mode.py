"""One run or a sweep: what Hydra composes to find out is spared where nothing can say it but the flags."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import yaml
from hydra._internal.hydra import Hydra

from gan_lab.config import CONFIG_DIR
from gan_lab.jobs.run_mode import run_mode_of


@pytest.fixture
def composed(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The words of every composition that Hydra makes."""
    seen: list[str] = []
    compose_config = Hydra.compose_config

    def recorded(self: Hydra, config_name: str, overrides: list[str], *rest: object, **more: object) -> object:
        seen.append(" ".join(overrides))
        return compose_config(self, config_name, overrides, *rest, **more)

    monkeypatch.setattr(Hydra, "compose_config", recorded)
    return seen


def test_a_run_is_composed_once(gan_lab: Callable[..., int], composed: list[str]) -> None:
    assert gan_lab("train", "trainer=debug", "hydra.run.dir=run") == 0
    assert composed == ["trainer=debug hydra.run.dir=run hydra.mode=RUN"]


@pytest.mark.parametrize(
    "word",
    ["hydra.mode=MULTIRUN", "++hydra.mode=MULTIRUN", "hydra={mode:MULTIRUN}", "hydra.searchpath=[file:///x]", "-cd=/x"],
)
def test_a_word_or_a_folder_may_set_it(word: str) -> None:
    before = Hydra.get_mode
    with run_mode_of(["model=gan", word]):
        assert Hydra.get_mode is before


def test_it_is_put_back() -> None:
    before = Hydra.get_mode
    with pytest.raises(KeyError), run_mode_of(["model=gan"]):
        assert Hydra.get_mode is not before
        raise KeyError
    assert Hydra.get_mode is before


def test_a_sweep_by_its_mode(gan_lab: Callable[..., int], composed: list[str]) -> None:
    words = ("trainer=debug", "trainer.max_steps=1", "hydra.mode=MULTIRUN", "hydra.sweep.dir=sweep", "seed=1")
    assert gan_lab("train", *words) == 0
    assert len(composed) > 1


def test_none_of_our_configurations_sets_it() -> None:
    for path in CONFIG_DIR.rglob("*.yaml"):
        content = yaml.safe_load(path.read_text()) or {}
        assert "mode" not in (content.get("hydra") or {}), path
        assert not path.is_relative_to(CONFIG_DIR / "hydra") or "mode" not in content, path
