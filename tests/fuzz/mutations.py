"""What is done to a good file, so that it is another: to its bytes, or to the values in it."""

from __future__ import annotations

import copy
import math
from collections.abc import Sequence
from random import Random
from typing import Any

import torch

TOKENS = (
    *(b"\0", b"\xff", b"\n", b'"', b"'", b"{", b"}", b"[", b"]", b",", b":", b"-1", b"1e999", b"null", b"NaN"),
    *(b"../", b"${", b"\x1b[2J", b"[" * 5000, b"(" * 5000, b"&a [*a]"),
)
SIZES = (0, 1, 0x7F, 0x80, 0xFF, 0x7FFF, 0xFFFF, 0x7FFFFFFF, 0xFFFFFFFF)


def mutate_bytes(data: bytes, others: Sequence[bytes], random: Random) -> bytes:
    """The bytes with one to four changes: bits, cuts, repeats, numbers that sizes might be, a piece of another file."""
    found = bytearray(data)
    for _ in range(random.choice((1, 1, 1, 2, 4))):
        place = random.randrange(len(found) + 1)
        length = min(random.choice((1, 1, 2, 4, 16, 256)), len(found) - place)
        match random.randrange(8):
            case 0 if length:
                found[place] ^= 1 << random.randrange(8)
            case 1:
                del found[place:]
            case 2:
                del found[place : place + length]
            case 3:
                found[place:place] = found[place : place + length]
            case 4:
                found[place : place + length] = random.randbytes(length)
            case 5:
                found[place : place + random.choice((0, 1, 4))] = random.choice(TOKENS)
            case 6:
                size, order = random.choice((1, 2, 4, 8)), random.choice(("little", "big"))
                value = random.choice(SIZES) & ((1 << 8 * size) - 1)
                found[place : place + size] = value.to_bytes(size, order)  # type: ignore[arg-type]
            case _:
                other = random.choice(others)
                start = random.randrange(len(other) + 1)
                found[place : place + length] = other[start : start + random.choice((1, 16, 256))]
    return bytes(found)


VALUES: tuple[Any, ...] = (
    *(None, True, False, 0, 1, -1, 2**31, 2**63, 10**400, 0.5, math.inf, math.nan),
    *("", "x", "\0", "${oc.env:HOME}", "os.system", "builtins.eval", "../../x", "é" * 40, "1" * 5000),
    *([], {}, [[]], [None], {"": {}}, {"_target_": "os.system"}, {1: 2}),
)
TENSORS = (
    *(torch.zeros(()), torch.zeros(3), torch.empty(0), torch.full((2, 2), math.nan)),
    *(torch.ones(2, dtype=torch.int64), torch.zeros(2, dtype=torch.bool)),
)


def mutate_tree(tree: Any, random: Random, tensors: bool = False) -> Any:
    """Plain values with one to three changes: another value in a place, a key less or more, a value in a list."""
    found = copy.deepcopy(tree)
    values = (*VALUES, *TENSORS) if tensors else VALUES
    for _ in range(random.choice((1, 1, 2, 3))):
        holders = [*containers(found)]
        if not holders:
            return random.choice(values)
        holder = random.choice(holders)
        keys = list(holder) if isinstance(holder, dict) else list(range(len(holder)))
        if not keys or random.random() < 0.1:
            add(holder, random.choice(values), random)
            continue
        key = random.choice(keys)
        match random.randrange(6):
            case 0:
                del holder[key]
            case 1:
                holder[key] = [holder[key]]
            case 2 if isinstance(holder, dict):
                holder[random.choice(("", "x", "_target_", "version", 3))] = holder.pop(key)
            case _:
                holder[key] = copy.deepcopy(random.choice(values))
    return found


def containers(tree: Any) -> list[Any]:
    """Every list and mapping in a tree, itself the first."""
    if isinstance(tree, dict):
        return [tree, *(found for value in tree.values() for found in containers(value))]
    if isinstance(tree, list):
        return [tree, *(found for value in tree for found in containers(value))]
    return []


def add(holder: Any, value: Any, random: Random) -> None:
    if isinstance(holder, dict):
        holder[random.choice(("", "more", "_target_", "__class__"))] = copy.deepcopy(value)
    else:
        holder.insert(random.randrange(len(holder) + 1), copy.deepcopy(value))
