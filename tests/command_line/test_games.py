"""Which of our models play which game."""

from __future__ import annotations

from gan_lab.command_line.games import models_for
from tests.compose import choices


def test_models_are_named_by_their_game() -> None:
    """A variant plays the game of what it varies; of many the first few are named."""
    assert models_for("gan_lab.algorithms.cycle.Cycle") == "model=cyclegan"
    assert models_for("gan_lab.algorithms.contrastive.Contrastive") == "model=cut, fastcut"
    styles = models_for("gan_lab.algorithms.style_based.StyleBased").removeprefix("model=").split(", ")
    assert styles == [*[name for name in choices("model") if "stylegan2" in name][:5], "..."]
    assert models_for("gan_lab.algorithms.noise_to_image.NoiseToImage").endswith(", ...")
    assert models_for("gan_lab.algorithms.unrolled.Unrolled") == models_for("mine.Mine") == ""
