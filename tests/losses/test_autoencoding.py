"""The reconstructions of a discriminator, summed; of one without decoders they are refused."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.testing import assert_close

from gan_lab.errors import ConfigError
from gan_lab.layers.critique import Critique
from gan_lab.losses.autoencoding import AutoEncoding
from gan_lab.losses.regularizers import Turn


class Apart(nn.Module):
    """The mean difference of each picture."""

    def __init__(self) -> None:
        super().__init__()
        self.chosen = {"weights": "mine"}

    def forward(self, made: Tensor, wanted: Tensor) -> Tensor:
        return (made - wanted).abs().mean((1, 2, 3))


class Decoding(nn.Module):
    """Makes the images three too bright, and a quadrant by its number."""

    def reconstructions(self, critique: Critique, quadrant: Tensor) -> list[tuple[Tensor, Tensor]]:
        self.asked = quadrant
        images = critique.images
        assert images is not None
        return [(images + 3, images), (images + quadrant.view(-1, 1, 1, 1), images)]


def turn(mover: nn.Module, images: Tensor | None) -> Turn:
    real = torch.zeros(200, 1, 2, 2)
    critique = Critique(torch.zeros(200), images=images)
    return Turn(real, real, lambda x: x, real_critique=critique, fake_critique=Critique(torch.zeros(200)), mover=mover)


def test_distances_are_averaged_over_images_and_summed_over_decoders() -> None:
    torch.manual_seed(0)
    inside = Decoding()
    found = AutoEncoding(Apart())(turn(nn.Sequential(inside), torch.ones(200, 1, 2, 2)))
    assert_close(found, 3 + inside.asked.float().mean())
    assert inside.asked.bincount().tolist() == [51, 42, 48, 59]  # every image has a quadrant of its own


@pytest.mark.parametrize(("mover", "images"), [(nn.Identity(), torch.ones(200, 1, 2, 2)), (Decoding(), None)])
def test_who_has_no_decoders_is_refused(mover: nn.Module, images: Tensor | None) -> None:
    with pytest.raises(ConfigError, match=r"^loss.regularizers: autoencoding needs one discriminator .*model=fastgan"):
        AutoEncoding(Apart())(turn(mover, images))


def test_the_distance_is_placed_and_says_what_it_chose() -> None:
    term, told = AutoEncoding(Apart(), weight=2.0), []

    def placed(module: Any) -> Any:
        told.append(module)
        return module

    term.place(placed)
    assert told == [term.distance]
    assert term.chosen() == {"distance": {"weights": "mine"}}
    assert AutoEncoding(nn.Identity()).chosen() == {}
