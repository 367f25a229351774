"""Every conditional model reads attributes by the same networks as classes."""

from __future__ import annotations

import pytest
import torch

from gan_lab.layers.critique import of
from gan_lab.wrappers.build import build_network
from tests.compose import choices, composed, yaml_of
from tests.conftest import TINY, whole

MODELS = [name for name in choices("model") if "num_classes: ${dataset.num_classes}" in yaml_of(f"model/{name}")]
OFTEN = ("biggan_cifar", "cdcgan", "r3gan")
LABELS = torch.tensor([[1, 0, 1], [0, 0, 0], [1, 1, 1], [0, 1, 0]])


def test_there_are_such_models() -> None:
    assert {*OFTEN, "acgan", "cgan", "lapgan_conditional", "sagan", "sngan", "stylegan", "stylegan2"} <= {*MODELS}


@pytest.mark.parametrize("model", [*OFTEN, *whole([name for name in MODELS if name not in OFTEN])])
def test_attributes_reach_every_network(model: str) -> None:
    config = composed(*TINY, f"model={model}")
    config["attributes"] = {"smiling": 0.5, "hat": 0.25, "young": 1.0}
    for role, node in config["model"].items():
        if "num_classes" not in node:
            continue
        node["num_classes"] = 3
        network = build_network(config, role)
        assert network.attributes == config["attributes"]
        if role == "generator":
            made = network(torch.randn(4, config["algorithm"]["latent"]["dim"]), LABELS)
            assert made.shape[0] == 4
            assert made.isfinite().all()
        elif role == "discriminator":
            critique = of(network(torch.randn(4, *node["image_shape"]), LABELS))
            assert critique.scores.isfinite().all()
