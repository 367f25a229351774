"""From latents to styles (Karras et al. 2018, arXiv:1812.04948, section 2)."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn
from torch.nn.functional import leaky_relu

from gan_lab.distributed.world import world
from gan_lab.layers.equalized import EqualizedLinear
from gan_lab.layers.labels import look_up, require_label
from gan_lab.layers.pixel_norm import pixel_norm

LEAK, GAIN = 0.2, math.sqrt(2)


class Mapping(nn.Module):
    """Latents (N, latent_dim) and labels (N,), if there are classes, to styles (N, dim).

    Latents are divided by their root mean square, so is a class's vector, and `depth` layers with leaky ReLU follow,
    whose learning rate is `multiplier` times that of others. `latent_dim` 0: labels alone, as in a discriminator.
    `average`: where styles are on the whole, from 0 on moved to those of a pass by 1 - `decay` in training, for the
    truncation trick; without `decay` there is none. In fp32 whatever the precision around it.

    Raises ValueError for neither latents nor classes, and when called without labels that it needs.
    """

    average: Tensor

    def __init__(
        self,
        latent_dim: int,
        dim: int,
        depth: int,
        num_classes: int = 0,
        multiplier: float = 0.01,
        decay: float | None = 0.995,
    ) -> None:
        super().__init__()
        if not (latent_dim or num_classes):
            raise ValueError("a mapping network needs latents or classes")
        if depth < 1 or dim < 1:
            raise ValueError(f"a mapping network needs at least one layer of one number, not {depth} of {dim}")
        self.num_classes = num_classes
        self.decay = decay
        if num_classes:
            self.of_label = EqualizedLinear(num_classes, dim)
        inputs = latent_dim + (dim if num_classes else 0)
        self.layers = nn.ModuleList(
            EqualizedLinear(inputs if index == 0 else dim, dim, gain=GAIN, multiplier=multiplier)
            for index in range(depth)
        )
        if decay is not None:
            self.register_buffer("average", torch.zeros(dim))

    def forward(self, latent: Tensor | None, label: Tensor | None = None, follow: bool = True) -> Tensor:
        """`follow`: the average counts these styles, in training."""
        label = require_label(label, self.num_classes)
        parts = [] if latent is None else [pixel_norm(latent)]
        if label is not None:
            parts.append(pixel_norm(self.vectors(label)))
        style = torch.cat(parts, 1) if len(parts) > 1 else parts[0]
        with torch.autocast(style.device.type, enabled=False):
            for layer in self.layers:
                style = leaky_relu(layer(style), LEAK)
        if follow and self.training and self.decay is not None:
            self._follow(style.detach(), 1 - self.decay)
        return style

    def vectors(self, label: Tensor) -> Tensor:
        """What the layer `of_label` makes of labels as one-hot vectors, or of attributes."""
        layer = self.of_label
        assert layer.bias is not None
        return look_up(label, layer.weight.T) * layer.scale + layer.bias

    @torch.no_grad()
    def _follow(self, style: Tensor, share: float) -> None:
        self.average.lerp_(world().mean(style.mean(0)).to(self.average.dtype), share)

    def truncated(self, styles: Tensor, psi: float, cutoff: int | None = None) -> Tensor:
        """The truncation trick (arXiv:1812.04948, appendix B): styles (N, layers, dim), those of the first `cutoff`
        layers, null: of all, moved towards their average, psi 1 not at all, 0 all the way."""
        near = torch.lerp(self.average, styles, psi)
        return near if cutoff is None else torch.cat([near[:, :cutoff], styles[:, cutoff:]], 1)


def mix(styles: Tensor, others: Tensor, layer: Tensor, layers: int, probability: float) -> Tensor:
    """Style mixing (arXiv:1812.04948, section 3.1), once for a batch and with that `probability`: from one of 1 ...
    `layers` - 1 on, each as likely, styles (N, L, dim) are the others (N, 1, dim). `layer`: 0 ... L - 1."""
    one, other = (torch.rand((), device=styles.device) for _ in range(2))
    cut = 1 + (one * (layers - 1)).floor()
    mixed = (layer >= cut) & (other < probability)
    return torch.where(mixed[:, None], others, styles)
