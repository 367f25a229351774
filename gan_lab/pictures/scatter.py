"""Pictures of samples that are no images: points over the density they should have."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont
from torch import Tensor

from gan_lab.data.sources.points import Mixture

PAPER, SHADE, DOT, FRAME = (255, 255, 255), (58, 110, 190), (214, 72, 32), (150, 150, 150)
FINE = 3  # drawn this many times as large and shrunk, so that edges are smooth


class Scatter:
    """Samples of a plane as small dots over the true density of `mixture`, the square [-extent, extent]^2 on `size`
    pixels, x to the right and y upwards, the axes as fine lines with the extent at their ends.

    The density is shaded by its eighth root, relative to its greatest, so that a narrow mode still shows around the
    samples on it. A sample beyond the square is drawn on its edge. `count` is how many such a picture wants.
    """

    def __init__(self, mixture: Mixture, size: int = 512, dot: float = 3.0, count: int = 1000) -> None:
        if size < 16:
            raise ValueError(f"size={size}: at least 16 pixels")
        if not dot > 0:
            raise ValueError(f"dot={dot}: a diameter in pixels above 0")
        self.mixture = mixture
        self.size = size
        self.dot = dot
        self.count = count
        self._ground: NDArray[np.uint8] | None = None

    def __call__(self, images: Tensor) -> Tensor:
        """`images` `(N, 2, 1, 1)` in [-1, 1] to a uint8 picture `(3, size, size)`."""
        points = images.detach().reshape(len(images), 2).clamp(-1, 1).double().cpu().numpy()
        if self._ground is None:
            self._ground = self._density()
        side = self.size * FINE
        layer = Image.new("L", (side, side))
        draw = ImageDraw.Draw(layer)
        radius = self.dot * FINE / 2
        for x, y in _pixels(np.nan_to_num(points), side):
            draw.ellipse((x - radius, y - radius, x + radius, y + radius), fill=215)
        picture = Image.fromarray(self._ground)
        picture.paste(DOT, mask=layer.resize(picture.size, Image.Resampling.BOX))
        ImageDraw.Draw(picture).rectangle((0, 0, self.size - 1, self.size - 1), outline=FRAME)
        return torch.from_numpy(np.array(picture)).permute(2, 0, 1).contiguous()

    def _density(self) -> NDArray[np.uint8]:
        """The shaded ground `(size, size, 3)`."""
        extent, std = self.mixture.extent, self.mixture.std
        steps = extent * ((np.arange(self.size) + 0.5) / self.size * 2 - 1)
        std = max(std, extent / self.size)  # narrower than a pixel would fall between them
        density = np.zeros((self.size, self.size))
        for x, y in self.mixture.centres:
            columns = np.exp(-((steps - x) ** 2) / (2 * std**2))
            rows = np.exp(-((steps[::-1] - y) ** 2) / (2 * std**2))
            density += np.outer(rows, columns)
        shade = (density / density.max())[..., None] ** 0.125
        ground = (1 - 0.6 * shade) * PAPER + 0.6 * shade * SHADE
        middle = slice((self.size - 1) // 2, self.size // 2 + 1)
        ground[middle] *= 0.94
        ground[:, middle] *= 0.94
        picture = Image.fromarray(np.rint(ground).astype(np.uint8))
        draw, font = ImageDraw.Draw(picture), ImageFont.load_default()
        words = f"{extent:g}"
        draw.text((self.size - 6 - font.getlength(words), self.size / 2 + 4), words, FRAME, font)
        draw.text((self.size / 2 + 6, 4), words, FRAME, font)
        return np.array(picture)


def _pixels(points: NDArray[np.float64], side: int) -> NDArray[np.float64]:
    """From [-1, 1]^2, y upwards, to where Pillow draws on `side` pixels, y downwards."""
    places: NDArray[np.float64] = (points * (1, -1) + 1) / 2 * side - 0.5
    return places
