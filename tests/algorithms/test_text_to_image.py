from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from torch.testing import assert_close

from gan_lab.data.tokens import tokenizer_of
from gan_lab.errors import ConfigError
from gan_lab.sampling.request import Request
from gan_lab.sampling.sampler import all_images
from tests.compose import tiny_run

SHAPES = (
    "dataset=coloured_shapes",
    "dataset.source.count=60",
    "dataset.source.size=16",
    "dataset.image_shape=[3,16,16]",
)


def test_an_embedding_of_the_store_is_that_of_the_words(tmp_path: Path) -> None:
    run = tiny_run(tmp_path, "model=gan_cls")
    batch, tokenizer = run.stream.peek(8), tokenizer_of(run.config)
    assert tokenizer is not None
    said = [tokenizer.decode(row) for row in batch.caption]
    assert set(said[0].split()) <= {"a", "red", "green", "blue", "yellow", "square", "circle", "triangle"}
    network: Any = run.algorithm.networks["generator"]
    assert_close(network.embed(torch.from_numpy(tokenizer.encode(said))), network.embed(batch.caption))


def test_a_sampler_answers_each_caption(tmp_path: Path) -> None:
    run = tiny_run(tmp_path, "model=gan_cls")
    sampler, batch = run.sampler(), run.stream.peek(3)
    assert sampler.takes == {"caption", "codes", "truncation"}
    assert sampler.needs == ("caption",)
    request = sampler.request_for(batch, 5)
    made = all_images(sampler, request)
    assert_close(
        made[1:2], all_images(sampler, Request(1, 5, caption=batch.caption[1:2], codes=sampler.codes(3, 5)[1:2]))
    )
    panel = sampler.panel(batch, 5)
    assert list(panel) == ["real", "1", "2", "3"]
    assert_close(panel["real"], batch.image)
    with pytest.raises(ConfigError, match="caption: missing; .* gan-lab sample run=RUN text="):
        sampler.images(Request(2))


@pytest.mark.parametrize(
    ("overrides", "told"),
    [
        (["model=gan_cls", "dataset=digits"], "needs data with captions"),
        ([*SHAPES, "model=dcgan", "algorithm=text_to_image"], "networks read captions, and model.generator"),
        (["model=gan_cls", "algorithm.mismatch_weight=1.5"], "mismatch_weight: 1.5 must be at most 1"),
        (["model=gan_cls", "loss=relativistic"], "captions between two have none"),
    ],
)
def test_what_cannot_be(overrides: list[str], told: str, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=told):
        tiny_run(tmp_path, *overrides)
