"""Images of a class: which are kept, where they stand among those of the seed, and when it is given up."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from gan_lab.algorithms.latents import Normal
from gan_lab.algorithms.noise_sampler import NoiseSampler
from gan_lab.engine.engine import Engine
from gan_lab.pictures.grid import to_bytes
from gan_lab.sampling.request import Request
from gan_lab.sampling.sampler import all_images
from gan_lab.synthetic_data.making import MOST_TRIES, make


class Echo(nn.Module):
    """Shows the latent and the class as two pixels."""

    num_classes = 3

    def forward(self, latent: Tensor, label: Tensor) -> Tensor:
        return torch.stack([latent[:, 0] / 4, label / 10], 1).view(-1, 1, 1, 2)


SAMPLER = NoiseSampler(Echo(), Normal(1), Engine(device="cpu", precision="fp32"))


def bright(images: Tensor) -> Tensor:
    return images[:, 0, 0, 0].float() / 255


def test_without_a_judge_they_are_the_first_of_the_seed() -> None:
    made = make(SAMPLER, 2, 5, seed=3)
    expected = to_bytes(all_images(SAMPLER, Request(5, 3, label=torch.full((5,), 2))))
    assert torch.equal(made.images, expected)
    assert made.places.tolist() == [0, 1, 2, 3, 4]
    assert (made.confidence, made.tried, made.kept, made.share) == (None, 5, 5, 1.0)


def test_a_judge_keeps_the_first_good_ones() -> None:
    made = make(SAMPLER, 1, 10, seed=3, judge=bright, least=0.6)
    every = to_bytes(all_images(SAMPLER, Request(200, 3, label=torch.full((200,), 1))))
    good = [place for place, likely in enumerate(bright(every)) if likely >= 0.6]
    assert made.places.tolist() == good[:10]
    assert torch.equal(made.images, every[good[:10]])
    assert torch.equal(made.confidence, bright(made.images))  # type: ignore[arg-type]
    assert made.tried % SAMPLER.AT_ONCE == 0
    assert made.kept == sum(place < made.tried for place in good)
    assert made.share == made.kept / made.tried


def test_it_is_given_up() -> None:
    made = make(SAMPLER, 1, 4, seed=0, judge=bright, least=1.1)
    assert (len(made.images), len(made.places), made.tried, made.kept) == (0, 0, 4 * MOST_TRIES, 0)
    assert len(make(SAMPLER, 1, 0, seed=0).images) == 0
