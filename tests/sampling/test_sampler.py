"""What a request must hold, and requests made from a batch."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from gan_lab.data.batch import Batch
from gan_lab.errors import ConfigError
from gan_lab.sampling.request import Request
from gan_lab.sampling.sampler import all_images
from tests.sampling.stand_ins import Converter, Noisy

IMAGES = torch.rand(3, 1, 4, 4)


@pytest.mark.parametrize(
    ("request_", "words"),
    [
        (Request(3), r"^input: missing; this generator makes each image from another: gan-lab translate run=RUN"),
        (Request(2, input=IMAGES), "^input: 3 of them for n=2 images; there must be as many"),
        (Request(3, input=IMAGES, label=torch.zeros(3)), "^label: this generator was trained without labels"),
    ],
)
def test_what_cannot_be_answered_is_refused_before_anything_is_made(request_: Request, words: str) -> None:
    sampler = Converter(nn.Identity())
    with pytest.raises(ConfigError, match=words):
        sampler.images(request_)
    assert not sampler.asked


def test_a_request_for_a_batch_holds_what_the_network_takes() -> None:
    batch = Batch(IMAGES, torch.arange(3), IMAGES * 2, torch.ones(3, 5))
    request = Converter(nn.Identity()).request_for(batch, 7)
    assert set(request.asked) == {"input"}
    assert (request.n, request.seed) == (3, 7)
    assert request.input is batch.input
    codes = torch.zeros(3, 1)
    assert Noisy(nn.Identity()).request_for(batch, 7, codes).codes is codes
    labelled = Converter(nn.Identity())
    labelled.takes = frozenset({"label", "caption"})
    assert set(labelled.request_for(batch, 7).asked) == {"label", "caption"}


def test_images_are_of_the_inputs() -> None:
    assert torch.equal(all_images(Converter(nn.Identity()), Request(3, input=IMAGES)), IMAGES)
