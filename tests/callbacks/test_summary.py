"""What a run says of itself in `summary.json`."""

from __future__ import annotations

from pathlib import Path

from gan_lab.callbacks.summary import about
from tests.compose import tiny_run


def test_a_vgg_by_which_a_run_learns_is_on_its_card(tmp_path: Path) -> None:
    """Random weights are named; a run without one says nothing."""
    key = "loss.regularizers.perceptual"
    words = ("model=pix2pix", "loss/regularizers=[perceptual]", f"{key}.network.weights=random")
    run = tiny_run(tmp_path, *words, f"+{key}.network.width=2")
    assert about(run)["looks_with"] == {key: {"network": "vgg19", "weights": "random"}}
    assert "looks_with" not in about(tiny_run(tmp_path / "other", "model=gan_small"))
