"""Pictures in files, scored: a table, and for each a picture of where it is unlike what the networks make of it."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from gan_lab.data.progress import Progress
from gan_lab.data.sources.images import ImageError, decode, fit
from gan_lab.detection.normals import Normals
from gan_lab.errors import describe
from gan_lab.pictures.grid import write_png
from gan_lab.pictures.panel import panel
from gan_lab.sampling.detector import Detector, residual
from gan_lab.storage.files import write_text
from gan_lab.translation.pictures import Item, Pictures

HEADER = ("file", "score", "share_of_normals_below", "anomalous")


class Scored(NamedTuple):
    """`share` is that of held-out normal pictures whose score is no larger; None where none are kept."""

    file: str
    score: float
    share: float | None
    anomalous: bool


class Judge(NamedTuple):
    """What scores pictures as training saw its data: fitted to `shape` `(C, H, W)` as `how` says."""

    detector: Detector
    shape: tuple[int, int, int]
    how: str
    threshold: float
    normals: Normals | None

    def score_all(
        self, pictures: Pictures, heatmaps: Path | None, note: dict[str, str]
    ) -> tuple[list[Scored], dict[str, str]]:
        """Every picture, the most anomalous first; and of those that cannot be read the reasons. With `heatmaps` a
        picture of each goes there, under its own name."""
        found: list[Scored] = []
        failed: dict[str, str] = {}
        progress = Progress("scoring", len(pictures.items))
        for start in range(0, len(pictures.items), self.detector.AT_ONCE):
            part = pictures.items[start : start + self.detector.AT_ONCE]
            items, images = self._read(pictures, part, failed)
            if items:
                scores, made = self.detector(images)
                found += [self.judged(item.name, float(score)) for item, score in zip(items, scores, strict=True)]
                for place, item in enumerate(items if heatmaps is not None else ()):
                    assert heatmaps is not None
                    one = slice(place, place + 1)
                    write_png(heatmaps / f"{item.stem}.png", heatmap(images[one], made[one]), note)
            progress.update(start + len(part))
        progress.close()
        return sorted(found, key=lambda each: (-each.score, each.file)), failed

    def judged(self, file: str, score: float) -> Scored:
        share = None if self.normals is None else self.normals.share_below(score)
        return Scored(file, score, share, not score <= self.threshold)  # what is no number is anomalous

    def _read(self, pictures: Pictures, part: Sequence[Item], failed: dict[str, str]) -> tuple[list[Item], Tensor]:
        items, images = [], []
        for item in part:
            try:
                images.append(fit(decode(pictures.read(item)), self.shape, self.how))
                items.append(item)
            except ImageError as error:
                failed[item.name] = describe(error)
        return items, torch.from_numpy(np.stack(images)).float() / 127.5 - 1 if images else torch.empty(0)


def write_table(path: Path, rows: Sequence[Scored]) -> None:
    """As csv."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(HEADER)
    for row in rows:
        share = "" if row.share is None else f"{row.share:.4f}"
        writer.writerow((row.file, f"{row.score:.6g}", share, "yes" if row.anomalous else "no"))
    write_text(path, text.getvalue())


def heatmap(images: Tensor, made: Tensor) -> Tensor:
    """Pictures `(n, C, H, W)` in [-1, 1], what was made of them, and where the two differ, side by side as one uint8
    picture `(3, H', W')`. The colours of the last are fixed: black is equal, red a quarter of the way from black to
    white, yellow a half, white three quarters or more."""
    return panel({"picture": images, "made": made, "unlike": heat(residual(images, made))}, tile=128)


def heat(residuals: Tensor) -> Tensor:
    """`(n, 1, H, W)` in [-1, 1], from equal to black against white, as colours `(n, 3, H, W)` in [-1, 1]."""
    share = (residuals + 1) / 2  # of the way from black to white
    return torch.cat([(4 * share - shift).clamp(0, 1) * 2 - 1 for shift in (0, 1, 2)], 1)
