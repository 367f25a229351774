"""What is refused before a direction is sought."""

from __future__ import annotations

from pathlib import Path

import pytest

import gan_lab as package
from gan_lab.editing.finding import find
from gan_lab.errors import ConfigError
from gan_lab.storage import checkpoint
from tests.compose import tiny_run


def test_attributes_of_data_without_classes(tmp_path: Path) -> None:
    run = tiny_run(tmp_path, "model=gan_small", "dataset=stacked_digits")
    run.play()
    checkpoint.save(tmp_path / "checkpoints", run.state_dict(), 1)
    trained = package.load(tmp_path, device="cpu")
    asked = {"method": "attribute", "samples": 100, "seed": 0, "trust": [], "layers": None}
    with pytest.raises(ConfigError, match="method=attribute: stacked_digits has no classes that a classifier could"):
        find(trained, trained.sampler.space(), asked)
