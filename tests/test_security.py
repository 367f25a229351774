"""Nothing in the package runs what it reads: no unrestricted pickle, no evaluated text, no shell."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

import gan_lab

PACKAGE = Path(gan_lab.__file__).parent
PICKLES = frozenset("pickle _pickle cPickle dill cloudpickle joblib marshal shelve".split())
HARMLESS = {"pickle": frozenset(("UnpicklingError", "PickleError"))}  # names of pickle that load nothing
RUN = frozenset("eval exec compile __import__".split())  # builtins that run text
SHELLS = frozenset("os.system os.popen os.execv os.spawnl pty.spawn tempfile.mktemp".split())
LOADERS = frozenset("torch.hub.load torch.jit.load torch.package.PackageImporter pandas.read_pickle".split())
SAFE = {  # what a call must be given so that nothing in the file is run
    "torch.load": ("weights_only", True),
    "np.load": ("allow_pickle", False),
    "numpy.load": ("allow_pickle", False),
}
BUILDS = "hydra.utils.instantiate"  # names what is run, so one place checks it
EXTRACTS = frozenset(("extractall", "extract"))


def dotted(node: ast.expr) -> str:
    """`a.b.c` of an expression; empty for what is no such name."""
    if isinstance(node, ast.Name):
        return node.id
    if isinstance(node, ast.Attribute) and (before := dotted(node.value)):
        return f"{before}.{node.attr}"
    return ""


def dangers(source: str) -> Iterator[str]:
    """What a module does that could run what somebody else has written, each with its line."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.ImportFrom) and (node.module or "").partition(".")[0] in PICKLES:
            allowed = HARMLESS.get(str(node.module), frozenset())
            yield from (f"{node.lineno}: {node.module}.{each.name}" for each in node.names if each.name not in allowed)
        elif isinstance(node, ast.Import):
            yield from (
                f"{node.lineno}: {each.name}"
                for each in node.names
                if each.name.partition(".")[0] in PICKLES and (each.name not in HARMLESS or each.asname)
            )
        elif isinstance(node, ast.Attribute) and dotted(node.value) in HARMLESS:
            if node.attr not in HARMLESS[dotted(node.value)]:
                yield f"{node.lineno}: {dotted(node)}"
        elif isinstance(node, ast.Call):
            yield from _danger_of(node)


def _danger_of(call: ast.Call) -> Iterator[str]:
    name, given = dotted(call.func), {each.arg: each.value for each in call.keywords}
    if name in RUN | SHELLS | LOADERS | {BUILDS}:
        yield f"{call.lineno}: {name}"
    if name in SAFE:
        key, wanted = SAFE[name]
        value = given.get(key)
        if not (isinstance(value, ast.Constant) and value.value is wanted):
            yield f"{call.lineno}: {name} without {key}={wanted}"
    if name.endswith("yaml.load") and not _is_safe_loader(given.get("Loader")):
        yield f"{call.lineno}: {name} without a safe loader"
    if isinstance(call.func, ast.Attribute) and call.func.attr in EXTRACTS:
        yield f"{call.lineno}: {call.func.attr}"
    if "shell" in given and not (isinstance(given["shell"], ast.Constant) and given["shell"].value is False):
        yield f"{call.lineno}: a shell"


def _is_safe_loader(loader: ast.expr | None) -> bool:
    return loader is not None and ("SafeLoader" in ast.unparse(loader) or dotted(loader) == "loader")


@pytest.mark.parametrize("file", sorted(PACKAGE.rglob("*.py")), ids=lambda file: str(file.relative_to(PACKAGE)))
def test_nothing_that_is_read_is_run(file: Path) -> None:
    found = list(dangers(file.read_text(encoding="utf-8")))
    if file == PACKAGE / "config.py":
        found = [danger for danger in found if not danger.endswith(BUILDS)]
    assert not found


@pytest.mark.parametrize(
    "line",
    [
        *("import pickle as p", "import dill", "from pickle import loads", "import pickle; pickle.loads(b'')"),
        *("torch.load(f)", "torch.load(f, weights_only=False)", "torch.load(f, weights_only=chosen)", "np.load(f)"),
        *("np.load(f, allow_pickle=True)", "yaml.load(f)", "yaml.load(f, Loader=yaml.Loader)", "eval('1')", "exec(x)"),
        *("subprocess.run(x, shell=True)", "os.system(x)", "archive.extractall(x)", "hydra.utils.instantiate(x)"),
        *("torch.hub.load(x, y)", "tempfile.mktemp()", "import joblib", "from joblib import load"),
    ],
)
def test_what_is_dangerous(line: str) -> None:
    assert list(dangers(line))


@pytest.mark.parametrize(
    "line",
    [
        *(
            "import pickle\ntry:\n    pass\nexcept pickle.UnpicklingError:\n    pass",
            "torch.load(f, weights_only=True)",
        ),
        *(
            "np.load(f, allow_pickle=False)",
            "yaml.load(f, Loader=yaml.SafeLoader)",
            "subprocess.run(x)",
            "network.eval()",
        ),
    ],
)
def test_what_is_not(line: str) -> None:
    assert not list(dangers(line))
