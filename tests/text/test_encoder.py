"""What all text encoders promise: a scale, padding that counts for nothing, captions that are told apart."""

from __future__ import annotations

import pytest
import torch
from torch.testing import assert_close

from gan_lab.errors import ConfigError
from gan_lab.text.bag import BagOfTokens
from gan_lab.text.encoder import CaptionReader, TextEncoder
from gan_lab.text.transformer import Transformer

ENCODERS = [lambda: BagOfTokens(30, 16, 12), lambda: Transformer(30, 6, 16, 8, 2, 2)]


@pytest.fixture(params=[0, 1], ids=["bag", "transformer"])
def encoder(request: pytest.FixtureRequest) -> TextEncoder:
    torch.manual_seed(0)
    return ENCODERS[request.param]().eval()


def test_embeddings_have_a_scale(encoder: TextEncoder) -> None:
    found = encoder(torch.randint(1, 30, (5, 6)))
    assert_close(found.mean(1), torch.zeros(5), atol=1e-5, rtol=0)
    assert_close(found.var(1, correction=0), torch.ones(5), atol=0.05, rtol=0)
    assert bool((torch.cdist(found, found)[0, 1:] > 0.5).all())


def test_padding_counts_for_nothing(encoder: TextEncoder) -> None:
    short, long = torch.tensor([[3, 7]]), torch.tensor([[3, 7, 0, 0, 0]])
    assert_close(encoder(short), encoder(long))
    assert bool(encoder(torch.zeros(1, 5, dtype=torch.int64)).isfinite().all())


def test_only_the_transformer_knows_an_order() -> None:
    torch.manual_seed(0)
    bag, transformer = (make().eval() for make in ENCODERS)
    one, other = torch.tensor([[3, 7, 7]]), torch.tensor([[7, 3, 7]])
    assert_close(bag(one), bag(other))
    assert not torch.allclose(bag(one), bag(torch.tensor([[3, 7, 3]])))
    assert not torch.allclose(transformer(one), transformer(other), atol=1e-4)


def test_a_bag_counts() -> None:
    """Counts 1 and 2 of two tokens, as a vector of length 1."""
    bag = BagOfTokens(5, 4, 3)
    tokens = torch.tensor([[1, 3, 3, 0]])
    counts = torch.tensor([[0.0, 1.0, 0.0, 2.0, 0.0]]) / 5**0.5
    assert_close(bag.read(tokens), bag.second(torch.relu(bag.first(counts))))


def test_an_embedding_is_taken_as_it_is(encoder: TextEncoder) -> None:
    reader = CaptionReader(encoder)
    tokens = torch.tensor([[3, 7]])
    embedding = reader.embed(tokens)
    assert_close(embedding, encoder(tokens))
    assert reader.embed(embedding) is embedding
    assert reader.condition_shape == (16,)
    with pytest.raises(ValueError, match="told captions"):
        reader.embed(None)
    with pytest.raises(ConfigError, match="it reads captions; take algorithm=text_to_image"):
        reader.embed(torch.tensor([1, 2]))


def test_what_cannot_be() -> None:
    with pytest.raises(ValueError, match="needs data with captions"):
        BagOfTokens(0)
    with pytest.raises(ValueError, match="needs data with captions"):
        Transformer(30, 0)
    with pytest.raises(ValueError, match="3 heads do not divide a width of 8"):
        Transformer(30, 6, width=8, heads=3)
