from __future__ import annotations

import zlib

import numpy as np
import pytest

from gan_lab.config import build
from gan_lab.data.tokens import PADDING, UNKNOWN, HashedNgrams, Words, tokenizer_of
from gan_lab.errors import ConfigError

SAID = ["A red bird sings.", "the RED bird", "a bird", "don't, red!"]


def test_words_are_ranked_by_how_often_they_are_said() -> None:
    """red and bird three times each, a twice; the rest once, by the alphabet. Neither case nor punctuation counts."""
    learned = Words(length=4).learn(SAID)
    assert learned.words == ["bird", "red", "a", "don't", "sings", "the"]
    assert learned.num_tokens == 8


def test_a_caption_has_a_fixed_length() -> None:
    learned = Words(length=3).learn(SAID)
    tokens = learned.encode(["red bird", "the red bird sings", "a purple bird", "...", ""])
    assert tokens.dtype == np.int64
    assert tokens.tolist() == [[3, 2, 0], [7, 3, 2], [4, UNKNOWN, 2], [PADDING] * 3, [PADDING] * 3]
    assert [learned.decode(row) for row in tokens] == ["red bird", "the red bird", "a ? bird", "", ""]
    assert Words(length=3).encode([]).shape == (0, 3)


def test_rare_words_are_unknown() -> None:
    learned = Words(length=4, most=2).learn(SAID)
    assert learned.words == ["bird", "red"]
    assert learned.encode(["the red bird"]).tolist() == [[UNKNOWN, 3, 2, PADDING]]


def test_words_that_are_given_stay() -> None:
    """The test captions of a set are told in the words of its training captions."""
    given = Words(length=2, words=["cat"])
    assert given.learn(SAID).words == ["cat"]
    assert len({Words(2).identity, Words(3).identity, Words(2, 5).identity, given.identity}) == 4


def test_the_configuration_of_a_run_is_enough() -> None:
    node = {"_target_": "gan_lab.data.tokens.Words", "length": 3, "most": 10}
    learned = build(node).learn(SAID)
    found = tokenizer_of({"dataset": {"tokenizer": node}, "words": learned.words})
    assert found is not None
    assert found.encode(["red bird"]).tolist() == learned.encode(["red bird"]).tolist()
    assert tokenizer_of({"dataset": {}}) is None


@pytest.mark.parametrize(("key", "value"), [("length", 0), ("length", True), ("most", 1.5)])
def test_numbers_that_cannot_be(key: str, value: object) -> None:
    with pytest.raises(ConfigError, match=rf"^dataset\.tokenizer\.{key}: {value!r} is not a whole number"):
        Words(**{key: value})  # type: ignore[arg-type]


def test_a_word_and_its_parts() -> None:
    """CRC-32 by zlib, modulo the buckets, plus 1: the same everywhere. 3-grams before 4-grams, the word before both."""
    tokenizer = HashedNgrams(length=10, buckets=4096)
    said = [b"ab", b"^ab", b"ab$", b"^ab$"]
    assert tokenizer.encode(["AB!"]).tolist() == [[1 + zlib.crc32(part) % 4096 for part in said] + [PADDING] * 6]
    assert tokenizer.encode(["ab"])[0, 0] == 1 + 0x9E83486D % 4096
    assert tokenizer.num_tokens == 4097


def test_hashed_words_are_told_again() -> None:
    learned = HashedNgrams(length=40).learn(SAID)
    assert learned.words == Words().learn(SAID).words
    tokens = learned.encode(["the red zebra sings", "purple birds bird", ""])
    assert [learned.decode(row) for row in tokens] == ["the red ? sings", "? bird", ""]
    assert learned.encode(["a bird"]).tolist() == HashedNgrams(length=40).encode(["a bird"]).tolist()
    assert (learned.unknown("zebra"), Words().learn(SAID).unknown("a zebra")) == ([], ["zebra"])


def test_what_decides_hashed_tokens() -> None:
    assert len({HashedNgrams(8).identity, HashedNgrams(9).identity, HashedNgrams(8, buckets=64).identity}) == 3
    node = {"_target_": "gan_lab.data.tokens.HashedNgrams", "length": 8, "buckets": 64}
    found = tokenizer_of({"dataset": {"tokenizer": node}, "words": ["bird"]})
    assert isinstance(found, HashedNgrams)
    assert found.num_tokens == 65
    assert found.encode(["bird bird"]).shape == (1, 8)
