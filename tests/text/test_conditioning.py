from __future__ import annotations

import torch
from torch.testing import assert_close

from gan_lab.text.bag import BagOfTokens
from gan_lab.text.conditioning import ConditioningAugmentation


def test_a_draw_in_training_and_the_mean_in_use() -> None:
    torch.manual_seed(0)
    around = ConditioningAugmentation(BagOfTokens(9, 5, 8))
    torch.nn.init.zeros_(around.to_moments.weight)
    around.to_moments.bias.data = torch.cat((torch.arange(5.0), torch.full((5,), 2.0).log()))
    tokens = torch.ones(20_000, 1, dtype=torch.int64)
    assert_close(around.eval()(tokens[:3]), torch.arange(5.0).expand(3, 5))
    drawn = around.train()(tokens)
    assert_close(drawn.mean(0), torch.arange(5.0), atol=0.06, rtol=0)
    assert_close(drawn.std(0), torch.full((5,), 2.0), atol=0.05, rtol=0)
    assert around.dim == 5
