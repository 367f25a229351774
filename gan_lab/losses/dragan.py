"""Gradient norm 1 around the real images (DRAGAN, Kodali et al. 2017, arXiv:1705.07215)."""

from __future__ import annotations

import torch
from torch import Tensor

from gan_lab.distributed.world import world
from gan_lab.losses.regularizers import Regularizer, Turn, image_gradient


class DRAGAN(Regularizer):
    """E[(||grad D(x + noise)||_2 - 1)^2] on real images x only (algorithm 1; lambda is 10, k is 1).

    The paper's noise is N(0, c I). This is the authors' code instead: alpha * 0.5 * std * U, with U uniform in [0, 1)
    for each number, std that of all numbers of the batch, and one alpha, uniform in [0, 1), per sample, which moves the
    point along the way from the image to its perturbed self. As with `GradientPenalty`, BatchNorm in the critic couples
    the samples and so penalises something else.
    """

    def __init__(self, weight: float = 10.0, every: int = 1) -> None:
        super().__init__(weight, every)

    def __call__(self, turn: Turn) -> Tensor:
        real = turn.real.detach()
        alpha = torch.rand(len(real), *[1] * (real.dim() - 1), device=real.device, dtype=real.dtype)
        noise = torch.rand_like(real) * (0.5 * _deviation(real))
        gradient = image_gradient(turn.critic, real + alpha * noise)
        norm: Tensor = torch.linalg.vector_norm(gradient.flatten(1), dim=1)
        return (norm - 1.0).square().mean()


def _deviation(images: Tensor) -> Tensor:
    """The standard deviation of all numbers of the batch, of all processes, 0-d."""
    together = world()
    if together.size == 1:
        return images.std(correction=0)
    return together.moments(images, range(images.dim()))[1].sqrt().squeeze()
