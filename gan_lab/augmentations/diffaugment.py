"""Differentiable augmentation for GANs from little data (Zhao et al. 2020, arXiv:2006.10738)."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from torch import Tensor, nn

from gan_lab.augmentations.area import check_has_area


class DiffAugment(nn.Module):
    """What `policy` names, in its order, each with fresh numbers for every image (section 4 of the paper).

    `color`: brightness, saturation, contrast (each can be named alone). `translation`: up to 1/8 of each side, zeros
    come in. `cutout`: a rectangle of half of each side becomes 0. Everything is linear or affine in an image, so
    penalties differentiate through it. With one channel, saturation changes nothing. Images in [-1, 1], not clipped.
    Raises ValueError for an empty or unknown policy and for images of one pixel.
    """

    def __init__(self, image_shape: Sequence[int], policy: Sequence[str] = ("color", "translation", "cutout")) -> None:
        super().__init__()
        check_has_area(image_shape)
        if isinstance(policy, str) or not policy or not set(policy) <= set(STEPS):
            raise ValueError(f"policy must be a list of {', '.join(STEPS)}, not {policy!r}")
        self.policy = list(policy)

    def forward(self, images: Tensor) -> Tensor:
        for name in self.policy:
            for step in STEPS[name]:
                images = step(images)
        return images


def brightness(images: Tensor) -> Tensor:
    """Add b ~ U[-0.5, 0.5)."""
    return images + (_uniform(images) - 0.5)


def saturation(images: Tensor) -> Tensor:
    """Multiply each pixel's distance to its grey (the mean over channels) by s ~ U[0, 2)."""
    grey = images.mean(1, keepdim=True)
    return grey + (images - grey) * (2 * _uniform(images))


def contrast(images: Tensor) -> Tensor:
    """Multiply the distance to the image's mean by c ~ U[0.5, 1.5)."""
    mean = images.mean((1, 2, 3), keepdim=True)
    return mean + (images - mean) * (_uniform(images) + 0.5)


def translation(images: Tensor, ratio: float = 0.125) -> Tensor:
    """Move by whole pixels, uniform within `ratio` of each side (rounded); what comes in is 0."""
    for dim in (2, 3):
        size, n = images.shape[dim], len(images)
        most = int(size * ratio + 0.5)
        shift = torch.randint(-most, most + 1, (n, 1), device=images.device)
        source = torch.arange(size, device=images.device) + shift  # (N, size)
        inside = (source >= 0) & (source < size)
        along = [n, 1, 1, 1]
        along[dim] = size
        index = source.clamp(0, size - 1).view(along).expand(images.shape)
        images = images.gather(dim, index) * inside.view(along)
    return images


def cutout(images: Tensor, ratio: float = 0.5) -> Tensor:
    """Set a rectangle of `ratio` of each side to 0; its centre is uniform, so part of it may lie outside."""
    hole = None
    for dim in (2, 3):
        size, n = images.shape[dim], len(images)
        length = int(size * ratio + 0.5)
        # an even length has its centre between two pixels, so there is one place more
        start = torch.randint(0, size + 1 - length % 2, (n, 1), device=images.device) - length // 2
        offset = torch.arange(size, device=images.device) - start  # (N, size)
        along = [n, 1, 1, 1]
        along[dim] = size
        inside = ((offset >= 0) & (offset < length)).view(along)
        hole = inside if hole is None else hole & inside
    assert hole is not None
    return images * ~hole


def _uniform(images: Tensor) -> Tensor:
    return torch.rand(len(images), 1, 1, 1, device=images.device, dtype=images.dtype)


STEPS: dict[str, tuple[Callable[[Tensor], Tensor], ...]] = {
    "color": (brightness, saturation, contrast),
    "brightness": (brightness,),
    "saturation": (saturation,),
    "contrast": (contrast,),
    "translation": (translation,),
    "cutout": (cutout,),
}
