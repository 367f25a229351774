"""Which pictures a detector is tested on, which of them are normal, and what is said of it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from gan_lab.data.dataset import Dataset, build_dataset
from gan_lab.detection.normals import Normals, score_normals, scores_of
from gan_lab.detection.protocol import assess, pictures_to_test
from gan_lab.engine.engine import Engine
from gan_lab.errors import ConfigError
from gan_lab.sampling.detector import Detector
from tests.compose import composed
from tests.data.conftest import encoded, noise, write_tree


class Brightness(Detector):
    """The mean of a picture."""

    def compare(self, images: Tensor) -> tuple[Tensor, Tensor]:
        return images.flatten(1).mean(1), images


BRIGHTNESS = Brightness({}, Engine(device="cpu", precision="fp32"))


def of(path: Path, **more: Any) -> Dataset:
    node = composed("dataset=folder", f"dataset.path={path}", "dataset.image_shape=[3,8,8]")["dataset"]
    return build_dataset({**node, **more})


@pytest.fixture
def parts(tmp_path: Path) -> Path:
    """Good parts to train on; good, bent and cracked ones to test with."""
    sizes = {"train/good": 10, "test/good": 4, "test/bent": 3, "test/cracked": 2}
    members = {
        f"{folder}/{n}.png": encoded(noise(8, 8, seed=n)) for folder, count in sizes.items() for n in range(count)
    }
    return write_tree(tmp_path / "parts", members)


def counts(data: Dataset, normal: Sequence[str] | None = None) -> list[tuple[str, int, int]]:
    """Of each part its name, and how many of its pictures are normal and anomalous."""
    found, _ = pictures_to_test(data, normal)
    return [(part.split, int((~part.anomalous).sum()), int(part.anomalous.sum())) for part in found]


def test_all_of_the_test_split_of_which_what_was_trained_on_is_normal(parts: Path) -> None:
    """Classes that training has not seen among them, and nothing of what is held out."""
    data = of(parts, held_out=0.2)
    assert counts(data, ["good"]) == [("test", 4, 5)]  # one folder of pictures has no classes
    assert counts(data, ["good", "bent"]) == [("test", 7, 2)]


def test_without_a_test_split_what_is_held_out_and_all_other_classes(parts: Path) -> None:
    data = of(parts / "test", classes=["bent", "good"], held_out=0.3)
    assert data.store.classes == ["bent", "good"]
    assert (len(data.store), len(data.rest.store)) == (5, 2)
    assert counts(data) == [("held out", 2, 0), ("other classes", 0, 2)]


def test_what_cannot_be_tested(parts: Path) -> None:
    with pytest.raises(ConfigError, match=r"^normal: rusty is not one of the 3 classes"):
        pictures_to_test(of(parts), ["rusty"])
    with pytest.raises(
        ConfigError, match=r"^normal: all of the 9 test pictures are of the classes good, bent, cracked"
    ):
        pictures_to_test(of(parts), ["good", "bent", "cracked"])
    with pytest.raises(ConfigError, match=r"^dataset.held_out: folder has no test split, and no normal pictures"):
        pictures_to_test(of(parts / "test", classes=["good"]))  # whose test split would be itself
    with pytest.raises(ConfigError, match=r"^normal: the data has no classes"):
        pictures_to_test(of(parts / "test" / "good"))


def test_figures_are_those_of_the_scores(parts: Path) -> None:
    data = of(parts)
    found = assess(BRIGHTNESS, data, ["good"])
    (part,) = found.parts
    means = torch.from_numpy(np.array(part.store.images)).float().flatten(1).mean(1)
    anomalous = torch.from_numpy(part.anomalous)
    bad, good = means[anomalous][:, None], means[~anomalous]
    expected = ((bad > good).double() + (bad == good).double() / 2).mean()
    assert found.rows[0].ranking.auroc == pytest.approx(float(expected))
    figures = {figure.name: figure for figure in found.figures({"step": 7})}
    assert figures["auroc/detector-9"].value == found.rows[0].ranking.auroc
    assert not figures["auroc/detector-9"].lower_is_better
    assert figures["fpr95_nearest/pixels-9"].lower_is_better
    card = figures["auroc_pca/pixels-9"].card
    assert (card["n"], card["step"], card["settings"]) == (9, 7, {"normal": ["good"], "anomalous": 5})
    assert card["reference"]["split"] == "test"
    assert [row.name for row in found.rows] == ["", "pca", "nearest"]
    assert len(found.lines()) == 4


def test_scores_of_normals_are_those_of_what_is_held_out(parts: Path) -> None:
    data = of(parts, held_out=0.2)
    normals = score_normals(BRIGHTNESS, data, 5)
    assert normals.scores == sorted(scores_of(BRIGHTNESS, data.rest.store).tolist())
    with pytest.raises(ConfigError, match=r"^dataset.held_out: a threshold needs normal pictures"):
        score_normals(BRIGHTNESS, of(parts), 5)


def test_normals_are_kept_and_read(tmp_path: Path) -> None:
    normals = Normals(3, [0.1, 0.2, 0.2, 0.7])
    assert [normals.share_below(score) for score in (0.0, 0.1, 0.2, 0.5, 1.0)] == [0, 0.25, 0.75, 0.75, 1]
    assert normals.threshold(0.75) == 0.2
    assert Normals.read(tmp_path) is None
    normals.write(tmp_path, 0.75)
    assert Normals.read(tmp_path) == normals
