"""The game of generators with styles."""

from __future__ import annotations

from pathlib import Path

import pytest

from gan_lab.algorithms.style_sampler import StyleSampler
from gan_lab.errors import ConfigError
from tests.compose import tiny_run


def test_its_sampler_truncates_styles(tmp_path: Path) -> None:
    sampler = tiny_run(tmp_path, "model=stylegan2", "algorithm.truncation_cutoff=2").sampler()
    assert isinstance(sampler, StyleSampler)
    assert sampler.cutoff == 2


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        (("model=gan_small", "algorithm=style"), "StyleBased needs a generator with styles, and Generator has none"),
        (("model=stylegan2", "algorithm.truncation_cutoff=-1"), "algorithm.truncation_cutoff"),
    ],
)
def test_refusals(words: tuple[str, ...], reason: str, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=reason):
        tiny_run(tmp_path, *words)


def test_average_styles_are_copied(tmp_path: Path) -> None:
    """The average of the generator has the generator's average style, not an average of it."""
    run = tiny_run(tmp_path, "model=stylegan2")
    run.play()
    network, average = run.algorithm.networks["generator"], run.algorithm.averages["generator"].module
    styles = [each.get_buffer("mapping.average") for each in (network, average)]
    assert styles[0].any()
    assert styles[0].equal(styles[1])
