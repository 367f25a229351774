"""Which frozen networks a run learns by, in `summary.json` and on the cards of figures."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch

from gan_lab.features import perceptual_distance
from gan_lab.features.lpips import Lpips
from gan_lab.training.looks_with import cards_of, on_card
from tests.compose import tiny_run

AUTOENCODING = "loss.regularizers.autoencoding"


def test_random_features_and_backbones_are_named(tmp_path: Path) -> None:
    run = tiny_run(tmp_path, "model=fastgan")
    assert cards_of(run) == {AUTOENCODING: {"network": "vgg16", "weights": "random"}}
    run = tiny_run(tmp_path, "model=projected_gan", "model.discriminator.backbone.weights=random")
    assert cards_of(run) == {"model.discriminator": {"network": "convolutions", "weights": "random"}}
    assert cards_of(tiny_run(tmp_path, "model=gan_small")) == {}


def test_lpips_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    linear = tmp_path / "linear.pth"

    class Made(Lpips):
        def __init__(self, network: str) -> None:
            super().__init__(network, backbone="random", linear=str(linear))

    widths = (64, 128, 256, 512, 512)
    torch.save({f"lin{index}.model.1.weight": torch.ones(1, w, 1, 1) for index, w in enumerate(widths)}, linear)
    monkeypatch.setattr(perceptual_distance, "Lpips", Made)
    run = tiny_run(tmp_path, "model=fastgan", f"{AUTOENCODING}.distance.weights=lpips")
    assert cards_of(run) == {AUTOENCODING: {"network": "lpips vgg", "weights": "random"}}


@pytest.mark.parametrize(
    ("cards", "told"),
    [
        ({"a.b": {"network": "vgg16", "weights": "random"}, "c": {"network": "n"}}, "a.b vgg16 random, c n"),
        ({}, None),
        (None, None),
        ("damaged", None),
        ({"a": 3}, None),
    ],
)
def test_on_the_card_of_a_figure(cards: Any, told: str | None) -> None:
    assert on_card(cards) == ({} if told is None else {"looks_with": told})
