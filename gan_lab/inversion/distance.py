"""How far what a generator makes is from a picture: what a projection descends."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn

from gan_lab.features.lpips import weights_are_there
from gan_lab.features.perceptual_distance import LPIPS, PerceptualDistance
from gan_lab.layers.critique import of
from gan_lab.sampling.trained import Trained
from gan_lab.storage import checkpoint
from gan_lab.wrappers.base import probe
from gan_lab.wrappers.build import build_network

log = logging.getLogger(__name__)

FEATURES = 0.1  # what the discriminator's features count beside pixels


class Distance:
    """Images made and wanted, `(N, C, H, W)` in [-1, 1], and labels to distances `(N,)`, 0 for equal ones: the mean
    square of what pixels differ by, plus what `see`, if there is something, says. `name` is for people."""

    def __init__(self, see: Callable[[Tensor, Tensor, Tensor | None], Tensor] | None = None, name: str = "") -> None:
        self.see = see
        self.name = f"pixels and {name}" if name else "pixels alone"

    def __call__(self, made: Tensor, wanted: Tensor, label: Tensor | None = None) -> Tensor:
        pixels = squares(made, wanted)
        return pixels if self.see is None else pixels + self.see(made, wanted, label)


def squares(made: Tensor, wanted: Tensor) -> Tensor:
    """The mean square of the difference, `(N,)`."""
    return (made - wanted).square().flatten(1).mean(1)


def distance_for(trained: Trained, device: torch.device) -> Distance:
    """LPIPS where its weights are in the data root, else the features of the run's own discriminator, else pixels."""
    if weights_are_there("vgg"):
        lpips = PerceptualDistance(LPIPS).to(device)
        return Distance(lambda made, wanted, _: lpips(made, wanted), "LPIPS")
    judge, why = discriminator_of(trained)
    if judge is None:
        log.info("%s: pixels are compared alone", why)
        return Distance()
    judge = judge.to(device)
    return Distance(lambda *given: by_features(judge, *given), "the features of the run's discriminator")


def by_features(judge: nn.Module, made: Tensor, wanted: Tensor, label: Tensor | None) -> Tensor:
    """`(N,)`: the squared difference of features as a share of the wanted image's own."""
    known = label if getattr(judge, "num_classes", 0) else None
    with torch.no_grad():
        meant = of(judge(wanted, known)).features
    found = of(judge(made, known)).features
    assert found is not None
    assert meant is not None
    found, meant = found.float().flatten(1), meant.float().flatten(1)
    return FEATURES * (found - meant).square().sum(1) / meant.square().sum(1).clamp(min=1e-12)


def discriminator_of(trained: Trained) -> tuple[nn.Module | None, str]:
    """The run's own, in evaluation mode, or why it cannot be asked: it looks at several images at once, or at others
    than whole ones, or keeps its features to itself."""
    if "discriminator" not in trained.config["model"]:
        return None, "the run has no discriminator of whole images"
    state: dict[str, Any] = checkpoint.load(trained.path)
    judge = build_network(trained.config, "discriminator")
    judge.load_state_dict(state["networks"]["discriminator"])
    if getattr(judge, "images_per_score", 1) != 1:
        return None, "the run's discriminator looks at several images at once"
    try:
        critique = probe(judge, trained.config["dataset"]["image_shape"])
    except ValueError:
        return None, "the run's discriminator sees smaller images"
    if critique.features is None:
        return None, "the run's discriminator does not tell its features"
    return judge.eval().requires_grad_(False), ""
