"""Mutations of YAML: numbers, switches, words that stand for one another, and lines of a recipe that are left out."""

from __future__ import annotations

import re
from collections.abc import Iterator

from tests.mutation.mutant import Mutant

NUMBER = re.compile(rb"(?<=[:\[,])(\s*)(-?\d[\d_]*(?:\.\d*)?(?:[eE][-+]?\d+)?)(?=\s*(?:[],}\s]|$))")
SWITCH = re.compile(rb"(?<=: )(true|false)\b")
WORD = re.compile(rb"(?<=: )(\w+)(?=\s|$)")
LINE = re.compile(rb"^\s*- (?:override )?/\S+.*$")
WORDS = {
    b"cosine": b"linear",
    b"exponential": b"linear",
    b"linear": b"cosine",
    b"real": b"fake",
    b"fake": b"real",
    b"generator": b"discriminator",
    b"discriminator": b"generator",
    b"softmax": b"mean",
    b"mean": b"max",
    b"max": b"mean",
    b"target": b"cycle",
    b"cycle": b"identity",
    b"identity": b"cycle",
}


def yaml_mutants(path: str, source: bytes) -> Iterator[Mutant]:
    """Every mutant of a configuration file."""
    place = 0
    for line in source.splitlines(keepends=True):
        code = line.split(b" #")[0].split(b"\n")[0]
        if code.lstrip().startswith(b"#"):
            code = b""
        for start, end, new, kind in edits(code):
            yield Mutant(path, kind, place + start, place + end, new, source)
        place += len(line)


def edits(code: bytes) -> Iterator[tuple[int, int, bytes, str]]:
    """What may be changed in a line without its comment."""
    if LINE.match(code):
        yield 0, len(code), b"", "recipe"
        return
    for number in NUMBER.finditer(code):
        yield number.start(2), number.end(2), other_number(number[2]), "setting"
    for switch in SWITCH.finditer(code):
        yield switch.start(1), switch.end(1), b"false" if switch[1] == b"true" else b"true", "setting"
    for word in WORD.finditer(code):
        if word[1] in WORDS:
            yield word.start(1), word.end(1), WORDS[word[1]], "setting"


def other_number(text: bytes) -> bytes:
    """Twice as much; 1 for 0."""
    text = text.replace(b"_", b"")
    if re.fullmatch(rb"-?\d+", text):
        return str(2 * int(text) or 1).encode()
    return repr(2 * float(text) or 1.0).encode()
