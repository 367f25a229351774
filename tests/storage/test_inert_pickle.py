"""Pickles of others: what is read of them, and that nothing else ever happens."""

from __future__ import annotations

import collections
import io
import os
import pickle
import struct
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from gan_lab.errors import GanLabError
from gan_lab.storage.inert_pickle import SHARE, read
from tests.importing.files import dumped, module

TENSORS = {
    "float": torch.arange(6.0).view(2, 3),
    "half": torch.tensor([0.5, -2.0], dtype=torch.float16),
    "bf16": torch.tensor([0.5, -2.0], dtype=torch.bfloat16),
    "double": torch.tensor(3.0, dtype=torch.float64),
    "whole": torch.tensor([[1], [-7]]),
    "bytes": torch.tensor([0, 255], dtype=torch.uint8),
    "turned": torch.arange(6.0).view(2, 3).T,
    "part": torch.arange(6.0)[2:4],
    "none": torch.empty(0, 3),
}


@pytest.mark.parametrize("protocol", range(6))
def test_tensors_and_containers(protocol: int) -> None:
    shared = torch.arange(3.0)
    plain = {"a": [1, -(2**70), 2.5, None, True], "b": ("ü", b"\x00\xff", {3}, frozenset("x"), ()), 4: {}}
    given = {**TENSORS, "plain": plain, "ordered": collections.OrderedDict(a=1), "twice": [shared, shared]}
    given["learned"] = nn.Parameter(torch.ones(2))  # type: ignore[assignment]
    found = read(pickle.dumps(given, protocol), "file")
    for name, value in TENSORS.items():
        assert torch.equal(found[name], value), name
        assert found[name].dtype == value.dtype
    assert found["plain"] == plain
    assert found["ordered"] == {"a": 1}
    assert found["twice"][0] is found["twice"][1]
    assert torch.equal(found["learned"], torch.ones(2))


def test_numbers_of_numpy_and_a_network() -> None:
    network = module("Generator", {"conv.weight": torch.ones(2)}, activation="lrelu")
    found = read(dumped({"one": np.float64(0.25), "two": np.int32(-3), "half": np.float16(2), "G": network}), "file")
    assert (found["one"], found["two"], found["half"]) == (0.25, -3, 2.0)
    thing = found["G"]
    assert (thing.kind, thing.state["class"], thing.state["_init_kwargs"]) == (
        "network",
        "Generator",
        {"activation": "lrelu"},
    )
    assert "module_src" not in thing.state
    assert "torch_utils" not in sys.modules


def reduced(call: Any, *arguments: Any) -> bytes:
    class Evil:
        def __reduce__(self) -> Any:
            return call, arguments

    return pickle.dumps({"G_ema": Evil()})


def by_hand(*parts: bytes) -> bytes:
    return b"\x80\x04" + b"".join(parts) + b"."


def text(word: str) -> bytes:
    return b"\x8c" + bytes([len(word)]) + word.encode()


SYSTEM = text("os") + text("system") + b"\x93"
LAZY = text("collections") + text("OrderedDict") + b"\x93"
BOMB = b"".join(b"\x94h%c" % index + b"\x86" for index in range(60))  # (x, x) of (x, x) of ...

HOSTILE = {
    "reduce": (reduced(os.system, "touch made"), "names posix.system"),
    "eval": (reduced(eval, "open('made', 'w')"), "names builtins.eval"),
    "getattr": (by_hand(b"cbuiltins\ngetattr\n)R"), "names builtins.getattr"),
    "global": (b"cos\nsystem\n(S'touch made'\ntR.", "names os.system"),
    "named, not called": (by_hand(SYSTEM), "names os.system"),
    "stacked": (by_hand(SYSTEM, text("touch made"), b"\x85R"), "names os.system"),
    "nested": (by_hand(b"ctorch.storage\n_load_from_bytes.system\n"), "names torch.storage._load_from_bytes.system"),
    "in an argument": (by_hand(LAZY, SYSTEM, b"\x85R"), "names os.system"),
    "new object": (by_hand(SYSTEM, text("touch made"), b"\x85\x81"), "names os.system"),
    "new object, keywords": (by_hand(LAZY, b")}\x92"), "instruction NEWOBJ_EX"),
    "instance": (b"(S'touch made'\nios\nsystem\n.", "instruction INST"),
    "object": (b"(cos\nsystem\nS'touch made'\no.", "names os.system"),
    "build a name": (by_hand(LAZY, b"}", text("__reduce__"), b"Ns", b"b"), "gives a state to what has none"),
    "build a list": (by_hand(b"]}b"), "gives a state to what has none"),
    "call a value": (by_hand(text("x"), b")R"), "calls what is no function"),
    "call a kind": (by_hand(b"ctorch\nFloatStorage\n)R"), "calls what is no function"),
    "arguments that are a list": (by_hand(LAZY, b"]R"), "has a list where a tuple belongs"),
    "extension": (by_hand(b"\x82\x01"), "instruction EXT1"),
    "persistent": (b"Pos.system\n.", "instruction PERSID"),
    "persistent on the stack": (by_hand(text("os"), b"Q"), "uses a persistent id"),
    "buffer": (b"\x80\x05\x97.", "instruction NEXT_BUFFER"),
    "bytes for a key": (by_hand(b"}\x96", struct.pack("<Q", 1), b"xNs"), "has a bytearray for a key"),
    "forgotten memo": (by_hand(b"h\x07"), "no pickle, cut short or damaged"),
    "hash bomb": (by_hand(b"}N", BOMB, b"Ns"), "has a tuple for a key"),
    "set bomb": (by_hand(b"\x8f(N", BOMB, b"\x90"), "has a tuple for a key"),
    "append to a name": (by_hand(LAZY, b"Na"), "where a list belongs"),
    "items of a list": (by_hand(b"]NNs"), "where a dict belongs"),
    "no mark": (by_hand(b"Nt"), "no pickle, cut short or damaged"),
    "empty stack": (by_hand(b"0"), "no pickle, cut short or damaged"),
    "cut": (b"\x80\x04]", "no pickle, cut short or damaged"),
    "empty": (b"", "no pickle, cut short or damaged"),
    "a text that is longer than the file": (b"\x8d" + struct.pack("<Q", 2**40) + b"x.", "no pickle, cut short"),
    "a number of many digits": (b"I" + b"9" * 9999 + b"\n.", "no pickle, cut short"),
    "terminal": (by_hand(text("os\x1b[2J"), text("x\ny"), b"\x93"), r"names os\?\[2J.x\?y"),
    "sources": (by_hand(b"ctorch_utils.persistence\n_src_to_module\n"), "names torch_utils.persistence._src_to_module"),
    "from bytes": (by_hand(b"ctorch.storage\n_load_from_bytes\nC\x03xyz\x85R"), "cut short or damaged"),
}  # fmt: skip


@pytest.mark.parametrize("name", HOSTILE)
def test_what_is_refused(name: str, here: Path) -> None:
    """In one line, and nothing is made."""
    data, said = HOSTILE[name]
    with pytest.raises(GanLabError, match=rf"^file: [^\n]*{said}[^\n]*; nothing in it was run$"):
        read(data, "file")
    assert not list(here.iterdir())


def test_strange_and_harmless() -> None:
    assert read(by_hand(b"Nr\xff\xff\xff\xff"), "file") is None  # remembered far away
    found = read(by_hand(b"]\x94h\x00a"), "file")
    assert found[0] is found


def stored(change: Callable[[list[bytes]], None]) -> bytes:
    """A tensor whose stored form was changed."""
    file = io.BytesIO()
    torch.save(torch.arange(4.0).storage(), file, _use_new_zipfile_serialization=False)
    parts = [file.getvalue()]
    change(parts)
    name = b"ctorch.storage\n_load_from_bytes\n"
    return by_hand(name, b"B", struct.pack("<I", len(parts[0])), parts[0], b"\x85R")


def replacing(old: bytes, new: bytes) -> Callable[[list[bytes]], None]:
    def change(parts: list[bytes]) -> None:
        assert old in parts[0]
        parts[0] = parts[0].replace(old, new, 1)

    return change


STORED = [
    (replacing(b"FloatStorage", b"FloatStorags"), "names torch.FloatStorags"),
    (replacing(b"ctorch\nFloatStorage", b"cposix\nsystem      "), "names posix.system"),
    (replacing(b"K\x04N", b"J\xff\xff\xff\x7fN"), "longer or shorter than it says"),
    (replacing(b"K\x04N", b"J\xff\xff\xff\xffN"), "in a form that is not known"),
    (replacing(b"K\x04N", b"K\x03N"), "longer or shorter than it says"),
    (replacing(struct.pack("<q", 4), struct.pack("<q", 2**60)), "longer or shorter than it says"),
    (replacing(b"\x8a\x0al\xfc", b"\x8a\x0al\xfd"), "in a form that is not known"),
]


@pytest.mark.filterwarnings("ignore::UserWarning")
@pytest.mark.parametrize(("change", "said"), STORED, ids=[said for _, said in STORED])
def test_what_a_stored_tensor_may_not_be(change: Callable[[list[bytes]], None], said: str) -> None:
    assert torch.equal(read(stored(lambda parts: None), "file"), torch.arange(4.0))
    with pytest.raises(GanLabError, match=said):
        read(stored(change), "file")


SHAPES = [
    (0, (10**6, 10**6), (0, 0)),  # of one number
    (0, (2, 2), (3, 1)),
    (3, (2,), (1,)),
    (-1, (1,), (1,)),
    (0, (-4,), (1,)),
    (0, (4,), (-1,)),
    (0, (2, 2), (1,)),
]


@pytest.mark.filterwarnings("ignore::UserWarning")
@pytest.mark.parametrize(("offset", "size", "stride"), SHAPES, ids=str)
def test_a_tensor_has_no_more_than_was_stored(offset: int, size: tuple[int, ...], stride: tuple[int, ...]) -> None:
    name = b"ctorch._utils\n_rebuild_tensor\n"
    inside = stored(lambda parts: None)[2:-1]
    data = by_hand(name, b"(", inside, *(pickle.dumps(each, 2)[2:-1] for each in (offset, size, stride)), b"tR")
    with pytest.raises(GanLabError, match="has a tensor"):
        read(data, "file")


def test_a_text_is_not_made_into_many() -> None:
    """One of a thousand letters, encoded again and again: after `SHARE` times the file it ends."""
    again = b"c_codecs\nencode\nh\x00\x85R0"
    data = by_hand(b"X", struct.pack("<I", 1000), b"x" * 1000, b"\x94", again * 100)
    with pytest.raises(GanLabError, match="makes more of its bytes than there are"):
        read(data, "file")
    assert read(by_hand(b"X", struct.pack("<I", 1000), b"x" * 1000, b"\x94", again * SHARE), "file") == "x" * 1000


def test_too_many_instructions(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gan_lab.storage.inert_pickle.MOST", 10)
    with pytest.raises(GanLabError, match="too many instructions"):
        read(by_hand(b"N0" * 10, b"N"), "file")
