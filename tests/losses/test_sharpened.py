from __future__ import annotations

import torch
from torch.testing import assert_close

from gan_lab.degradations.sharpen import sharpen
from gan_lab.losses.distances import L1
from gan_lab.losses.sharpened import Sharpened


def test_what_is_wanted_is_sharpened_and_what_was_made_is_not() -> None:
    step = torch.where(torch.arange(40) > 20, 0.5, -0.5).expand(2, 3, 32, 40)
    away = (sharpen(step) - step).abs().mean()
    assert away > 0.01
    assert float(Sharpened(L1())(sharpen(step), step)) == 0
    assert_close(Sharpened(L1())(step, step), away)
