from __future__ import annotations

import pytest
import torch
from torch import nn
from torch.testing import assert_close

from gan_lab.models.gan_cls import Generator
from gan_lab.text.bag import BagOfTokens
from gan_lab.wrappers.conditioning_augmentation import draw_condition


def test_a_caption_is_drawn_around_in_training() -> None:
    network = draw_condition(lambda: Generator(BagOfTokens(9, 8, 8), (3, 8, 8), 4, 2, 6))
    tokens = torch.tensor([[1, 2]])
    assert not torch.allclose(network.train().embed(tokens), network.embed(tokens))  # type: ignore[operator]
    assert_close(network.eval().embed(tokens), network.embed(tokens))  # type: ignore[operator]
    assert network(torch.randn(1, 4), tokens).shape == (1, 3, 8, 8)


def test_what_reads_no_captions() -> None:
    with pytest.raises(ValueError, match="reads no captions"):
        draw_condition(nn.Identity)
