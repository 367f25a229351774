"""What lies around the codes of a tuned generator, held to what it was."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import Tensor

from gan_lab.inversion.distance import Distance
from gan_lab.sampling.space import Space

DRAWS = 64  # codes by which it is known how far others lie
NEAR = 0.5  # of that way


class Locality:
    """The locality regularization of PTI (Roich et al. 2021, arXiv:2106.05744, equations 5 and 6): at each step a code
    is drawn for each of the codes that a generator is tuned around, and taken `radius` far from it towards the draw;
    what the generator makes there is to be what it made before it was tuned. `weight` times the distance of both is
    added to what is minimised (the paper's code has 0.1, for pixels and LPIPS alike).

    Deviation: the radius, 30 in the paper, is of its generator's styles; here it is half of the way to other codes on
    average. Draws depend on `seed` and step.
    """

    def __init__(
        self, space: Space, codes: Tensor, label: Tensor | None, distance: Distance, weight: float, seed: int = 0
    ) -> None:
        self.space, self.codes, self.label = space, codes.cpu(), label
        self.distance, self.weight, self.seed = distance, weight, seed
        self.before = [parameter.detach().clone() for parameter in space.network.parameters()]
        others = space.codes(DRAWS, seed, None if label is None else label.cpu()[torch.arange(DRAWS) % len(label)])
        self.radius = NEAR * float(torch.cdist(self.codes.flatten(1), others.flatten(1)).mean())

    def around(self, step: int) -> Tensor:
        """`(N, ..., dim)`: `radius` from the codes, towards draws of their own."""
        label = None if self.label is None else self.label.cpu()
        way = self.space.codes(len(self.codes), self.seed + 1 + step, label) - self.codes
        length = way.flatten(1).norm(dim=1).clamp(min=1e-12).view(-1, *[1] * (way.dim() - 1))
        there: Tensor = self.codes + self.radius * way / length
        return there

    def backward(self, step: int) -> None:
        """Add the gradients of a step."""
        device = self.space.engine.device
        codes = self.around(step).to(device)
        label = None if self.label is None else self.label.to(device)
        with torch.no_grad(), self._as_it_was():
            wanted = self.space.made(codes, label)
        loss = self.weight * self.distance(self.space.made(codes, label), wanted, label).mean()
        loss.backward()  # type: ignore[no-untyped-call]

    @contextmanager
    def _as_it_was(self) -> Iterator[None]:
        """The network has the weights from before the tuning in here."""
        parameters: list[Tensor] = [*self.space.network.parameters()]
        now = [parameter.detach().clone() for parameter in parameters]
        try:
            torch._foreach_copy_(parameters, self.before)
            yield
        finally:
            torch._foreach_copy_(parameters, now)
