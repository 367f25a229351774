"""Runs that are broken on purpose, one for each thing that the monitor must name, at a size that takes a second."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image
from torch import Tensor, nn

from gan_lab.callbacks.health import Health
from gan_lab.training.assemble import assemble
from gan_lab.training.run import Run
from gan_lab.training.trainer import fit
from tests.compose import composed

SMALL = ("precision=fp32", "model=gan_small", "+width=32", "trainer.batch_size=16", "trainer.max_steps=500")
QUIET = ("logger={}", "trainer.checkpoint_every=0", "trainer.log_every=0")


class Constant(nn.Module):
    """A generator that makes one image whatever the latent is; it learns which."""

    def __init__(self, image_shape: Sequence[int], **_: Any) -> None:
        super().__init__()
        self.image = nn.Parameter(torch.zeros(*image_shape))

    def forward(self, latent: Tensor, label: Tensor | None = None) -> Tensor:
        return self.image.tanh().expand(len(latent), *self.image.shape)


def one_class(folder: Path) -> Path:
    """An array file whose images are all of one class."""
    path = folder / "one.npz"
    images = np.random.default_rng(0).integers(0, 256, (64, 8, 8), dtype=np.uint8)
    np.savez(path, images=images, labels=np.zeros(64, np.int64))
    return path


def uniform(folder: Path) -> Path:
    """A folder of black images."""
    path = folder / "black"
    path.mkdir()
    for number in range(4):
        Image.new("RGB", (16, 16)).save(path / f"{number}.png")
    return path


def corpus(folder: Path) -> dict[str, tuple[str, ...]]:
    """What is wrong -> the overrides that make it so."""
    data = (f"dataset.path={one_class(folder)}", "dataset.image_shape=[1,8,8]")
    classes = ("model.generator.num_classes=10", "model.discriminator.num_classes=10")
    return {
        "divergence": ("optimizer.generator.lr=2e-2",),
        "discriminator_wins": ("optimizer.discriminator.lr=2e-3", "optimizer.generator.lr=1e-5"),
        "collapse": ("model.generator._target_=tests.health.broken.Constant",),
        "one_class": ("model=cgan", "trainer.max_steps=100", "dataset=arrays", *data, *classes),
        "frozen": ("optimizer.generator.lr=0", "optimizer.discriminator.lr=0", "trainer.max_steps=300"),
        "discriminator_lost": ("optimizer.discriminator.lr=1e-6", "trainer.max_steps=400"),
        "no_variety": ("dataset=folder", f"dataset.path={uniform(folder)}", "trainer.max_steps=100"),
        "vanishing_gradient": ("loss=minimax", "optimizer.discriminator.lr=2e-3", "optimizer.generator.lr=1e-5"),
    }


def watched(folder: Path, *overrides: str, **settings: Any) -> Run:
    """The run that these overrides make, trained with nobody but the monitor watching."""
    run, _ = assemble(composed(*SMALL, *QUIET, *overrides), folder)
    fit(run, [Health(**settings)])
    return run
