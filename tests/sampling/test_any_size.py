"""Inputs of any size, and what is said where that cannot be."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn

from gan_lab.errors import ConfigError, GanLabError, NonFiniteError
from gan_lab.sampling import any_size
from gan_lab.sampling.any_size import AnySize
from gan_lab.sampling.finite import Finite
from gan_lab.sampling.request import Request
from gan_lab.sampling.sampler import Sampler, all_images
from tests.sampling.stand_ins import Converter
from tests.sampling.test_tiles import RADIUS, Strided, inputs, stack

SHAPE = (2, 24, 24)


def made(sampler: Sampler, height: int, width: int) -> Tensor:
    return all_images(sampler, Request(1, input=inputs(height, width)))


@pytest.mark.parametrize("overlap", [None, 2 * RADIUS, 2 * RADIUS + 1, 2 * RADIUS + 5, 20])
@pytest.mark.parametrize("tile", [23, 24])
def test_by_itself_tiles_make_the_whole(tile: int, overlap: int | None) -> None:
    """Twice what the network sees is enough, whatever more there is to fade over."""
    whole = Converter(stack(2))
    sampler = AnySize(Converter(whole.network), SHAPE, tile, overlap)
    for size in ((37, 53), (24, 61), (9, 70), (20, 20)):
        assert float((made(sampler, *size) - made(whole, *size)).abs().max()) < 2e-6
    assert sampler.tiled(tile).overlap == (2 * RADIUS if overlap is None else overlap)


@pytest.mark.parametrize("scale", [1, 2])
def test_less_is_said_once(scale: int, caplog: pytest.LogCaptureFixture) -> None:
    whole = Converter(stack(scale))
    sampler = AnySize(Converter(whole.network), SHAPE, 24, 2 * RADIUS - 2)
    assert float((made(sampler, 37, 53) - made(whole, 37, 53)).abs().max()) > 1e-5
    made(sampler, 37, 53)
    assert caplog.messages == [
        "overlap: this network sees 3 pixels to every side; tiles of 24 that share 4 are nearly the whole, those that "
        "share 6 would be"
    ]


def test_a_network_that_sees_too_far_shares_what_it_may(caplog: pytest.LogCaptureFixture) -> None:
    network = nn.Sequential(*(nn.Conv2d(2, 2, 3, padding=1) for _ in range(20))).requires_grad_(False)
    assert AnySize(Converter(network), SHAPE, 48).tiled(48).overlap == 12
    assert "those that share 40 would be" in caplog.text
    assert AnySize(Converter(network), SHAPE, 80).tiled(80).overlap == 40


def test_the_network_says_of_what_sizes_are_multiples() -> None:
    network = Strided(4)
    network.multiple = 4  # type: ignore[assignment]
    sampler = AnySize(Converter(nn.Sequential(network)), SHAPE, 24)
    assert made(sampler, 37, 59).shape == (1, 3, 37, 59)
    assert sampler.tiled(24).overlap == 8
    with pytest.raises(ConfigError, match="^tile: 30 is not a multiple of 4"):
        AnySize(Converter(network), SHAPE, 30)


def test_what_looks_at_the_whole_is_not_cut() -> None:
    network = nn.Sequential(nn.Conv2d(2, 3, 3, padding=1), nn.InstanceNorm2d(3)).requires_grad_(False)
    with pytest.raises(ConfigError, match="^tile: this network looks at the whole picture at once .* tile=whole$"):
        AnySize(Converter(network), SHAPE, 24)
    assert made(AnySize(Converter(network), SHAPE), 50, 70).shape == (1, 3, 50, 70)


class Short(Converter):
    """Has memory for so many pixels."""

    def __init__(self, network: nn.Module, pixels: int) -> None:
        super().__init__(network)
        self.pixels = pixels

    def images(self, request: Request):  # type: ignore[no-untyped-def]
        assert request.input is not None
        if request.input[0, 0].numel() > self.pixels and not request.input.isnan().any():
            raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 1 PiB")
        return super().images(request)


@pytest.mark.parametrize("tile", [None, 200])
def test_where_memory_runs_out_tiles_are_halved(tile: int | None, caplog: pytest.LogCaptureFixture) -> None:
    """From the picture, or the tile, on; and they stay so for the next picture."""
    sampler = AnySize(Short(stack(1), 35**2), SHAPE, tile)
    whole = made(Converter(sampler.network), 90, 130)
    assert torch.allclose(made(sampler, 90, 130), whole, atol=2e-6)
    assert caplog.messages == [f"out of memory; going on in tiles of {size}" for size in (65, 32)]
    assert torch.allclose(made(sampler, 90, 130), whole, atol=2e-6)
    assert len(caplog.messages) == 2


def test_where_no_memory_does_that_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(GanLabError, match=r"^out of memory, even in tiles of 31 pixels; device=cpu may have more$"):
        made(AnySize(Short(stack(1), 4), SHAPE), 125, 60)
    network = nn.Sequential(nn.Conv2d(2, 3, 3, padding=1), nn.InstanceNorm2d(3)).requires_grad_(False)
    with pytest.raises(GanLabError, match=r"^out of memory: 60x125 is too large for this network, which looks at"):
        made(AnySize(Short(network, 4), SHAPE), 125, 60)


def test_a_size_that_is_not_taken_is_told() -> None:
    padded = nn.Sequential(nn.ReflectionPad2d(3), nn.Conv2d(2, 3, 7)).requires_grad_(False)
    sampler = AnySize(Converter(padded), SHAPE)
    assert made(sampler, 4, 40).shape == (1, 3, 4, 40)
    with pytest.raises(GanLabError, match=r"^40x3 is smaller than this network can take; it was trained on 24x24 \("):
        made(sampler, 3, 40)
    with pytest.raises(GanLabError, match=r"^30x30 is a size that this network does not take; it was trained on 24x24"):
        made(AnySize(Converter(nn.Sequential(nn.Flatten(), nn.Linear(2 * 24 * 24, 1)).eval()), SHAPE), 30, 30)
    with pytest.raises(RuntimeError, match="mat1"):
        made(AnySize(Converter(nn.Linear(7, 7)), SHAPE), 24, 24)


def test_the_whole_is_the_default_and_needs_no_probe(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(any_size, "reach_of", None)
    assert made(AnySize(Converter(stack(2)), SHAPE), 90, 50).shape == (1, 3, 180, 100)


class Few(nn.Module):
    """Overflows in bf16; in fp32 where its weight is nan."""

    def __init__(self, weight: float = 1.0) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.tensor(weight))

    def forward(self, images: Tensor) -> Tensor:
        if torch.is_autocast_enabled("cpu"):
            return images / 0
        return images * self.weight


def test_what_comes_out_of_few_bits_as_no_number_is_made_again(caplog: pytest.LogCaptureFixture) -> None:
    finite = Finite(Converter(nn.Sequential(nn.Conv2d(2, 2, 1))), "bf16")
    assert not torch.equal(made(finite, 8, 8), made(Finite(finite.sampler), 8, 8))  # bf16 it is
    zeros = Request(1, input=torch.zeros(1, 2, 4, 4))
    black = Finite(Converter(Few()), "bf16")
    for _ in range(2):
        assert torch.equal(all_images(black, zeros), torch.zeros(1, 2, 4, 4))
    assert caplog.messages == ["bf16 made numbers that are none; such pictures are made again in fp32"]
    with pytest.raises(NonFiniteError, match="^this network makes numbers that are none"):
        all_images(Finite(Converter(Few(float("nan")))), zeros)
