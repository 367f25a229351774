"""Captions as numbers: whole words, whose vocabulary is learned from the captions, or parts of words by their hash."""

from __future__ import annotations

import hashlib
import re
import zlib
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gan_lab.config import build, require_whole

PADDING, UNKNOWN = 0, 1
FIRST = 2  # the token of the most frequent word
_WORD = re.compile(r"\w+(?:['\u2019-]\w+)*")


class Words:
    """Words to tokens and back: 0 pads, 1 is a word that is not known, then come the `words`, most frequent first.

    A caption has `length` tokens; what is longer is cut, what is shorter padded behind. A vocabulary that is learned
    has at most `most` words; one that is given stays. Case and punctuation do not count. Raises ConfigError for numbers
    that cannot be.
    """

    def __init__(self, length: int = 16, most: int = 10_000, words: Sequence[str] = ()) -> None:
        self.length = require_whole(length, "dataset.tokenizer.length")
        self.most = require_whole(most, "dataset.tokenizer.most")
        self.words = list(words)
        self._tokens = {word: token for token, word in enumerate(self.words, FIRST)}

    @property
    def num_tokens(self) -> int:
        """How many different tokens there are, padding and the unknown word among them."""
        return FIRST + len(self.words)

    @property
    def identity(self) -> str:
        """What decides the tokens of captions."""
        given = hashlib.sha256("\n".join(self.words).encode()).hexdigest()[:16] if self.words else ""
        return f"words:{self.length}:{self.most}:{given}"

    def learn(self, captions: Iterable[str]) -> Words:
        """The same with the words of these captions, most frequent first; equally frequent ones by the alphabet. Words
        that were given stay."""
        if self.words:
            return self
        counts = Counter(word for caption in captions for word in split(caption))
        ranked = sorted(counts, key=lambda word: (-counts[word], word))
        return self.knowing(ranked[: self.most])

    def knowing(self, words: Sequence[str]) -> Words:
        """The same with these words."""
        return Words(self.length, self.most, words)

    def encode(self, captions: Sequence[str]) -> NDArray[np.int64]:
        """`(n, length)`. A caption without a word is all padding."""
        tokens = np.full((len(captions), self.length), PADDING, np.int64)
        for row, caption in zip(tokens, captions, strict=True):
            found = [self._tokens.get(word, UNKNOWN) for word in split(caption)[: self.length]]
            row[: len(found)] = found
        return tokens

    def unknown(self, caption: str) -> list[str]:
        """The words of a caption that have no token of their own."""
        return [word for word in split(caption) if word not in self._tokens]

    def decode(self, tokens: Iterable[int]) -> str:
        """The words of a caption; `?` for one that was not known."""
        known = (int(token) for token in tokens if token != PADDING)
        return " ".join("?" if token == UNKNOWN else self.words[token - FIRST] for token in known)


class HashedNgrams(Words):
    """Every word as itself and as the runs of 3 and 4 characters of `^word$`, each by its CRC-32 modulo `buckets`, plus
    1: a word that was never seen shares tokens with those that look like it, and the same word has the same tokens on
    every machine, whatever the data.

    A caption has `length` tokens, about twice as many as letters: what is longer is cut. The words that are learned
    decide no token; they are those that `decode` can tell.
    """

    def __init__(self, length: int = 160, most: int = 10_000, words: Sequence[str] = (), buckets: int = 4096) -> None:
        super().__init__(length, most, words)
        self.buckets = require_whole(buckets, "dataset.tokenizer.buckets")
        self._starting: dict[int, list[tuple[list[int], str]]] = {}  # by a word's first token
        for word in self.words:
            found = self.of_word(word)
            self._starting.setdefault(found[0], []).append((found, word))

    @property
    def num_tokens(self) -> int:
        return 1 + self.buckets

    @property
    def identity(self) -> str:
        return f"ngrams:{self.buckets}:{super().identity}"

    def knowing(self, words: Sequence[str]) -> HashedNgrams:
        return HashedNgrams(self.length, self.most, words, self.buckets)

    def of_word(self, word: str) -> list[int]:
        """The tokens of a word: its own, then those of its parts."""
        whole = f"^{word}$"
        parts = [whole[at : at + size] for size in (3, 4) for at in range(len(whole) - size + 1)]
        return [1 + zlib.crc32(part.encode()) % self.buckets for part in (word, *parts)]

    def encode(self, captions: Sequence[str]) -> NDArray[np.int64]:
        tokens = np.full((len(captions), self.length), PADDING, np.int64)
        for row, caption in zip(tokens, captions, strict=True):
            found = [token for word in split(caption) for token in self.of_word(word)][: self.length]
            row[: len(found)] = found
        return tokens

    def unknown(self, caption: str) -> list[str]:
        return []

    def decode(self, tokens: Iterable[int]) -> str:
        left, said = [int(token) for token in tokens if token != PADDING], list[str]()
        while left:
            known = self._starting.get(left[0], [])
            fitting = [(found, word) for found, word in known if left[: len(found)] == found]
            found, word = max(fitting, key=lambda each: len(each[0]), default=(left[:1], "?"))
            if word != "?" or said[-1:] != ["?"]:
                said.append(word)
            left = left[len(found) :]
        return " ".join(said)


def split(caption: str) -> list[str]:
    """The words of a caption, in lower case."""
    return _WORD.findall(caption.casefold())


def tokenizer_of(config: Mapping[str, Any]) -> Words | None:
    """The tokenizer of a run, out of its configuration alone, which holds the words since its data was opened; None
    where it learned from no captions."""
    if not config.get("words"):
        return None
    tokenizer: Words = build(config["dataset"]["tokenizer"], "dataset.tokenizer", words=config["words"])
    return tokenizer
