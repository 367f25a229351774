"""What the README shows works as printed."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from gan_lab.config import CONFIG_DIR
from tests.compose import choices
from tests.conftest import TINY

README = (Path(__file__).parent.parent / "README.md").read_text()


def block(first_line: str) -> str:
    """The code block that begins with this comment."""
    return re.search(rf"```\w+\n({re.escape(first_line)}\n.*?)```", README, re.DOTALL).group(1)  # type: ignore[union-attr]


def test_the_loss_from_outside_the_package_trains(here: Path, gan_lab: Callable[..., int]) -> None:
    (here / "my_losses.py").write_text(block("# my_losses.py"))
    (here / "my_configs" / "loss").mkdir(parents=True)
    (here / "my_configs" / "loss" / "cubic.yaml").write_text(block("# my_configs/loss/cubic.yaml"))
    assert "gan-lab train model=dcgan loss=cubic --config-dir my_configs" in README
    try:
        command = ("train", "model=dcgan", "loss=cubic", "--config-dir", "my_configs", *TINY, "hydra.run.dir=run")
        assert gan_lab(*command) == 0
        assert gan_lab("train", "resume=run", "trainer.max_steps=3", "trust=[my_losses]", *command[3:5]) == 0
    finally:
        sys.modules.pop("my_losses", None)


@pytest.mark.parametrize("group", ["model", "loss", "loss/regularizers", "optimizer", "optimizer/schedule", "dataset"])
def test_every_choice_is_listed(group: str) -> None:
    missing = [name for name in choices(group) if f"`{name}`" not in README]
    assert not missing, f"{group}: {missing}"


def test_every_command_names_what_exists() -> None:
    shown = re.findall(r"\b(model|loss|optimizer|dataset)=([a-z_,0-9]+)", README)
    assert len(shown) > 5
    for group, names in shown:
        for name in names.split(","):
            assert (CONFIG_DIR / group / f"{name}.yaml").exists() or name == "cubic", f"{group}={name}"
