"""AdaIN's game on the digits: its terms by hand, what moves, what it shows, and the verb on a run of it."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from torch.nn.functional import mse_loss
from torch.testing import assert_close

from gan_lab.algorithms.style_transfer import StyleSampler
from gan_lab.data.batch import Batch
from gan_lab.errors import ConfigError
from gan_lab.losses.style import moments
from gan_lab.models.adain import DEEPEST, EPS, LAYERS, align
from gan_lab.sampling.request import Request
from gan_lab.sampling.sampler import all_images
from gan_lab.sampling.tiles import Tiled
from gan_lab.training.run import Run
from tests.compose import tiny_run
from tests.device import contentless, move
from tests.verbs.test_stylize import array, pictures

__all__ = ["pictures"]
ADAIN = ("model=adain", "degradation=blur")


@pytest.fixture
def run(tmp_path: Path) -> Run:
    return tiny_run(tmp_path, *ADAIN)


def test_the_decoder_moves_alone(run: Run) -> None:
    network: Any = run.algorithm.networks["generator"]
    weights = {name: value.clone() for name, value in network.named_parameters()}
    frozen = [value.clone() for value in network.encoder.buffers()]
    run.play()
    assert all(not torch.equal(value, weights[name]) for name, value in network.named_parameters())
    assert all(torch.equal(one, other) for one, other in zip(network.encoder.buffers(), frozen, strict=True))
    moved = sum(p.numel() for group in run.algorithm.optimizers["generator"].param_groups for p in group["params"])
    assert moved == sum(p.numel() for p in network.decoder.parameters())
    assert {"loss/generator/content", "loss/generator/style"} <= set(run.metrics)
    assert not any("encoder" in name for name in run.algorithm.state_dict()["networks"]["generator"])


def test_terms_by_hand(run: Run) -> None:
    algorithm: Any = run.algorithm
    network = algorithm.generator
    content, style = torch.rand(2, 3, 1, 16, 16, generator=torch.Generator().manual_seed(0)) * 2 - 1
    maps = network.encoder(style)
    target = align(network.encoder(content)[DEEPEST], *moments(maps[DEEPEST], EPS))
    made = network.encoder(network.decoder(target))
    terms = algorithm.terms(Batch(style, input=content))
    assert_close(terms["content"], mse_loss(made[DEEPEST], target))
    both = [zip(moments(made[name], EPS), moments(maps[name], EPS), strict=True) for name in LAYERS]
    expected = sum(mse_loss(one, other) for each in both for one, other in each)
    assert_close(terms["style"], 10 * expected)


def test_a_round_never_waits_for_the_device(run: Run) -> None:
    with contentless():
        move(run)
        run.play()
    assert run.metrics["loss/generator/style"].device.type == "meta"


def test_it_shows_content_style_and_what_it_made(run: Run) -> None:
    shown = run.stream.peek(4)
    sampler: Any = run.sampler()
    columns = sampler.panel(shown, 0)
    assert list(columns) == ["content", "style", "made"]
    assert shown.input is not None
    assert torch.equal(columns["content"], shown.input)
    assert torch.equal(columns["style"], shown.image)
    assert_close(columns["made"], sampler.stylised(shown.input, sampler.styles(shown.image)))
    own = all_images(sampler, Request(4, input=shown.input))
    assert_close(own, sampler.stylised(shown.input, sampler.styles(shown.input)), rtol=1e-4, atol=1e-4)
    with pytest.raises(ConfigError, match="codes: this generator takes its styles from images"):
        sampler.codes(1, 0)
    whole = all_images(Tiled(sampler, tile=None), Request(4, input=shown.input))  # nobody asks a seed for a style
    assert torch.equal(whole, own)


def test_what_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"loss.regularizers: orthogonal: style transfer pays none"):
        tiny_run(tmp_path, *ADAIN, "loss/regularizers=[orthogonal]")
    with pytest.raises(ConfigError, match=r"algorithm.style_weight: -1 must be at least 0"):
        tiny_run(tmp_path, *ADAIN, "algorithm.style_weight=-1")
    with pytest.raises(ConfigError, match="the data has no inputs"):
        tiny_run(tmp_path, "model=adain", "degradation=none").play()


def test_stylize_by_a_run(
    trained: Callable[..., Path],
    pictures: tuple[str, str],
    gan_lab: Callable[..., int],
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Of a picture of any size; there is no alpha without a run."""
    run = trained("run", *ADAIN, "trainer.max_steps=2", "callbacks.metrics.every=2", "callbacks.metrics.n=8")
    figures = json.loads((run / "summary.json").read_text())["metrics"]
    assert {name.partition("/")[0] for name in figures} >= {"style_distance", "content_correlation"}
    asked: list[tuple[tuple[int, ...], tuple[int, ...], float]] = []
    made = StyleSampler.stylised

    def recorded(self: StyleSampler, input: torch.Tensor, codes: torch.Tensor, alpha: float) -> torch.Tensor:
        asked.append((tuple(input.shape), tuple(codes.shape), alpha))
        return made(self, input, codes, alpha)

    monkeypatch.setattr(StyleSampler, "stylised", recorded)
    for alpha in ("0.25", "null"):
        words = (f"run={run}", f"alpha={alpha}", "size=40", "device=cpu", f"out={alpha}.png")
        assert gan_lab("stylize", *pictures, *words) == 0
    assert asked == [((1, 3, 33, 40), (1, 32), 0.25), ((1, 3, 33, 40), (1, 32), 1.0)]
    assert array("null.png").shape == (33, 40)  # of a network for gray images
    capsys.readouterr()
    assert gan_lab("stylize", *pictures, f"run={run}", "alpha=2") == 2
    assert "alpha: 2 does not lie between 0" in capsys.readouterr().err
    assert gan_lab("stylize", *pictures, "alpha=0.5") == 2
    assert "alpha: is for a trained network" in capsys.readouterr().err


def test_a_run_of_another_kind(
    trained: Callable[..., Path],
    pictures: tuple[str, str],
    gan_lab: Callable[..., int],
    capsys: pytest.CaptureFixture[str],
) -> None:
    run = trained("run", "model=gan_small", "trainer.max_steps=1", "metrics=[]")
    capsys.readouterr()
    assert gan_lab("stylize", *pictures, f"run={run}", "device=cpu") == 2
    assert "was not trained to transfer styles" in capsys.readouterr().err
