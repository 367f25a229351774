"""The tree of `gan_lab/` is its architecture: six files at the root, every other file in a room, and imports that point
down the list of rooms. Imports for types and those inside of functions count as all others do."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import gan_lab

PACKAGE = Path(gan_lab.__file__).parent
ROOT_FILES = {"__init__", "__main__", "cli", "config", "errors", "train"}
ROOMS = (  # each may import from those before it
    *("__init__", "errors", "config", "storage", "distributed", "layers", "text", "engine", "command_line"),
    *("augmentations", "degradations", "losses", "models", "wrappers", "data", "sampling", "algorithms"),
    *(
        "features",
        "pictures",
        "metrics",
        "translation",
        "detection",
        "editing",
        "inversion",
        "synthetic_data",
        "loggers",
        "records",
        "training",
    ),
    *(
        "benchmark",
        "health",
        "callbacks",
        "train",
        "jobs",
        "tuning",
        "ablation",
        "reproduction",
        "importing",
        "verbs",
        "cli",
        "__main__",
    ),
)
UPWARD = {
    ("gan_lab", "gan_lab.sampling.trained"): "gan_lab.load is imported when it is first asked for",
    ("gan_lab.jobs.child", "gan_lab.cli"): "the process of a training is the whole command, started again",
}


def modules() -> dict[str, Path]:
    found = {}
    for path in PACKAGE.rglob("*.py"):
        parts = path.relative_to(PACKAGE.parent).with_suffix("").parts
        found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    return found


def imports(name: str, known: dict[str, Path]) -> Iterator[str]:
    """The modules of this package that a module imports, wherever in it."""
    for node in ast.walk(ast.parse(known[name].read_text())):
        if isinstance(node, ast.ImportFrom):
            assert not node.level, f"{name}: imports are absolute"
            names = [f"{node.module}.{alias.name}" for alias in node.names]
            yield from {each if each in known else str(node.module) for each in names} & known.keys() - {name}
        elif isinstance(node, ast.Import):
            yield from {alias.name for alias in node.names} & known.keys() - {name}


def room(module: str) -> str:
    return (*module.split(".")[1:], "__init__")[0]


def arrows() -> dict[str, set[str]]:
    known = modules()
    return {name: {other for other in imports(name, known) if (name, other) not in UPWARD} for name in known}


def test_the_root_holds_six_files() -> None:
    assert {path.stem for path in PACKAGE.glob("*.py")} == ROOT_FILES


def test_every_room_has_its_place() -> None:
    folders = {path.parent.name for path in PACKAGE.glob("*/*.py")}
    assert folders | ROOT_FILES == set(ROOMS)
    assert len(set(ROOMS)) == len(ROOMS)


def test_imports_point_down() -> None:
    upward = [
        f"{name} -> {other}"
        for name, others in arrows().items()
        for other in others
        if ROOMS.index(room(other)) > ROOMS.index(room(name))
    ]
    assert not upward


def test_no_file_imports_itself_in_a_circle() -> None:
    waiting, done = arrows(), set[str]()
    while waiting:
        free = [name for name, others in waiting.items() if others <= done]
        assert free, f"a circle among {sorted(waiting)}"
        done.update(free)
        for name in free:
            del waiting[name]


def test_what_points_upward_does_so_still() -> None:
    known = modules()
    assert all(other in set(imports(name, known)) for name, other in UPWARD)


def test_every_test_has_its_room() -> None:
    """Tests mirror the package: what lies in a folder tests the room of its name."""
    here = Path(__file__).parent
    folders = {path.parent.relative_to(here).parts[0] for path in here.rglob("test_*.py") if path.parent != here}
    assert folders <= {*ROOMS, "toys"}  # games of other kinds, which touch every room
