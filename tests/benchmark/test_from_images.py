"""The authors' loops against ours: the same game, step for step, when both see the same images."""

from __future__ import annotations

import copy
import math
import random
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
from torch import Tensor
from torch.testing import assert_close

from gan_lab.benchmark.cut import nce
from gan_lab.benchmark.from_images import Pairs, Pool, loader
from gan_lab.benchmark.textbook import textbook
from gan_lab.errors import ConfigError
from gan_lab.training.run import Run
from tests.compose import tiny_run

PLAIN = ("precision=fp32", "optimizer/schedule=constant")
ALONE = ("model=pix2pix", "algorithm=regression", "loss=regression", "~model.discriminator", "~optimizer.discriminator")
# CUT: at every place, so that it is of no account in which order they are drawn. With channels last its first gradients
# are a hundredth off those of float64 (norms of images that differ little); without a ten-thousandth, as the loop's.
EVERY_PLACE = ("algorithm.patches=10000",)


def same(run: Run) -> Iterator[tuple[Tensor, Tensor]]:
    """The batches that `run` sees, from a second stream."""
    stream = copy.copy(run.stream)
    while True:
        batch = stream.next()
        assert batch.input is not None
        yield batch.input, batch.image


@pytest.mark.parametrize(
    "overrides",
    [
        ("model=pix2pix",),
        ("model=pix2pix", "algorithm.condition=null"),
        ("model=cyclegan", "algorithm.pool=50"),
        ("model=cyclegan", "algorithm.pool=0", "loss/regularizers=[cycle]"),
        ALONE,
        ("model=cut", *EVERY_PLACE),
        ("model=fastcut", "algorithm.mirrored=1.0", *EVERY_PLACE),
    ],
    ids=["pix2pix", "alone", "cyclegan", "cycle", "regression", "cut", "fastcut, always mirrored"],
)
def test_the_authors_loop_plays_our_game(overrides: tuple[str, ...], tmp_path: Path) -> None:
    run = tiny_run(tmp_path, *PLAIN, *overrides, "degradation=edges")
    step = textbook(run, same(run))
    for near in (1e-4, 1e-3, 1e-2):  # Adam's first steps make much of a rounding
        judged, made = step()
        run.play()
        assert made == pytest.approx(float(run.metrics["loss/generator"]), rel=near)
        if "loss/discriminator" in run.metrics:
            assert judged == pytest.approx(float(run.metrics["loss/discriminator"]), rel=near)


def test_patches_are_told_apart_in_closed_form() -> None:
    """Orthonormal patches that are alike: each against three others at 0, and the one that is out of the way."""
    points = torch.eye(4)[None].repeat(2, 1, 1)
    rest = 3 + math.exp(-10 / 0.5)
    expected = -math.log(math.exp(2) / (math.exp(2) + rest))
    loss = nce([points, points], [points, points], 0.5)
    assert float(loss) == pytest.approx(expected, rel=1e-5)
    apart = nce([points], [points.roll(1, 1)], 0.5)
    others = 2 + math.exp(2) + math.exp(-10 / 0.5)  # one of them is alike, and none of its own place counts
    assert float(apart) == pytest.approx(-math.log(1 / (1 + others)), rel=1e-5)


def test_a_pool_of_a_list_keeps_and_returns() -> None:
    random.seed(0)
    pool = Pool(4)
    first = torch.arange(4.0).view(4, 1)
    assert torch.equal(pool.query(first), first)
    later = torch.arange(4.0, 404.0).view(400, 1)
    found = pool.query(later)
    assert 150 < int((found != later).sum()) < 250
    kept = torch.stack(pool.images)
    assert sorted(torch.cat((found, kept)).flatten().tolist()) == torch.arange(404.0).tolist()  # none is lost
    assert torch.equal(Pool(0).query(later), later)


def test_the_loader_gives_pairs(tmp_path: Path) -> None:
    run = tiny_run(tmp_path, "model=pix2pix", "degradation=edges")
    input, image = Pairs(run)[3]
    assert_close(image, run.store.read([3])[0])
    batch = run.stream.at(torch.tensor([3]))
    assert batch.input is not None
    assert_close(input, batch.input[0], atol=1e-5, rtol=1e-5)
    inputs, images = next(loader(run))
    assert inputs.shape == images.shape == (4, 1, 16, 16)


@pytest.mark.parametrize(
    ("overrides", "what"),
    [
        (["model=pix2pix", "loss=hinge", "loss/regularizers=[l1]"], "loss.adversarial Hinge in Translation"),
        (["model=pix2pix", "loss/regularizers=[l1,r1]"], "loss.regularizers.r1"),
        (["model=cyclegan", "+technique=[diffaugment]"], "an augmentation"),
        (["model=cut", "loss/regularizers=[patch_nce,identity]"], "loss.regularizers.identity"),
        (["model=pix2pix", "algorithm=inpainting"], "algorithm Inpainting"),
    ],
)
def test_a_game_without_a_loop_is_refused(overrides: list[str], what: str, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=f"no loop with {what}; measure against=eager"):
        textbook(tiny_run(tmp_path, *overrides))
