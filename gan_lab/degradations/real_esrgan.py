"""What happens to pictures in the world, twice: the degradations that Real-ESRGAN learns to undo (Wang et al. 2021,
arXiv:2107.10833, figure 2 and section 3)."""

from __future__ import annotations

import math
from typing import NamedTuple

import torch
from torch import Tensor

from gan_lab.degradations.base import Smaller
from gan_lab.degradations.blur_kernels import draw_kernels, draw_sincs, uniform
from gan_lab.degradations.canvas import MODES, Canvas, filtered, resized, whole_canvas
from gan_lab.degradations.grain import grainy
from gan_lab.degradations.jpeg import Jpeg
from gan_lab.degradations.sharpen import sharpen

Span = tuple[float, float]
FINAL_SINC = 0.8
QUALITY = (30, 95)


class Pass(NamedTuple):
    """One of the two times: how often it blurs, by what; how often it enlarges and shrinks, to what; what noise."""

    blurs: float
    sigma: Span
    up: float
    down: float
    sizes: Span
    noise: Span
    shot: Span


FIRST = Pass(1.0, (0.2, 3.0), 0.2, 0.7, (0.15, 1.5), (1, 30), (0.05, 3.0))
SECOND = Pass(0.8, (0.2, 1.5), 0.3, 0.4, (0.3, 1.2), (1, 25), (0.05, 2.5))


class RealDegradation(Smaller):
    """Blurred, resized, noisy and compressed, then once more, and `scale` times smaller in the end; in half of the
    images the last JPEG comes after the last resizing and its ringing, in the others before. In 256 levels.

    Numbers are those of the authors' code (options/train_realesrgan_x4plus.yml). Deviations: every image has its own
    factors of resizing, where theirs has one for a batch, which a pool of 180 pairs mixes afterwards: so no pool is
    needed, and nothing to be remembered. JPEG has whole qualities. With `sharpened` they begin with images after
    unsharp masking, as in the code.
    """

    def __init__(self, scale: int = 4, sharpened: bool = True) -> None:
        super().__init__(scale, least=1)
        self.sharpened = sharpened
        self.jpeg = Jpeg(QUALITY)

    def forward(self, images: Tensor) -> Tensor:
        _, *size = self.shape((images.shape[1], images.shape[2], images.shape[3]))
        sharp = sharpen(images) if self.sharpened else images
        canvas = whole_canvas(((sharp + 1) / 2).float())
        canvas = self._passed(canvas, FIRST, (images.shape[2], images.shape[3]))
        canvas = self._compressed(canvas)
        canvas = self._passed(canvas, SECOND, (size[0], size[1]))
        return self._finished(canvas, size[0], size[1])

    def _passed(self, canvas: Canvas, numbers: Pass, size: tuple[int, int]) -> Canvas:
        """Blurred, resized relative to `size`, noisy."""
        n, device = len(canvas.values), canvas.values.device
        blurred = filtered(canvas, draw_kernels(n, numbers.sigma, device)).values
        chosen = uniform(n, 0, 1, device)[..., None] < numbers.blurs
        canvas = canvas._replace(values=torch.where(chosen, blurred, canvas.values))
        factor, mode = draw_factor(n, numbers, device), draw_mode(n, device)
        height, width = ((factor * side).floor().clamp(min=1).long() for side in size)
        most = (math.ceil(size[0] * numbers.sizes[1]), math.ceil(size[1] * numbers.sizes[1]))
        return grainy(resized(canvas, height, width, most, mode), numbers.noise, numbers.shot)

    def _compressed(self, canvas: Canvas) -> Canvas:
        values = self.jpeg(2 * canvas.extended().clamp(0, 1) - 1)
        return canvas._replace(values=(values + 1) / 2)

    def _finished(self, canvas: Canvas, height: int, width: int) -> Tensor:
        """The last resizing, ringing and JPEG, in one of two orders; in levels of 255."""
        n, device = len(canvas.values), canvas.values.device
        rings, mode = draw_sincs(n, FINAL_SINC, device), draw_mode(n, device)
        last = uniform(n, 0, 1, device)[..., None] < 0.5

        def small(given: Canvas) -> Canvas:
            down, across = (torch.full((n, 1), side, device=device) for side in (height, width))
            return filtered(resized(given, down, across, (height, width), mode), rings)

        after, before = self._compressed(small(canvas)), small(self._compressed(canvas))
        found = torch.where(last, after.values, before.values)
        return (found * 255).round().clamp(0, 255) / 127.5 - 1


def draw_factor(n: int, numbers: Pass, device: torch.device) -> Tensor:
    """`(n, 1)`: larger, smaller or as it was."""
    low, high = numbers.sizes
    which = torch.rand(n, 1, device=device)
    share = torch.rand(n, 1, device=device)
    larger, smaller = 1 + share * (high - 1), low + share * (1 - low)
    return torch.where(which < numbers.up, larger, torch.where(which < numbers.up + numbers.down, smaller, 1.0))


def draw_mode(n: int, device: torch.device) -> Tensor:
    return torch.randint(len(MODES), (n, 1, 1), device=device)
