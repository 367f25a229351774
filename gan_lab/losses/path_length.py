"""A step in the latent space changes the image by as much everywhere (Karras et al. 2019, arXiv:1912.04958)."""

from __future__ import annotations

import torch
from torch import Tensor

from gan_lab.distributed.world import world
from gan_lab.layers.higher_order import twice_differentiable
from gan_lab.losses.memory import Remembering
from gan_lab.losses.regularizers import Turn


class PathLength(Remembering):
    """E[(||J^T y||_2 - a)^2], J^T y = grad_z <G(z), y> for an image of noise y (section 3.2, equation 4).

    a is a moving average of the lengths that starts at 0 and moves by `decay` of the difference; it counts as a
    constant. As in the authors' code y ~ N(0, I) is divided by sqrt(H W), for which their weight is 2 and their
    interval 4. The latent is the generator's input; the paper takes the intermediate one of its style network.
    One more pass through the generator in training mode; BatchNorm couples the samples. Raises ValueError for a
    `decay` outside (0, 1].
    """

    player = "generator"

    def __init__(self, weight: float = 2.0, every: int = 4, decay: float = 0.01) -> None:
        super().__init__(weight, every)
        if not 0.0 < decay <= 1.0:
            raise ValueError(f"decay must lie in (0, 1], not {decay}")
        self.decay = decay

    def __call__(self, turn: Turn) -> Tensor:
        assert turn.generator is not None
        assert turn.latent is not None
        latent = turn.latent.detach().requires_grad_()
        with twice_differentiable():
            images = turn.generator(latent)  # (N, C, H, W)
            noise = torch.randn_like(images) / (images.shape[-2] * images.shape[-1]) ** 0.5
            (gradient,) = torch.autograd.grad((images * noise).sum(), latent, create_graph=True)
        return self.compared(torch.linalg.vector_norm(gradient.flatten(1), dim=1), turn)

    def compared(self, lengths: Tensor, turn: Turn) -> Tensor:
        """The penalty on lengths (N,), after their average has moved."""
        mean = self.remembered("length", lengths.new_zeros(()), turn)
        mean.lerp_(world().mean(lengths.detach().mean()), self.decay)
        return (lengths - mean).square().mean()
