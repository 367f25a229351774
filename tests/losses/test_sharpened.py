"""Both terms by hand: what was made is compared as it is, what was wanted after unsharp masking."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.testing import assert_close

from gan_lab.degradations.sharpen import sharpen
from gan_lab.losses.distances import L1
from gan_lab.losses.regularizers import Turn
from gan_lab.losses.sharpened import Sharpened, SharpenedPerceptual

STEP = torch.where(torch.arange(40) > 20, 0.5, -0.5).expand(2, 3, 32, 40)


class Twice(nn.Module):
    def forward(self, images: Tensor) -> dict[str, Tensor]:
        return {"twice": 2 * images}


def test_what_is_wanted_is_sharpened_and_what_was_made_is_not() -> None:
    away = (sharpen(STEP) - STEP).abs().mean()
    assert away > 0.01
    assert float(Sharpened(L1())(sharpen(STEP), STEP)) == 0
    assert_close(Sharpened(L1())(STEP, STEP), away)


def test_the_network_sees_it_sharpened() -> None:
    term = SharpenedPerceptual("target", lambda layers: Twice(), L1(), {"twice": 0.5})

    def value(made: Tensor) -> Tensor:
        return term(Turn(STEP, made, lambda x: x, pairs={"target": (made, STEP)}))

    assert float(value(sharpen(STEP))) == 0
    assert_close(value(STEP), (sharpen(STEP) - STEP).abs().mean())
