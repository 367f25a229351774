"""Pickles of others, read without running anything: numbers, texts, plain containers and tensors come out of them.

A pickle is a program for a machine with a stack. Here it is followed opcode by opcode, and nothing that it names is
ever looked up: a name is a pair of words, and the few that are `CALLS` have a meaning of their own here, which makes
tensors and containers. Any other name, and any other instruction, ends the reading with one line that says which.

What a file can cost is bounded by its length: a tensor has no more numbers than were stored, an instruction makes no
more than its own bytes say, there are at most `MOST` of them, and what is called may all in all be given no more than
`SHARE` times the file, so that one long text is not made into many. Only plain values are keys, because the hash of a
tuple of tuples of tuples may take forever.
"""

from __future__ import annotations

import io
import pickletools
import struct
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import torch
from torch import Tensor

from gan_lab.errors import GanLabError

MOST = 5_000_000  # instructions
SHARE = 2
MAGIC = 0x1950A86A20F9469CFC6C  # how a stored tensor begins
STORAGES = {
    "FloatStorage": torch.float32,
    "HalfStorage": torch.float16,
    "BFloat16Storage": torch.bfloat16,
    "DoubleStorage": torch.float64,
    "LongStorage": torch.int64,
    "IntStorage": torch.int32,
    "ShortStorage": torch.int16,
    "CharStorage": torch.int8,
    "ByteStorage": torch.uint8,
}
DTYPES = frozenset(str(kind).removeprefix("torch.") for kind in STORAGES.values())
FORMATS = {"f2": "e", "f4": "f", "f8": "d", "i1": "b", "i2": "h", "i4": "i", "i8": "q", "u1": "B", "b1": "?"}
DAMAGE = (ValueError, LookupError, TypeError, ArithmeticError, AttributeError, EOFError, struct.error, RuntimeError)


class Refused(ValueError):
    """Something in a pickle that is not read, in a few words."""


class Name(NamedTuple):
    """A name that a pickle mentions. Nobody looks it up."""

    module: str
    name: str

    def __str__(self) -> str:
        return "".join(c if c.isprintable() else "?" for c in f"{self.module}.{self.name}")[:80]


@dataclass
class Thing:
    """What somebody's class would have made: its name and what it was given."""

    kind: str
    state: dict[str, Any] = field(default_factory=dict)


class Mark:
    """A place on the stack."""


def read(data: bytes, file: object) -> Any:
    """What the pickle `data` holds: plain values, containers, tensors on the CPU, and `Thing`s of kind "network".

    Raises GanLabError, in one line that names `file`, for what is damaged, or wants to be more.
    """
    try:
        return Machine(io.BytesIO(data), CALLS, room=SHARE * len(data)).run()
    except Refused as error:
        raise GanLabError(f"{file}: {error}; nothing in it was run") from error
    except (*DAMAGE, RecursionError, MemoryError) as error:
        raise GanLabError(f"{file}: is no pickle, cut short or damaged; nothing in it was run") from error


class Machine:
    """Follows one pickle, from where a file stands to its end. `calls` are the names that mean something, and `room` is
    how much they may be given; `stored` makes what a persistent id means."""

    def __init__(
        self,
        file: io.BytesIO,
        calls: Mapping[Name, Callable[..., Any]],
        room: int = 0,
        stored: Callable[[Any], Any] | None = None,
    ) -> None:
        self.file = file
        self.calls = calls
        self.room = room
        self.stored = stored
        self.stack: list[Any] = []
        self.memo: dict[int, Any] = {}

    def run(self) -> Any:
        for count, (opcode, argument, _) in enumerate(pickletools.genops(self.file)):
            if count >= MOST:
                raise Refused("has too many instructions for the weights of a network")
            if opcode.name == "STOP":
                return self.stack.pop()
            self.step(opcode.name, argument)
        raise EOFError

    def step(self, name: str, argument: Any) -> None:
        if name in LITERALS:
            self.stack.append(argument)
        elif name in EMPTY:
            self.stack.append(EMPTY[name]())
        elif name in INSTRUCTIONS:
            INSTRUCTIONS[name](self, argument)
        elif name not in ("PROTO", "FRAME"):
            raise Refused(f"uses the instruction {name}, which weights do not need")

    def marked(self) -> list[Any]:
        """What lies above the last mark."""
        place = max(index for index, value in enumerate(self.stack) if value is Mark)
        above = self.stack[place + 1 :]
        del self.stack[place:]
        return above

    def tuple_of(self, count: int) -> None:
        if len(self.stack) < count:
            raise IndexError
        self.stack[-count:] = [tuple(self.stack[-count:])]

    def append(self, values: Sequence[Any]) -> None:
        require(self.stack[-1], list).extend(values)

    def set_items(self, values: Sequence[Any]) -> None:
        keys, found = values[::2], values[1::2]
        require(self.stack[-1], dict).update(zip(plain(keys), found, strict=True))

    def add_items(self, values: Sequence[Any]) -> None:
        require(self.stack[-1], set).update(plain(values))

    def pair(self) -> list[Any]:
        value, key = self.stack.pop(), self.stack.pop()
        return [key, value]

    def remember(self, key: int) -> None:
        self.memo[key] = self.stack[-1]

    def mention(self, module: Any, name: Any) -> None:
        """A name is refused where it is mentioned, called or not."""
        found = Name(require(module, str), require(name, str))
        if found not in self.calls and not is_kind(found):
            raise Refused(f"names {found}, which is neither a tensor nor a plain container")
        self.stack.append(found)

    def call(self) -> None:
        arguments, called = require(self.stack.pop(), tuple), self.stack.pop()
        if not isinstance(called, Name) or called not in self.calls:
            raise Refused("calls what is no function")
        self.room -= sum(len(value) for value in arguments if isinstance(value, (str, bytes, list, dict, set)))
        if self.room < 0:
            raise Refused("makes more of its bytes than there are")
        self.stack.append(self.calls[called](*arguments))

    def build(self) -> None:
        """The state of a container says nothing that is needed, that of a number how its bytes lie."""
        state, target = self.stack.pop(), self.stack[-1]
        if type(target) is not dict and not (isinstance(target, Thing) and target.kind != "network"):
            raise Refused("gives a state to what has none")
        if isinstance(target, Thing):
            target.state["state"] = state

    def persistent(self) -> None:
        if self.stored is None:
            raise Refused("uses a persistent id, which a pickle of weights does not have")
        self.stack.append(self.stored(self.stack.pop()))


def require(value: Any, kind: type) -> Any:
    if type(value) is not kind:
        raise Refused(f"has a {type(value).__name__} where a {kind.__name__} belongs")
    return value


def plain(keys: Sequence[Any]) -> Sequence[Any]:
    """Keys whose hash is quickly there."""
    for key in keys:
        if not (key is None or type(key) in (str, int, float, bool, bytes)):
            raise Refused(f"has a {type(key).__name__} for a key")
    return keys


LITERALS = frozenset(
    "INT LONG LONG1 LONG4 BININT BININT1 BININT2 FLOAT BINFLOAT STRING BINSTRING SHORT_BINSTRING UNICODE BINUNICODE "
    "SHORT_BINUNICODE BINUNICODE8 BINBYTES SHORT_BINBYTES BINBYTES8 BYTEARRAY8".split()
)
EMPTY: dict[str, Callable[[], Any]] = {
    "NONE": lambda: None,
    "NEWTRUE": lambda: True,
    "NEWFALSE": lambda: False,
    "EMPTY_LIST": list,
    "EMPTY_DICT": dict,
    "EMPTY_TUPLE": tuple,
    "EMPTY_SET": set,
    "MARK": lambda: Mark,
}
INSTRUCTIONS: dict[str, Callable[[Machine, Any], object]] = {
    "TUPLE": lambda machine, _: machine.stack.append(tuple(machine.marked())),
    "TUPLE1": lambda machine, _: machine.tuple_of(1),
    "TUPLE2": lambda machine, _: machine.tuple_of(2),
    "TUPLE3": lambda machine, _: machine.tuple_of(3),
    "LIST": lambda machine, _: machine.stack.append(machine.marked()),
    "DICT": lambda machine, _: machine.stack.append(pairs(machine.marked())),
    "FROZENSET": lambda machine, _: machine.stack.append(set(plain(machine.marked()))),
    "APPEND": lambda machine, _: machine.append([machine.stack.pop()]),
    "APPENDS": lambda machine, _: machine.append(machine.marked()),
    "SETITEM": lambda machine, _: machine.set_items(machine.pair()),
    "SETITEMS": lambda machine, _: machine.set_items(machine.marked()),
    "ADDITEMS": lambda machine, _: machine.add_items(machine.marked()),
    "POP": lambda machine, _: machine.stack.pop(),
    "POP_MARK": lambda machine, _: machine.marked(),
    "DUP": lambda machine, _: machine.stack.append(machine.stack[-1]),
    **dict.fromkeys(("PUT", "BINPUT", "LONG_BINPUT"), Machine.remember),
    "MEMOIZE": lambda machine, _: machine.remember(len(machine.memo)),
    **dict.fromkeys(("GET", "BINGET", "LONG_BINGET"), lambda machine, key: machine.stack.append(machine.memo[key])),
    "GLOBAL": lambda machine, names: machine.mention(*names.split(" ", 1)),
    "STACK_GLOBAL": lambda machine, _: machine.mention(*machine.pair()),
    "REDUCE": lambda machine, _: machine.call(),
    "NEWOBJ": lambda machine, _: machine.call(),
    "BUILD": lambda machine, _: machine.build(),
    "BINPERSID": lambda machine, _: machine.persistent(),
}


def pairs(values: Sequence[Any]) -> dict[Any, Any]:
    return dict(zip(plain(values[::2]), values[1::2], strict=True))


def is_storage(name: Name) -> bool:
    return name.module in ("torch", "torch.cuda") and name.name in STORAGES


def is_kind(name: Name) -> bool:
    """Whether a name says what kind of numbers there are."""
    return is_storage(name) or (name.module == "torch" and name.name in DTYPES)


def tensor(stored: Any, offset: Any, size: Any, stride: Any, *_: Any) -> Tensor:
    """A view of what was stored. Raises Refused for one that would reach, or hold, more than that."""
    numbers = [require(offset, int), *map(whole, require(size, tuple)), *map(whole, require(stride, tuple))]
    if not isinstance(stored, Tensor) or len(size) != len(stride) or min(numbers) < 0:
        raise Refused("has a tensor of nothing")
    count, last = 1, offset
    for length, step in zip(size, stride, strict=True):
        count *= length
        last += (length - 1) * step
    if count and (count > len(stored) or last >= len(stored)):
        raise Refused("has a tensor that is larger than what was stored of it")
    return stored.as_strided(size, stride, offset)


def whole(value: Any) -> int:
    found: int = require(value, int)
    return found


def storage(data: Any) -> Tensor:
    """The numbers of a tensor as they were saved: five pickles and then the bytes."""
    file = io.BytesIO(require(data, bytes))
    if Machine(file, {}).run() != MAGIC:
        raise Refused("holds a tensor in a form that is not known")
    Machine(file, {}).run(), Machine(file, {}).run()  # the version, and the machine's own sizes
    name, count = Machine(file, {}, stored=persistent_storage).run()
    keys = Machine(file, {}).run()
    kind = STORAGES[name.name]
    raw = file.read()
    size = count * kind.itemsize
    if len(require(keys, list)) != 1 or len(raw) != 8 + size or struct.unpack("<q", raw[:8])[0] != count:
        raise Refused("holds a tensor that is longer or shorter than it says")
    return torch.frombuffer(bytearray(raw[8:]), dtype=kind) if count else torch.empty(0, dtype=kind)


def persistent_storage(given: Any) -> tuple[Name, int]:
    """What stands in the place of a storage: its kind and how many numbers it has."""
    said, kind, _, _, count, *view = require(given, tuple)
    if said != "storage" or not isinstance(kind, Name) or not is_storage(kind) or any(view) or whole(count) < 0:
        raise Refused("holds a tensor in a form that is not known")
    return kind, count


def number(kind: Any, data: Any) -> Any:
    """A number of NumPy's."""
    if not isinstance(kind, Thing) or kind.kind != "dtype":
        raise Refused("has a number of no kind")
    return struct.unpack("<" + FORMATS[kind.state["code"]], require(data, bytes))[0]


def network(meta: Any) -> Thing:
    """A network with its own source, of which the source is left alone."""
    found = require(meta, dict)
    return Thing("network", {"class": found.get("class_name"), **require(found.get("state"), dict)})


def container(*given: Any) -> dict[Any, Any]:
    """A dictionary of whatever name: empty, or of a list of pairs."""
    if not given:
        return {}
    (items,) = given
    return dict(items) if type(items) is dict else pairs([each for pair in require(items, list) for each in pair])


def group(items: Any = ()) -> set[Any]:
    return set(plain(items))


CALLS: dict[Name, Callable[..., Any]] = {
    **dict.fromkeys((Name("collections", "OrderedDict"), Name("dnnlib.util", "EasyDict")), container),
    **{Name(module, name): group for module in ("builtins", "__builtin__") for name in ("set", "frozenset")},
    Name("torch._utils", "_rebuild_tensor"): tensor,
    Name("torch._utils", "_rebuild_tensor_v2"): tensor,
    Name("torch._utils", "_rebuild_parameter"): lambda value, *_: value,
    Name("torch._utils", "_rebuild_parameter_with_state"): lambda value, *_: value,
    Name("torch.storage", "_load_from_bytes"): storage,
    Name("torch", "Size"): lambda sides: tuple(sides),
    Name("torch", "device"): lambda *place: "device",
    Name("torch_utils.persistence", "_reconstruct_persistent_obj"): network,
    Name("numpy", "dtype"): lambda code, *_: Thing("dtype", {"code": code}),
    Name("numpy", "ndarray"): lambda *_: Thing("array"),
    Name("_codecs", "encode"): lambda text, *_: text.encode("latin1"),
    **{Name(f"numpy.{core}.multiarray", "scalar"): number for core in ("core", "_core")},
    **{Name(f"numpy.{core}.multiarray", "_reconstruct"): lambda *_: Thing("array") for core in ("core", "_core")},
    **{Name(f"numpy.{core}.numeric", "_frombuffer"): lambda *_: Thing("array") for core in ("core", "_core")},
}
