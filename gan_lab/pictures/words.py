"""Words as pictures, to stand beside others in a panel."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

HEIGHT, WIDTH = 64, 128  # pixels
LINE, MARGIN = 11, 2


def written(texts: Sequence[str]) -> Tensor:
    """Each of N texts on white, in lines as wide as there is room, as `(N, 3, 64, 128)` in [-1, 1]; what has no room is
    left out. A font without Unicode shows `?`."""
    return torch.stack([_written(text) for text in texts])


def _written(text: str) -> Tensor:
    from PIL import Image, ImageDraw, ImageFont

    picture = Image.new("RGB", (WIDTH, HEIGHT), "white")
    draw, font = ImageDraw.Draw(picture), ImageFont.load_default()
    if isinstance(font, ImageFont.ImageFont):
        text = text.encode("latin-1", "replace").decode("latin-1")
    lines = [""]
    for word in text.split():
        longer = f"{lines[-1]} {word}".strip()
        fits = draw.textlength(longer, font) <= WIDTH - 2 * MARGIN
        lines = [*lines[:-1], longer] if fits or not lines[-1] else [*lines, word]
    for number, line in enumerate(lines):
        draw.text((MARGIN, MARGIN + number * LINE), line, "black", font)
    return torch.from_numpy(np.array(picture)).permute(2, 0, 1).float() / 127.5 - 1
