"""The game of generators that grow and have styles."""

from __future__ import annotations

from pathlib import Path

import pytest

from gan_lab.algorithms.enlarged_sampler import EnlargedStyleSampler
from gan_lab.errors import ConfigError
from tests.compose import tiny_run


def test_its_sampler_truncates_styles_of_the_first_layers(tmp_path: Path) -> None:
    sampler = tiny_run(tmp_path, "model=stylegan").sampler()
    assert isinstance(sampler, EnlargedStyleSampler)
    assert sampler.cutoff == 8


def test_it_begins_with_twice_the_first_map(tmp_path: Path) -> None:
    run = tiny_run(tmp_path, "model=stylegan")
    run.play()
    assert run.algorithm.views(run.stream.peek(1))[""].image.shape == (1, 1, 8, 8)


def test_average_styles_are_copied(tmp_path: Path) -> None:
    run = tiny_run(tmp_path, "model=stylegan")
    run.play()
    network, average = run.algorithm.networks["generator"], run.algorithm.averages["generator"].module
    styles = [each.get_buffer("mapping.average") for each in (network, average)]
    assert styles[0].any()
    assert styles[0].equal(styles[1])


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        (("model=progressive", "algorithm=growing_styles"), "GrowingStyles needs a generator with styles"),
        (("model=stylegan2", "algorithm=growing_styles"), "GrowingStyles needs networks that grow"),
        (("model=stylegan", "algorithm.truncation_cutoff=-1"), "algorithm.truncation_cutoff"),
    ],
)
def test_refusals(words: tuple[str, ...], reason: str, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=reason):
        tiny_run(tmp_path, *words)
