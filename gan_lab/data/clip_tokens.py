"""CLIP's tokens: parts of words that occur together often."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gan_lab.config import require_whole
from gan_lab.data.tokens import PADDING, Words, split
from gan_lab.errors import ConfigError
from gan_lab.storage.extras import import_extra

LONGEST = 77  # tokens that CLIP reads


class ClipTokens(Words):
    """The tokens that CLIP's text network was trained on (byte pair encoding; Radford et al. 2021, arXiv:2103.00020),
    by open_clip: a first and a last one, and what lies between, cut to `length` in all. A caption without a word is all
    padding, and the words that are learned decide no token. Raises ConfigError for a length that CLIP does not read,
    GanLabError where open_clip is not installed."""

    def __init__(self, length: int = LONGEST, most: int = 10_000, words: Sequence[str] = ()) -> None:
        super().__init__(require_whole(length, "dataset.tokenizer.length"), most, words)
        if not 3 <= length <= LONGEST:
            raise ConfigError(f"dataset.tokenizer.length={length}: CLIP reads 3 to {LONGEST} tokens")

    @cached_property
    def _tokenizer(self) -> Any:
        return import_extra("open_clip", "clip", "text_encoder=clip").tokenizer.SimpleTokenizer()

    @property
    def num_tokens(self) -> int:
        return int(self._tokenizer.vocab_size)

    @property
    def identity(self) -> str:
        return f"clip:{super().identity}"

    def knowing(self, words: Sequence[str]) -> ClipTokens:
        return ClipTokens(self.length, self.most, words)

    def encode(self, captions: Sequence[str]) -> NDArray[np.int64]:
        tokens = np.full((len(captions), self.length), PADDING, np.int64)
        for row, caption in zip(tokens, captions, strict=True):
            if split(caption):
                row[:] = self._tokenizer(caption, self.length)[0].numpy()
        return tokens

    def unknown(self, caption: str) -> list[str]:
        return []

    def decode(self, tokens: Iterable[int]) -> str:
        begin, end = self._tokenizer.sot_token_id, self._tokenizer.eot_token_id
        said: str = self._tokenizer.decode([int(token) for token in tokens if token not in (PADDING, begin, end)])
        return said.strip()
