"""Which images each arm is trained on, what flips and crops do, and that every arm answers the same test."""

from __future__ import annotations

import numpy as np
import torch
from torch.nn.functional import pad

from gan_lab.features.fitting_classifier import Labelled
from gan_lab.synthetic_data.arms import ADDED, ALONE, CHANGED, OVERSAMPLED, REAL, arms, compare, flip_and_crop

REAL_LABELS, FAKE_LABELS = [0, 0, 0, 0, 1, 2, 1], [0, 0, 0, 0, 1, 1, 1, 1, 2, 2]


def test_the_five() -> None:
    """Classes of 4, 2 and 1 are to have 4, 4 and 3; of the last the generator has made only two."""
    found = {arm.name: arm for arm in arms(np.array(REAL_LABELS + FAKE_LABELS), 7, [4, 4, 3], flip_and_crop)}
    real = list(range(7))
    assert found[REAL].places.tolist() == found[CHANGED].places.tolist() == real
    assert [name for name, arm in found.items() if arm.change is not None] == [CHANGED]
    assert found[OVERSAMPLED].places.tolist() == [*real, 4, 6, 5, 5]
    assert found[ADDED].places.tolist() == [*real, 11, 12, 15, 16]
    assert found[ALONE].places.tolist() == [*range(7, 17)]
    assert list(found) == [REAL, CHANGED, OVERSAMPLED, ADDED, ALONE]


def test_flips_and_crops_are_windows_of_a_wider_image() -> None:
    images = torch.arange(40 * 2 * 8 * 16.0).view(40, 2, 8, 16)
    moved = flip_and_crop(images, torch.Generator().manual_seed(0))
    assert torch.equal(moved, flip_and_crop(images, torch.Generator().manual_seed(0)))
    wide, seen = pad(images, (2, 2, 1, 1), mode="replicate"), set()
    for image, whole in zip(moved, wide, strict=True):
        windows = {
            (row, column, flipped): torch.equal(image, window.flip(2) if flipped else window)
            for row in range(3)
            for column in range(5)
            for flipped in (False, True)
            for window in (whole[:, row : row + 8, column : column + 16],)
        }
        assert sum(windows.values()) == 1
        seen.add(next(where for where, equal in windows.items() if equal))
    assert {row for row, _, _ in seen} == {0, 1, 2}
    assert {column for _, column, _ in seen} == {0, 1, 2, 3, 4}
    assert {flipped for *_, flipped in seen} == {False, True}
    kept = flip_and_crop(images[:, :, :, :1].expand(-1, -1, -1, 16), torch.Generator().manual_seed(0), flip=False)
    assert torch.equal(kept, kept.flip(3))  # columns are alike, and rows only moved


def test_a_class_that_only_the_generator_has_shown_is_known_by_its_arm() -> None:
    """Dark is 0 and bright 1. Real images are all dark: 0 is answered; with generated ones in, both are right."""
    rng = np.random.default_rng(0)
    dark, bright = (rng.integers(low, low + 60, (40, 1, 8, 8), np.uint8) for low in (0, 190))
    labels = np.repeat([0, 1], 40)
    data = Labelled(np.concatenate([dark, bright]), labels, 2, 1, 32, torch.device("cpu"))
    test = data._replace(images=data.images[::-1].copy(), labels=labels[::-1].copy())
    each = [arm for arm in arms(labels, 40, [40, 40], flip_and_crop) if arm.name in (REAL, ADDED)]
    real, added = compare(data, test, each, [0, 1], 12)
    assert (real.name, real.images, real.recalls) == (REAL, 40, [1.0, 0.0])
    assert [score.worst_recall for score in real.scores] == [0.0, 0.0]
    assert (added.name, added.images, added.recalls) == (ADDED, 80, [1.0, 1.0])
    assert [score.accuracy for score in added.scores] == [1.0, 1.0]
