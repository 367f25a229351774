"""Directions along which an attribute changes (InterFaceGAN, Shen et al. 2019, arXiv:1907.10786)."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn.functional import normalize, softplus

RIDGE = 1e-3  # on the weights of standardised codes: samples may be separable, and weights grow without end
STEPS = 100  # of L-BFGS


def separating(codes: Tensor, has: Tensor) -> Tensor:
    """The unit normal `(D,)` of the plane that parts codes `(N, D)` which have something (`has` `(N,)`, bool) from
    those that do not, both kinds counting the same: by logistic regression, where the paper takes a linear SVM."""
    deviation = codes.double().std(0).clamp(min=1e-12)
    scaled = (codes.double() - codes.double().mean(0)) / deviation
    sign = torch.where(has, 1.0, -1.0).double()
    weight = torch.where(has, 0.5 / has.sum().clamp(min=1), 0.5 / (~has).sum().clamp(min=1)).double()
    normal = torch.zeros(codes.shape[1] + 1, dtype=torch.float64, requires_grad=True)
    descent = torch.optim.LBFGS([normal], max_iter=STEPS, line_search_fn="strong_wolfe")

    def closure() -> Tensor:
        descent.zero_grad()
        margin = sign * (scaled @ normal[:-1] + normal[-1])
        loss = (weight * softplus(-margin)).sum() + RIDGE * normal[:-1].square().sum()
        loss.backward()  # type: ignore[no-untyped-call]
        return loss

    descent.step(closure)  # type: ignore[no-untyped-call]
    return normalize(normal.detach()[:-1] / deviation, dim=0)


def extremes(codes: Tensor, scores: Tensor, share: float) -> tuple[Tensor, Tensor]:
    """Codes with the highest and the lowest `share` of scores `(N,)`, and which of them are high: what lies between is
    hard to tell (section 3.1 of the paper)."""
    count = max(int(len(scores) * share), 1)
    order = scores.argsort()
    chosen = torch.cat([order[-count:], order[:count]])
    return codes[chosen], torch.arange(2 * count) < count


def independent_of(vector: Tensor, others: Tensor) -> Tensor:
    """What of a direction `(D,)` is orthogonal to `others` `(K, D)`, of length 1: the attribute changes and theirs do
    not (the paper's conditional manipulation, of any number, by QR)."""
    basis, _ = torch.linalg.qr(others.double().T)
    return normalize(vector.double() - basis @ (basis.T @ vector.double()), dim=0)
