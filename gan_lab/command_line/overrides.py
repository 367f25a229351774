"""The words `key=value`, `+key=value` and `~key` as text, before Hydra reads them."""

from __future__ import annotations

import os
import re
from collections.abc import Collection, Sequence
from typing import NamedTuple

PATH_KEYS = (
    *("resume", "run", "checkpoint", "from", "out", "folder", "input", "mask"),
    *("dataset.path", "dataset.path_a", "dataset.path_b", "dataset.labels", "dataset.captions"),
    *("dataset.source.path", "dataset.source.root"),
)
EXTRA_GROUPS = ("technique",)  # no defaults list names them: Hydra wants `+technique=...`
PLAIN = re.compile(r"[A-Za-z0-9_./+@-]*")
SEVERAL = re.compile(r"\[.*\]|\{.*\}")  # a list or a mapping, unless such a path is there


class Override(NamedTuple):
    """`prefix` is one of "", "+", "++", "~"; `value` is None where nothing was assigned (`~key`, a bare word)."""

    prefix: str
    key: str
    value: str | None

    def __str__(self) -> str:
        return f"{self.prefix}{self.key}" + ("" if self.value is None else f"={self.value}")


def read(word: str) -> Override:
    """Take an override apart at its prefix and its first equals sign."""
    key = word.lstrip("+~")
    name, assigned, value = key.partition("=")
    return Override(word[: len(word) - len(key)], name, value if assigned else None)


def quote(text: str) -> str:
    """`text` as one string of Hydra's override grammar, whatever characters it holds."""
    from hydra.core.override_parser.types import Quote, QuotedString

    return QuotedString(text.replace("${", r"\${"), Quote.single).with_quotes()


def unquote(value: str) -> str:
    """The text of a value that the user has quoted for Hydra already; any other value as it is."""
    if len(value) >= 2 and value[0] == value[-1] and value[0] in "'\"":
        return value[1:-1].replace(f"\\{value[0]}", value[0])
    return value


def quote_paths(words: Sequence[str], sweeping: bool) -> list[str]:
    """Quote the paths among the overrides, so that one with a comma, a bracket or an accent is typed as it is.

    What is all in brackets is a list, which a verb refuses, and in a sweep a comma parts the values: there only what
    exists on disk is taken for one path.
    """
    return [_quoted_path(word, sweeping) for word in words]


def _quoted_path(word: str, sweeping: bool) -> str:
    override = read(word)
    value = override.value
    if override.key not in PATH_KEYS or not value or value != unquote(value):
        return word
    path = os.path.expanduser(value)
    if PLAIN.fullmatch(path) or ((sweeping or "${" in path or SEVERAL.fullmatch(path)) and not os.path.exists(path)):
        return str(override._replace(value=path))
    return str(override._replace(value=quote(path)))


def quote_text(words: Sequence[str], keys: Collection[str]) -> list[str]:
    """Quote the values of `keys`, which have a little grammar of their own (`filter=step>10 state=finished`)."""
    parts = [read(word) for word in words]
    return [
        str(part._replace(value=quote(part.value)))
        if part.key in keys and part.value and part.value == unquote(part.value) and part.value != "null"
        else str(part)
        for part in parts
    ]


def add_plus(words: Sequence[str]) -> list[str]:
    """`technique=a` as `+technique=a`, and `technique=null` as `~technique`."""
    found = []
    for part in map(read, words):
        if not part.prefix and part.key.partition("@")[0] in EXTRA_GROUPS and part.value is not None:
            none = part.value in ("", "null", "[]")
            part = part._replace(prefix="~", value=None) if none else part._replace(prefix="+")
        found.append(str(part))
    return found


def without_absent(words: Sequence[str]) -> list[str]:
    """What was taken out and was never in: an optional group's `~technique` is no mistake."""
    return [word for word in words if not (word.startswith("~") and read(word).key in EXTRA_GROUPS)]


def differing(jobs: Sequence[Sequence[str]]) -> list[list[str]]:
    """Of each list of overrides those that are not the same in all."""
    if len(jobs) < 2:
        return [list(words) for words in jobs]
    same = set.intersection(*(set(words) for words in jobs))
    return [[word for word in words if word not in same] for words in jobs]


def own_overrides(words: Sequence[str]) -> list[str]:
    """The overrides that make a run what it is, without those of this call of the command and Hydra's."""
    return [word for word in words if not is_of_this_call(read(word).key)]


def is_of_this_call(key: str) -> bool:
    return key.partition(".")[0] in ("resume", "resume_force", "trust", "hydra") or key.startswith("hydra/")


def merge(stored: Sequence[str], typed: Sequence[str]) -> list[str]:
    """The overrides of a stored run with those typed beside it; of two for one key the typed one stands.

    A stored `+key` had to be added, so a typed `key` of the same name is added too, and a typed `~key` only undoes it.
    """
    ours = {read(word).key: read(word) for word in typed}
    theirs = {read(word).key: read(word) for word in stored}
    kept = [word for word in stored if read(word).key not in ours]
    for key, mine in ours.items():
        before = theirs.get(key, Override("", key, None)).prefix
        if before.startswith("+") and mine.prefix == "~":
            continue
        if before.startswith("+") and not mine.prefix:
            mine = mine._replace(prefix=before)
        elif before == "~" and mine.prefix.startswith("+"):
            mine = mine._replace(prefix="")
        kept.append(str(mine))
    return kept
