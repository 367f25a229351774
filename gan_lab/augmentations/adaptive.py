"""Adaptive discriminator augmentation (Karras et al. 2020, arXiv:2006.06676)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor, nn

from gan_lab.augmentations.area import check_has_area
from gan_lab.augmentations.bilinear import warp
from gan_lab.augmentations.colour import colours, recolour
from gan_lab.augmentations.cutout import cut_out
from gan_lab.augmentations.geometry import blit, geometry
from gan_lab.augmentations.matrices import compose
from gan_lab.distributed.world import world

CATEGORIES = ("blit", "geometry", "colour")  # the paper's bgc
KNOWN = (*CATEGORIES, "cutout")


class AdaptiveAugmentation(nn.Module):
    """Each transformation of the `categories` with probability `p`, and p follows the overfitting.

    `strength` multiplies p in a category, by its name (1 where it is not named).

    Every `interval` looks at a batch of real images, r_t = E[sign D(real)] over these looks is compared with `target`:
    p moves by (images looked at) / `speed` up if r_t is larger, else down, and stays in [0, 1] (section 3.1: 0.6, 4
    and 500,000 images). `target=None` leaves p where it is. The sign of a score must mean something: logits do, a
    Wasserstein or relativistic critic's scores are only good up to a constant. A score counts as one image, so with
    packed images p moves more slowly.

    p = 0 is the identity exactly. Images lie in [-1, 1] and are not clipped. Deviations: images are sampled bilinearly,
    without the paper's wavelet filters, so they alias a little where they shrink; the filter category and the noise of
    the corruption category, which the paper found harmful, are not there (`cutout` is the rest of the latter); p goes
    no higher than 1, where the authors' code only keeps it from falling below 0. Raises ValueError for settings out of
    range and images of one pixel.
    """

    p: Tensor
    r: Tensor
    signs: Tensor
    images: Tensor
    looks: Tensor

    def __init__(
        self,
        image_shape: Sequence[int],
        categories: Sequence[str] = CATEGORIES,
        p: float = 0.0,
        target: float | None = 0.6,
        interval: int = 4,
        speed: float = 500_000,
        strength: Mapping[str, float] | None = None,
    ) -> None:
        super().__init__()
        check_has_area(image_shape)
        if isinstance(categories, str) or not categories or not set(categories) <= set(KNOWN):
            raise ValueError(f"categories must be a list of {', '.join(KNOWN)}, not {categories!r}")
        for name, factor in (strength or {}).items():
            if name not in KNOWN or not 0.0 <= factor <= 1.0:
                raise ValueError(f"strength is a number in [0, 1] for one of {', '.join(KNOWN)}, not {name}: {factor}")
        if not 0.0 <= p <= 1.0:
            raise ValueError(f"p is a probability in [0, 1], not {p}")
        if target is not None and not -1.0 < target < 1.0:
            raise ValueError(f"target is a mean of signs in (-1, 1), or null to keep p, not {target}")
        if interval < 1 or not speed > 0:
            raise ValueError(f"interval must be at least 1 and speed positive, not {interval} and {speed}")
        self.categories = list(categories)
        self.strength = {name: float((strength or {}).get(name, 1.0)) for name in categories}
        self.target, self.interval, self.speed = target, interval, speed
        adapts = target is not None  # a fixed p is the configuration's, not a state
        for name, value in {"p": float(p), "r": 0.0, "signs": 0.0, "images": 0.0, "looks": 0}.items():
            self.register_buffer(name, torch.tensor(value), persistent=adapts)

    def forward(self, images: Tensor) -> Tensor:
        n, _, height, width = images.shape
        like = torch.empty(n, device=images.device, dtype=torch.promote_types(images.dtype, torch.float32))
        p = {name: factor * self.p for name, factor in self.strength.items()}
        moves = [draw(like, height, width, p[name]) for name, draw in MOVES.items() if name in p]
        if moves:
            images = warp(images, compose(*moves))
        if "colour" in p:
            images = recolour(images, colours(like, p["colour"]))
        return cut_out(images, like, p["cutout"]) if "cutout" in p else images

    @torch.no_grad()
    def adapt(self, real_scores: Tensor) -> None:
        """Take note of one look at real images, their scores (N, ...), and move p when it is time."""
        if self.target is None:
            return
        n = len(real_scores) * world().size
        self.looks += 1
        self.images += n
        self.signs += n * world().mean(real_scores.detach().float().sign().mean())
        due = self.looks % self.interval == 0
        r = self.signs / self.images
        moved = (self.p + (r - self.target).sign() * self.images / self.speed).clamp(0, 1)
        self.p.copy_(torch.where(due, moved, self.p))
        self.r.copy_(torch.where(due, r, self.r))
        self.signs.mul_(~due)
        self.images.mul_(~due)

    @property
    def figures(self) -> dict[str, Tensor]:
        """p, and the r_t that moved it last."""
        found = {"augmentation/p": self.p}
        return found if self.target is None else {**found, "augmentation/r": self.r}


MOVES = {"blit": blit, "geometry": geometry}  # in the order they are applied
