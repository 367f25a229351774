"""Scores of pictures depend on each picture alone, whatever is tested beside it."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from gan_lab.engine.engine import Engine
from gan_lab.layers.minibatch_deviation import MinibatchDeviation
from gan_lab.sampling.detector import Detector, residual
from tests.compose import tiny_run

MODELS = ("ganomaly", "egbad", "fanogan")


def images(count: int) -> Tensor:
    return torch.rand(count, 1, 16, 16, generator=torch.Generator().manual_seed(0)) * 2 - 1


@pytest.mark.parametrize("model", MODELS)
def test_neither_order_nor_what_is_beside_changes_a_score(model: str, tmp_path: object) -> None:
    """BatchNorm in evaluation mode, though the networks have just been trained; a batch more or less, turned around,
    and one by one."""
    run = tiny_run(tmp_path, f"model={model}")  # type: ignore[arg-type]
    run.play()
    detector, given = run.sampler().detector, images(Detector.AT_ONCE + 3)
    assert detector is not None
    found = detector(given)
    assert found.scores.shape == (len(given),)
    assert found.made.shape == given.shape
    assert found.scores.std() > 0
    turned = detector(given.flip(0))
    torch.testing.assert_close(turned.scores.flip(0), found.scores, rtol=1e-4, atol=1e-6)
    one_by_one = torch.cat([detector(one[None]).scores for one in given[:5]])
    torch.testing.assert_close(one_by_one, found.scores[:5], rtol=1e-4, atol=1e-6)


def test_where_a_network_sees_whole_batches_pictures_go_through_it_one_by_one() -> None:
    class Deviating(Detector):
        def compare(self, images: Tensor) -> tuple[Tensor, Tensor]:
            maps = self.networks["discriminator"](images)
            return maps.flatten(1).sum(1), images

    detector = Deviating({"discriminator": MinibatchDeviation(4)}, Engine(device="cpu", precision="fp32"))
    given = images(3)
    torch.testing.assert_close(detector(given).scores[:1], detector(given[:1]).scores)


def test_a_residual_is_the_mean_over_channels() -> None:
    white, black = torch.ones(1, 3, 2, 2), -torch.ones(1, 3, 2, 2)
    assert residual(white, black).unique().tolist() == [1]
    assert residual(white, white).unique().tolist() == [-1]
    red = torch.cat((white[:, :1], black[:, 1:]), 1)
    torch.testing.assert_close(residual(red, black), torch.full((1, 1, 2, 2), 2 / 3 - 1))
