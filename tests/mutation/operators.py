"""Generic mutations of Python: signs, constants, axes, reductions, detaches, comparisons, who is who, what is left out.

Each is an edit of the source at the place of a node of its syntax tree, so everything else stays as it was written.
Docstrings, annotations, messages (what is raised, logged, formatted) and what only another device or several processes
reach are left alone.
"""

from __future__ import annotations

import ast
import builtins
import re
from collections.abc import Iterator

from tests.mutation.mutant import Mutant

SIGNS: dict[type, tuple[bytes, bytes]] = {
    ast.Add: (b"+", b"-"),
    ast.Sub: (b"-", b"+"),
    ast.Mult: (b"*", b"/"),
    ast.Div: (b"/", b"*"),
    ast.Pow: (b"**", b"*"),
}
COMPARISONS: dict[type, tuple[bytes, bytes]] = {
    ast.Lt: (b"<", b"<="),
    ast.LtE: (b"<=", b"<"),
    ast.Gt: (b">", b">="),
    ast.GtE: (b">=", b">"),
    ast.Eq: (b"==", b"!="),
    ast.NotEq: (b"!=", b"=="),
    ast.Is: (b"is", b"is not"),
    ast.IsNot: (b"is not", b"is"),
    ast.In: (b"in", b"not in"),
    ast.NotIn: (b"not in", b"in"),
}
REDUCTIONS = {
    "mean": "sum",
    "sum": "mean",
    "amax": "amin",
    "amin": "amax",
    "max": "min",
    "min": "max",
    "argmax": "argmin",
    "any": "all",
    "all": "any",
    "square": "abs",
    "sqrt": "abs",
    "floor": "ceil",
    "randn_like": "rand_like",
    "relu": "abs",
    "sigmoid": "tanh",
    "tanh": "sigmoid",
    "softplus": "relu",
    "softmax": "log_softmax",
    "var": "std",
    "std": "var",
    "avg_pool2d": "max_pool2d",
    "randn": "rand",
    "rand": "randn",
    "prod": "sum",
    "lerp": "add",
    "lerp_": "add_",
    "add_": "sub_",
    "minimum": "maximum",
    "maximum": "minimum",
}
WITH_AXES = {
    *("mean", "sum", "amax", "amin", "max", "min", "argmax", "softmax", "cat", "stack", "flatten", "unbind", "topk"),
    *("flip", "chunk", "split", "transpose", "permute", "var", "std", "vector_norm", "gather", "unsqueeze", "squeeze"),
    *("repeat_interleave", "roll", "size", "cumsum", "normalize", "argsort", "sort", "index_select", "movedim"),
}
OTHERS = {  # who is taken for whom
    "real": "fake",
    "fake": "real",
    "generator": "discriminator",
    "discriminator": "generator",
    "real_scores": "fake_scores",
    "fake_scores": "real_scores",
    "real_critique": "fake_critique",
    "fake_critique": "real_critique",
    "image": "input",
    "input": "image",
    "label": "input",
    "height": "width",
    "width": "height",
    "on_real": "on_fake",
    "on_fake": "on_real",
    "rows": "columns",
    "condition": "generator_condition",
    "generator_condition": "condition",
}
ELSEWHERE = ("cuda", "mps", "size > 1", "size == 1", "TYPE_CHECKING", "hip", "xpu", "__main__")


def python_mutants(path: str, source: bytes) -> Iterator[Mutant]:
    """Every mutant of a Python file."""
    yield from Mutations(path, source).found(ast.parse(source))


class Mutations:
    """Walks a syntax tree and knows where in the source its nodes lie."""

    def __init__(self, path: str, source: bytes) -> None:
        self.path, self.source = path, source
        self.lines = [0]
        for line in source.splitlines(keepends=True):
            self.lines.append(self.lines[-1] + len(line))

    def span(self, node: ast.AST) -> tuple[int, int]:
        line, column = node.lineno, node.col_offset  # type: ignore[attr-defined]
        last, end = node.end_lineno, node.end_col_offset  # type: ignore[attr-defined]
        return self.lines[line - 1] + column, self.lines[last - 1] + end

    def text(self, node: ast.AST) -> bytes:
        start, end = self.span(node)
        return self.source[start:end]

    def edit(self, kind: str, node: ast.AST, new: bytes) -> Mutant:
        return Mutant(self.path, kind, *self.span(node), new, self.source)

    def between(self, kind: str, left: ast.AST, right: ast.AST, old: bytes, new: bytes) -> Iterator[Mutant]:
        """An operator between two nodes."""
        start, end = self.span(left)[1], self.span(right)[0]
        place = self.source.find(old, start, end)
        if place >= 0:
            yield Mutant(self.path, kind, place, place + len(old), new, self.source)

    def found(self, node: ast.AST, caller: str = "") -> Iterator[Mutant]:
        """The mutants of a node and of all below it; `caller` is the function whose argument it is."""
        if self.is_left_alone(node):
            return
        yield from self.of(node, caller)
        inside = called(node) or (caller if isinstance(node, (ast.keyword, ast.Tuple, ast.UnaryOp)) else "")
        for field, value in ast.iter_fields(node):
            for child in value if isinstance(value, list) else [value]:
                if isinstance(child, ast.AST) and field not in ("annotation", "returns"):
                    yield from self.found(child, inside)

    def is_left_alone(self, node: ast.AST) -> bool:
        if isinstance(node, (ast.Raise, ast.Assert, ast.Import, ast.ImportFrom, ast.JoinedStr)):
            return True
        if isinstance(node, ast.If):
            test = self.text(node.test).decode()
            return isinstance(node.body[0], ast.Raise) or any(word in test for word in ELSEWHERE)
        if isinstance(node, ast.IfExp):
            return any(word in self.text(node.test).decode() for word in ELSEWHERE)
        if isinstance(node, ast.Call):
            return called(node) in ("info", "warning", "warn", "error", "debug", "_warn", "isinstance", "super")
        return is_text(node)

    def of(self, node: ast.AST, caller: str) -> Iterator[Mutant]:
        """The mutants of one node."""
        if isinstance(node, ast.BinOp) and not any(map(is_path, (node.left, node.right))):
            for old, new in [SIGNS[type(node.op)]] if type(node.op) in SIGNS else []:
                yield from self.between("sign", node.left, node.right, old, new)
        elif isinstance(node, ast.UnaryOp):
            if isinstance(node.op, ast.USub) and caller not in WITH_AXES:
                yield self.edit("sign", node, self.text(node.operand))
            elif isinstance(node.op, ast.Not):
                yield self.edit("comparison", node, b"(" + self.text(node.operand) + b")")
        elif isinstance(node, ast.Compare):
            for old, new in [COMPARISONS[type(node.ops[0])]]:
                yield from self.between("comparison", node.left, node.comparators[0], old, new)
        elif isinstance(node, ast.BoolOp):
            old, new = (b"and", b"or") if isinstance(node.op, ast.And) else (b"or", b"and")
            yield from self.between("comparison", node.values[0], node.values[1], old, new)
        elif isinstance(node, ast.Constant):
            yield from self.of_constant(node, caller)
        elif isinstance(node, ast.Call):
            yield from self.of_call(node)
        elif isinstance(node, (ast.Name, ast.Attribute)):
            yield from self.of_name(node)
        elif is_statement(node) and b"super()" not in self.text(node):
            yield self.edit("left out", node, b"pass")

    def is_there(self, name: str) -> bool:
        """Whether code with this name in it can run at all."""
        return hasattr(builtins, name) or bool(re.search(rf"\b{re.escape(name)}\b".encode(), self.source))

    def of_constant(self, node: ast.Constant, caller: str) -> Iterator[Mutant]:
        value = node.value
        if isinstance(value, bool):
            yield self.edit("constant", node, str(not value).encode())
        elif isinstance(value, int) and caller != "permute":
            kind = "axis" if caller in WITH_AXES else "constant"
            new = {0: 1, 1: 0}.get(value, value + 1) if kind == "axis" else value + 1
            yield self.edit(kind, node, str(new).encode())
        elif isinstance(value, float):
            yield self.edit("constant", node, repr(2 * value if value else 1.0).encode())
        elif isinstance(value, str) and value in OTHERS:
            yield self.edit("who", node, repr(OTHERS[value]).encode())

    def of_call(self, node: ast.Call) -> Iterator[Mutant]:
        function = node.func
        if isinstance(function, ast.Attribute):
            if function.attr == "detach":
                yield self.edit("detach", node, self.text(function.value))
            elif function.attr in ("no_grad", "inference_mode"):
                yield self.edit("detach", function, b"torch.enable_grad")
            elif function.attr == "augmentation":
                yield self.edit("who", node, self.text(node.args[0]))
            elif function.attr == "permute" and len(node.args) > 2:
                first, second = node.args[-2:]
                start, end = self.span(first)[0], self.span(second)[1]
                yield Mutant(self.path, "axis", start, end, self.text(second) + b", " + self.text(first), self.source)
            elif function.attr in REDUCTIONS and self.text(function.value) != b"math":
                end = self.span(function)[1]
                start = end - len(function.attr)
                yield Mutant(self.path, "reduction", start, end, REDUCTIONS[function.attr].encode(), self.source)
        elif isinstance(function, ast.Name) and self.is_there(REDUCTIONS.get(function.id, "?")):
            yield self.edit("reduction", function, REDUCTIONS[function.id].encode())
        if called(node) in ("getattr", "setattr", "hasattr", "field"):
            return
        if len(node.args) >= 2 and all(isinstance(each, (ast.Name, ast.Attribute)) for each in node.args[:2]):
            first, second = node.args[:2]
            start, end = self.span(first)[0], self.span(second)[1]
            gap = self.source[self.span(first)[1] : self.span(second)[0]]
            swapped = self.text(second) + gap + self.text(first)
            if self.text(first) != self.text(second):
                yield Mutant(self.path, "who", start, end, swapped, self.source)

    def of_name(self, node: ast.Name | ast.Attribute) -> Iterator[Mutant]:
        if not isinstance(node.ctx, ast.Load):
            return
        name = node.id if isinstance(node, ast.Name) else node.attr
        if self.is_there(OTHERS.get(name, "?")):
            end = self.span(node)[1]
            yield Mutant(self.path, "who", end - len(name), end, OTHERS[name].encode(), self.source)


def called(node: ast.AST) -> str:
    """The last name of the function that a call calls."""
    if not isinstance(node, ast.Call):
        return ""
    return getattr(node.func, "attr", None) or getattr(node.func, "id", "")


def is_text(node: ast.AST) -> bool:
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)


def is_statement(node: ast.AST) -> bool:
    """Whether it does something without giving anything back."""
    return isinstance(node, ast.AugAssign) or (isinstance(node, ast.Expr) and isinstance(node.value, ast.Call))


def is_path(node: ast.AST) -> bool:
    """Whether `/` after this is a path's."""
    words = ("folder", "path", "Path", "root", "out", "limit", "checkpoints")
    text = isinstance(node, ast.Constant) and isinstance(node.value, (str, bytes))
    return text or getattr(node, "attr", getattr(node, "id", "")) in words
