"""The content of one picture in the style of another, by descent on pixels (Gatys et al. 2015, arXiv:1508.06576)."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import torch
from torch import Tensor, nn

from gan_lab.losses.style import gram

CONTENT = "relu4_2"
STYLES = ("relu1_1", "relu2_1", "relu3_1", "relu4_1", "relu5_1")
LAYERS = (*STYLES, CONTENT)
HISTORY = 20  # gradients that L-BFGS remembers
EPS = 1e-12


class Likeness(NamedTuple):
    """How far an image is from the content of one picture and from the style of another, 0-d."""

    content: Tensor
    style: Tensor


class ContentAndStyle:
    """With maps F of `vgg`, those P of `content` and those S of `style`, `(1, C, H, W)` each and of any sizes:

    content: 1/2 the mean of (F - P)^2 at `relu4_2` (equation 1; there it is the sum, and depends on the size);
    style: the mean over five layers, each a fifth, of sum (G - A)^2 / (4 N^2 M^2), N channels, M places, G and A the
    Gram matrices of F and S (equations 4 and 5).

    The paper scales VGG so that its maps have a mean of 1. Here the maps of each layer are divided by their mean over
    both pictures, so that weights mean the same for every VGG. Nothing of the pictures carries a gradient.
    """

    @torch.no_grad()
    def __init__(self, vgg: nn.Module, content: Tensor, style: Tensor) -> None:
        self.vgg = vgg
        wanted, styles = vgg(content), vgg(style)
        self.scales = {name: 2 / (wanted[name].mean() + styles[name].mean() + EPS) for name in LAYERS}
        self.content = wanted[CONTENT] * self.scales[CONTENT]
        self.grams = {name: gram(styles[name] * self.scales[name]) for name in STYLES}

    def __call__(self, images: Tensor) -> Likeness:
        maps = {name: each * self.scales[name] for name, each in self.vgg(images).items()}
        content = (maps[CONTENT] - self.content).square().mean() / 2
        terms = [(gram(maps[name]) - self.grams[name]).square().sum() / 4 for name in STYLES]
        return Likeness(content, torch.stack(terms).mean())


def optimise(
    likeness: ContentAndStyle,
    start: Tensor,
    steps: int,
    content_weight: float,
    style_weight: float,
    watch: Callable[[int], object] = lambda step: None,
) -> Tensor:
    """`start` `(1, C, H, W)` in [-1, 1] after so many iterations of L-BFGS (with strong Wolfe conditions) on its
    pixels, in [-1, 1]. `watch` hears of each."""
    pixels = start.detach().clone().requires_grad_()
    optimizer = torch.optim.LBFGS(
        [pixels], max_iter=1, max_eval=25, history_size=HISTORY, line_search_fn="strong_wolfe"
    )

    def closure() -> Tensor:
        optimizer.zero_grad()
        found = likeness(pixels)
        loss = content_weight * found.content + style_weight * found.style
        loss.backward()
        return loss

    for step in range(steps):
        optimizer.step(closure)
        watch(step + 1)
    return pixels.detach().clamp(-1, 1)
