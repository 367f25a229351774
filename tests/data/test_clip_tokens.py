"""CLIP's tokens, by open_clip: what is cut, what is empty, and what is said again."""

from __future__ import annotations

import pytest

from gan_lab.data.clip_tokens import ClipTokens
from gan_lab.errors import ConfigError


def test_tokens_said_again() -> None:
    pytest.importorskip("open_clip")
    tokens = ClipTokens(length=6)
    assert tokens.decode(tokens.encode(["A red square"])[0]) == "a red square"
    cut = tokens.encode(["one two three four five six"])[0]
    assert (len(cut), cut[-1]) == (6, tokens.num_tokens - 1)
    assert tokens.knowing(["red"]).words == ["red"]
    assert tokens.unknown("zyxwv") == []
    for length in (2, 78):
        with pytest.raises(ConfigError, match="CLIP reads 3 to 77 tokens"):
            ClipTokens(length=length)
