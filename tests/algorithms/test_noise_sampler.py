"""Images from noise: what decides them, and what can be asked for."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn

from gan_lab.algorithms.latents import BLOCK, Latent, Normal, Signs, Uniform
from gan_lab.algorithms.noise_sampler import NoiseSampler
from gan_lab.data.batch import Batch
from gan_lab.engine.engine import Engine
from gan_lab.errors import ConfigError
from gan_lab.sampling.request import Request
from gan_lab.sampling.sampler import all_images

DIM = 5


class Echo(nn.Module):
    """Shows the latent, and the label if it takes one."""

    def __init__(self, num_classes: int = 0) -> None:
        super().__init__()
        self.num_classes = num_classes

    def forward(self, latent: Tensor, label: Tensor | None = None) -> Tensor:
        shown = torch.zeros(len(latent), 1) if label is None else label[:, None] / 100
        return torch.cat((latent / 10, shown), 1).view(len(latent), 1, 1, DIM + 1)


def sampler(num_classes: int = 0, latent: Latent | None = None) -> NoiseSampler:
    return NoiseSampler(Echo(num_classes), latent or Normal(DIM), Engine(device="cpu", precision="fp32"))


@pytest.mark.parametrize("latent", [Normal(DIM), Uniform(DIM), Signs(DIM)])
@pytest.mark.parametrize("n", [1, 3, 7, 64, 65, 70])
def test_a_sample_depends_on_the_seed_and_its_index_alone(n: int, latent: Latent) -> None:
    """The latent and the label, whatever n is and in whatever parts they are made."""
    many, few = all_images(sampler(3, latent), Request(200, seed=4)), sampler(3, latent)
    assert torch.equal(all_images(few, Request(n, seed=4)), many[:n])
    few.AT_ONCE = 3  # type: ignore[misc]
    assert torch.equal(all_images(few, Request(n, seed=4)), many[:n])
    assert not torch.equal(all_images(few, Request(n, seed=5)), many[:n])


def test_no_two_samples_are_the_same() -> None:
    codes = sampler().codes(3 * BLOCK, 0)
    assert len(codes.unique(dim=0)) == 3 * BLOCK
    assert float(codes.mean().abs()) < 0.1
    assert float((codes.std() - 1).abs()) < 0.1


def test_truncation_depends_on_the_index_too() -> None:
    asked = [all_images(sampler(), Request(n, 1, truncation=0.5)) for n in (3, 100)]
    assert torch.equal(asked[0], asked[1][:3])
    assert float(asked[1].abs().max()) <= 0.05


def test_classes_take_turns_unless_they_are_asked_for() -> None:
    labels = lambda images: (images[:, 0, 0, -1] * 100).round().long().tolist()  # noqa: E731
    assert labels(all_images(sampler(3), Request(7))) == [0, 1, 2, 0, 1, 2, 0]
    assert labels(all_images(sampler(3), Request(2, label=torch.tensor([2, 2])))) == [2, 2]


def test_codes_take_the_place_of_the_seeds() -> None:
    codes = torch.full((2, DIM), 0.5)
    assert all_images(sampler(), Request(2, codes=codes))[:, 0, 0, :-1].unique().tolist() == [pytest.approx(0.05)]


@pytest.mark.parametrize(
    ("request_", "words"),
    [
        (Request(1, label=torch.zeros(1)), "label: this generator was trained without labels"),
        (Request(1, input=torch.zeros(1)), "input: this generator makes images from nothing but its latents"),
        (Request(1, caption=torch.zeros(1)), "caption: this generator does not read captions"),
    ],
)
def test_what_it_does_not_take_is_refused_before_anything_is_made(request_: Request, words: str) -> None:
    with pytest.raises(ConfigError, match=words):
        sampler().images(request_)


def test_a_panel_has_classes_for_columns_and_a_row_shares_its_latent() -> None:
    shown = Batch(torch.zeros(8, 1, 1, DIM + 1))
    assert {name: len(images) for name, images in sampler().panel(shown, 0).items()} == {"samples": 8}
    columns = sampler(4).panel(shown, 0)
    assert list(columns) == ["0", "1", "2", "3"]
    first, last = columns["0"], columns["3"]
    assert len(first) == 2
    assert torch.equal(first[..., :-1], last[..., :-1])
    assert not torch.equal(first[0], first[1])
    assert list(sampler(30).panel(shown, 0)) == ["0", "3", "6", "9", "12", "16", "19", "22", "25", "29"]
