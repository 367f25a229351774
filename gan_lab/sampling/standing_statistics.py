"""BatchNorm statistics of the very distribution that images are made from."""

from __future__ import annotations

import copy
from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm

from gan_lab.config import require_whole
from gan_lab.engine.seeding import generator_of
from gan_lab.sampling.label_space import LabelSpace

Codes = Callable[[int, int], Tensor]  # how many, from which place on: (n, D) on the CPU


class StandingStatistics:
    """Means and variances over `passes` batches of `batch` images of the finished generator (Brock et al. 2018,
    arXiv:1809.11096, appendix A, with 100 passes; the authors' code takes 16), in the place of those that training left
    behind: running averages over generators that have moved on since, of latents that were never truncated.

    Like the authors' code it takes the mean over the passes of each pass' mean and of its variance (divided by batch -
    1), and classes that are equally likely (attributes as likely as in the data). What is drawn is the same every time,
    so an image still depends on its seed and index alone. Networks without BatchNorm stay as they are."""

    def __init__(self, passes: int = 16, batch: int = 64) -> None:
        self.passes = require_whole(passes, "algorithm.standing_statistics.passes")
        self.batch = require_whole(batch, "algorithm.standing_statistics.batch", 2)

    @torch.no_grad()
    def of(self, network: nn.Module, codes: Codes, labels: LabelSpace, device: torch.device) -> nn.Module:
        """A copy of `network` in evaluation mode, with the statistics of these codes; `network` where it has none."""
        if not _norms(network):
            return network
        own = copy.deepcopy(network).eval()
        for norm in _norms(own):
            norm.reset_running_stats()
            norm.momentum = None  # every pass counts the same
            norm.train()
        random = generator_of("standing statistics")
        for number in range(self.passes):
            drawn = labels.drawn(self.batch, random)
            own(codes(self.batch, number * self.batch).to(device), None if drawn is None else drawn.to(device))
        return own.eval()


def _norms(network: nn.Module) -> list[_BatchNorm]:
    return [each for each in network.modules() if isinstance(each, _BatchNorm) and each.track_running_stats]
