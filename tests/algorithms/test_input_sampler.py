"""Images from inputs: each from its own, whatever the parts they are made in."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn

from gan_lab.algorithms.input_sampler import InputSampler
from gan_lab.data.batch import Batch
from gan_lab.engine.engine import Engine
from gan_lab.errors import ConfigError
from gan_lab.sampling.request import Request
from gan_lab.sampling.sampler import all_images


class Doubling(nn.Module):
    """Twice its input, and a tenth of its label beside it; in training mode, noise."""

    def __init__(self, num_classes: int = 0) -> None:
        super().__init__()
        self.num_classes = num_classes
        self.weight = nn.Parameter(torch.tensor(2.0))

    def forward(self, image: Tensor, label: Tensor | None = None) -> Tensor:
        made = torch.randn_like(image) if self.training else self.weight * image
        shown = torch.zeros(len(image)) if label is None else label / 10
        return torch.cat((made, shown.view(-1, 1, 1, 1).expand_as(made)), 1)


def sampler(num_classes: int = 0, at_once: int = 4) -> InputSampler:
    made = InputSampler(Doubling(num_classes), Engine(device="cpu", precision="fp32"))
    made.AT_ONCE = at_once  # type: ignore[misc]
    return made


INPUT = torch.linspace(-1, 1, 10).view(10, 1, 1, 1).expand(10, 1, 2, 2)


@pytest.mark.parametrize("at_once", [1, 4, 5, 64])
def test_each_image_is_made_of_its_own_input(at_once: int) -> None:
    """No further than [-1, 1], and without a gradient."""
    images = all_images(sampler(at_once=at_once), Request(10, input=INPUT))
    assert torch.equal(images[:, :1], (2 * INPUT).clamp(-1, 1))
    assert not images.requires_grad


def test_labels_go_with_their_inputs() -> None:
    asked = torch.arange(10) % 3
    images = all_images(sampler(3), Request(10, input=INPUT, label=asked))
    assert (images[:, 1, 0, 0] * 10).round().int().tolist() == asked.tolist()
    in_turn = all_images(sampler(4), Request(10, input=INPUT))
    assert (in_turn[:, 1, 0, 0] * 10).round().int().tolist() == [0, 1, 2, 3, 0, 1, 2, 3, 0, 1]
    assert sampler(3).takes == {"input", "label"}
    assert sampler().takes == {"input"}


def test_a_panel_shows_what_was_given_made_and_wanted() -> None:
    shown = Batch(INPUT + 5, input=INPUT)
    panel = sampler().panel(shown, 0)
    assert list(panel) == ["input", "made", "target"]
    assert torch.equal(panel["input"], INPUT)
    assert torch.equal(panel["made"][:, :1], (2 * INPUT).clamp(-1, 1))
    assert torch.equal(panel["target"], INPUT + 5)


def test_there_are_no_codes() -> None:
    with pytest.raises(ConfigError, match="^codes: this generator has no latents"):
        sampler().codes(1, 0)
