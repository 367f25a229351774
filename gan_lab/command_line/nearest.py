"""What the user probably meant."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches


def nearest(word: str, known: Iterable[str], likeness: float = 0.5) -> str:
    """The clause `; nearest: x` for a misspelt word, or nothing where nothing comes close."""
    found = get_close_matches(word, list(known), n=1, cutoff=likeness)
    return f"; nearest: {found[0]}" if found else ""


def nearest_key(key: str, known: Iterable[str]) -> str:
    """The same for a dotted key: first the keys that end in it (`lr`), then close spellings, then of the last part."""
    keys = sorted(set(known))
    ending = [other for other in keys if other.rpartition(".")[2] == key.rpartition(".")[2]]
    if ending:
        return "; nearest: " + ", ".join(get_close_matches(key, ending, n=3, cutoff=0.0))
    if close := nearest(key, keys, likeness=0.6):
        return close
    last = {other.rpartition(".")[2]: other for other in reversed(keys)}
    found = get_close_matches(key.rpartition(".")[2], last, n=1, cutoff=0.7)
    return f"; nearest: {last[found[0]]}" if found else ""
