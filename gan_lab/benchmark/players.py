"""What an author's loop for images from images is given of a run: its networks as published, and its data."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import torch
from torch import Tensor, nn

from gan_lab.benchmark.published import as_it_comes, as_published
from gan_lab.losses.distances import L1, MSE
from gan_lab.losses.reconstruction import Reconstruction
from gan_lab.training.run import Run

Batches = Iterator[tuple[Tensor, Tensor]]
DISTANCES: dict[type, type[nn.Module]] = {L1: nn.L1Loss, MSE: nn.MSELoss}


class Players:
    """Networks by role, optimizers by player, weighted distances by pair, and the data."""

    def __init__(self, run: Run, batches: Batches) -> None:
        algorithm = run.algorithm
        self.algorithm: Any = algorithm
        self.batches, self.device = batches, run.engine.device
        self.networks = {role: as_published(network, run) for role, network in algorithm.networks.items()}
        self.optimizers = {player: as_it_comes(o, self.of(player)) for player, o in algorithm.optimizers.items()}
        self.distances = [
            (regularizer.pair, float(regularizer.weight), DISTANCES[type(regularizer.distance)]())
            for regularizer in algorithm.regularizers.values()
            if isinstance(regularizer, Reconstruction)
        ]

    def of(self, player: str) -> nn.ModuleList:
        """The networks of a player."""
        return nn.ModuleList(network for role, network in self.networks.items() if role.partition("_")[0] == player)

    def next(self) -> tuple[Tensor, Tensor]:
        inputs, images = next(self.batches)
        return inputs.to(self.device), images.to(self.device)

    def distance(self, pair: str, made: Tensor, wanted: Tensor) -> Tensor:
        """All that is paid for a pair."""
        found = [weight * distance(made, wanted) for name, weight, distance in self.distances if name == pair]
        return torch.stack(found).sum()

    def discriminate(self, on: bool) -> None:
        """Whether the discriminators' weights want gradients."""
        for network in self.of("discriminator"):
            network.requires_grad_(on)
