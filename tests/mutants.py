"""Are the tests worth what they cost? Break the package in many small ways, and see which of them no test notices.

    python -m tests.mutants                    # 250 mutants, drawn by --seed; goes on where it was stopped
    python -m tests.mutants --list             # which they are, and the tests that each must fail
    python -m tests.mutants --only losses      # those whose file, kind, name or changed line has this in it
    python -m tests.mutants --again            # those that survived, once more, after tests were written for them

Not part of the tests: it takes an hour. Each mutant is one edit in a copy of the tree; one process plays the nearest
tests until one fails (`tests/mutation/nearest.py`). A mutant survives where a test is missing, where it changes nothing
(then `EQUIVALENT` says why), or where only tests further away notice it.

Why not a library: mutmut 3 mutates the bodies of Python functions and nothing else, and first plays the whole suite to
learn who covers what; cosmic-ray has one test command for all mutants. Neither knows YAML, axes, detaches, or who was
told which labels, and those are the faults that a GAN survives in silence.
"""

from __future__ import annotations

import argparse
import compileall
import contextlib
import hashlib
import importlib
import json
import os
import re
import resource
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import traceback
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from tests.mutation.by_hand import BY_HAND
from tests.mutation.mutant import Mutant
from tests.mutation.nearest import nearest
from tests.mutation.operators import python_mutants
from tests.mutation.settings import yaml_mutants

TREE = Path(__file__).parent.parent
ROOMS = ("losses", "algorithms", "augmentations", "layers", "models", "metrics", "wrappers", "engine", "training")
GROUPS = ("algorithm", "augmentation", "dataset", "experiment", "loss", "metrics", "model", "optimizer", "technique")
SHARES = {  # of the drawn mutants
    "sign": 28,
    "constant": 20,
    "axis": 14,
    "reduction": 24,
    "detach": 10,
    "comparison": 20,
    "who": 28,
    "left out": 14,
    "setting": 34,
    "recipe": 14,
}
SKIPPED = re.compile(r"engine/graphs\.py|configs/dataset/(?!ring|grid)")  # for a GPU; of data that has to be fetched
COPIED = ("gan_lab", "configs", "tests", "pyproject.toml", "README.md", ".github")
EQUIVALENT = {  # name of a mutant: why it changes nothing that could be tested
    "a593dbf975": "in place or not, the numbers are the same",
    "b18174788e": "a second image is looked at, for the dimensions that the first one has",
    "c83533c452": "equal only where both are 0",
    "02b64566d7": "as many distances at a time as there is room for: the same numbers",
}
NEEDED = (  # by every child, and what takes seconds to load
    *("pytest", "torch", "torch.utils._pytree", "torch.distributed", "torch._dynamo", "torchvision", "hydra"),
    *("hydra.core.global_hydra", "hydra._internal.hydra", "omegaconf", "PIL.Image", "PIL.ImageFont", "scipy.linalg"),
    *("scipy.special", "torch.utils.tensorboard", "torch.fx", "torch.utils.flop_counter", "yaml", "numpy.testing"),
)
CPU_SECONDS = 120  # after which a mutant counts as killed, whatever else the machine does
SECONDS = 1200


class Result(NamedTuple):
    """What came of a mutant: `killed` (by the test `by`), `survived`, or `untested` where it has no tests."""

    outcome: str
    by: str
    seconds: float


def every_mutant(tree: Path) -> Iterator[Mutant]:
    """All of a tree, those made by hand first."""
    for path, old, new in BY_HAND:
        source = (tree / path).read_bytes() if (tree / path).exists() else b""
        if source.count(old.encode()) == 1:
            place = source.index(old.encode())
            yield Mutant(path, "by hand", place, place + len(old.encode()), new.encode(), source)
    files = [path for room in ROOMS for path in sorted((tree / "gan_lab" / room).rglob("*.py"))]
    files += [path for group in GROUPS for path in sorted((tree / "configs" / group).rglob("*.yaml"))]
    for file in files:
        path, source = file.relative_to(tree).as_posix(), file.read_bytes()
        if not SKIPPED.search(path):
            yield from (python_mutants if file.suffix == ".py" else yaml_mutants)(path, source)


def draw(mutants: Sequence[Mutant], seed: int, count: int) -> list[Mutant]:
    """All that were made by hand, and of every kind its share of `count`. A mutant's lot depends on the seed and itself
    alone, so another version of the code has the same mutants, as far as its lines are the same."""

    def lot(mutant: Mutant) -> str:
        return hashlib.sha1(f"{seed} {mutant.name}".encode()).hexdigest()

    by_hand = [mutant for mutant in mutants if mutant.kind == "by hand"]
    drawn, room = list(by_hand), (count - len(by_hand)) / sum(SHARES.values())
    for kind, share in SHARES.items():
        drawn += sorted((mutant for mutant in mutants if mutant.kind == kind), key=lot)[: max(0, round(share * room))]
    return sorted(drawn, key=lot)  # so that the first of them are a sample, too


class Copy:
    """A copy of the tree that one mutant at a time lives in."""

    def __init__(self, tree: Path, folder: Path) -> None:
        self.root = folder / "tree"
        self.root.mkdir()
        for name in COPIED:
            if (tree / name).is_dir():
                shutil.copytree(tree / name, self.root / name, ignore=shutil.ignore_patterns("__pycache__"))
            elif (tree / name).exists():
                shutil.copy2(tree / name, self.root / name)
        compileall.compile_dir(self.root / "gan_lab", quiet=2)

    def put(self, mutant: Mutant, original: bool = False) -> None:
        """Change the file, or change it back. Compiled code is told by its time and size, which may stay: it goes."""
        path = self.root / mutant.path
        path.write_bytes(mutant.source if original else mutant.changed)
        for compiled in (path.parent / "__pycache__").glob(f"{path.stem}.*.pyc"):
            compiled.unlink()


def play(copy: Copy, tests: Sequence[str], deselected: Sequence[str], stop: bool = True) -> tuple[int, list[str]]:
    """Play tests in a child of this process, which has imported torch already: exit code, and the tests that failed."""
    told = copy.root.parent / "told.json"
    told.unlink(missing_ok=True)
    child = os.fork()
    if child == 0:
        code = 1
        try:
            code = _play_as_child(copy, tests, deselected, stop, told)
        except BaseException:
            traceback.print_exc()
        finally:
            sys.stderr.flush()
            os._exit(code)
    end = time.monotonic() + SECONDS
    while True:
        found, status = os.waitpid(child, os.WNOHANG)
        if found:
            break
        if time.monotonic() > end:
            os.killpg(child, signal.SIGKILL)
        time.sleep(0.1)
    failed = json.loads(told.read_text()) if told.exists() else []
    return os.waitstatus_to_exitcode(status), failed


def _play_as_child(copy: Copy, tests: Sequence[str], deselected: Sequence[str], stop: bool, told: Path) -> int:
    import pytest

    os.setsid()
    with open(copy.root.parent / "output.txt", "wb") as output:
        os.dup2(output.fileno(), 1)
        os.dup2(output.fileno(), 2)
    resource.setrlimit(resource.RLIMIT_CPU, (CPU_SECONDS if stop else 3600, 3600))
    os.chdir(copy.root)
    sys.dont_write_bytecode = stop  # what was compiled without a mutant is right for the others
    sys.path[:] = [str(copy.root), *(path for path in sys.path if Path(path or ".").resolve() != TREE)]
    os.environ |= {"PYTHONPATH": str(copy.root), "OMP_NUM_THREADS": "1"}
    for name in [name for name in sys.modules if name.partition(".")[0] in ("tests", "gan_lab")]:
        del sys.modules[name]

    class Failures:
        found: list[str] = []  # noqa: RUF012

        def pytest_runtest_logreport(self, report: Any) -> None:
            if report.failed:
                self.found.append(report.nodeid)

        def pytest_collectreport(self, report: Any) -> None:
            if report.failed:
                self.found.append(report.nodeid)

        def pytest_sessionfinish(self) -> None:
            told.write_text(json.dumps(self.found))

    words = [
        "-W",
        "ignore:Module already imported",
        "-n0",
        "-p",
        "no:cacheprovider",
        "--tb=short",
        *(["-x"] if stop else []),
        *tests,
    ]
    for test in deselected:
        words += ["--deselect", test]
    return int(pytest.main(words, plugins=[Failures()]))


def judge(copy: Copy, mutant: Mutant, tests: Sequence[str], deselected: Sequence[str]) -> Result:
    """Put a mutant into the copy, play its tests, and take it out again."""
    start = time.monotonic()
    if not tests:
        return Result("untested", "", 0.0)
    copy.put(mutant)
    try:
        code, failed = play(copy, tests, deselected)
    finally:
        copy.put(mutant, original=True)
    seconds = round(time.monotonic() - start, 1)
    if code == 0:
        return Result("survived", "", seconds)
    if code == 5:
        return Result("untested", "", seconds)
    return Result("killed", failed[0] if failed else "time" if code < 0 else f"exit code {code}", seconds)


def failing(copy: Copy, tests: Sequence[str]) -> list[str]:
    """The tests that fail without any mutant, which can tell nothing."""
    print(f"{len(tests)} test files are played without mutants first", flush=True)
    code, failed = play(copy, tests, [], stop=False)
    if code not in (0, 1):
        raise SystemExit(f"the tests cannot be played (exit code {code}): see {copy.root.parent / 'output.txt'}")
    return failed


def report(mutants: Sequence[Mutant], results: dict[str, Any]) -> None:
    """The score, by kind, and every survivor with its diff."""
    counted = [mutant for mutant in mutants if mutant.name in results and mutant.name not in EQUIVALENT]
    kinds = Counter((mutant.kind, results[mutant.name]["outcome"]) for mutant in counted)
    for kind in ("by hand", *SHARES):
        of_kind = {outcome: count for (found, outcome), count in kinds.items() if found == kind}
        if of_kind:
            print(f"{kind:12} {of_kind.get('killed', 0):4} of {sum(of_kind.values()):4} killed")
    killed = sum(count for (_, outcome), count in kinds.items() if outcome == "killed")
    left = len(mutants) - sum(mutant.name in results for mutant in mutants)
    print(f"{killed} of {len(counted)} killed ({killed / max(len(counted), 1):.1%}); {left} not played yet")
    for mutant in counted:
        if (outcome := results[mutant.name]["outcome"]) != "killed":
            print(f"\n{mutant.name} {outcome} ({mutant.kind})\n{mutant.diff}")


def parse(words: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--tree", type=Path, default=TREE, help="the tree that is mutated, with its own tests")
    parser.add_argument("--count", type=int, default=250)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--only", default="", help="mutants whose file, kind, name or diff has this in it")
    parser.add_argument("--list", action="store_true", help="show the mutants and their tests, and play none")
    parser.add_argument("--again", action="store_true", help="play those that survived once more")
    parser.add_argument("--report", action="store_true", help="show the score so far, and play none")
    parser.add_argument("--trust", action="store_true", help="do not look first whether the tests pass without mutants")
    parser.add_argument("--jobs", type=int, default=1, help="processes side by side")
    parser.add_argument("--part", default="1/1", help="2/3: the second third of the mutants")
    parser.add_argument("--results", type=Path, default=Path("outputs/mutants.jsonl"))
    return parser.parse_args(words)


def main(words: Sequence[str] | None = None) -> None:
    args = parse(words)
    if args.jobs > 1:
        own = sys.argv[1:] if words is None else list(words)
        parts = (["--jobs", "1", "--part", f"{part}/{args.jobs}"] for part in range(1, args.jobs + 1))
        started = [subprocess.Popen([sys.executable, "-m", "tests.mutants", *own, *part]) for part in parts]
        raise SystemExit(max(each.wait() for each in started))
    known = list(every_mutant(args.tree))
    mutants = [m for m in draw(known, args.seed, args.count) if args.only in f"{m.path} {m.kind} {m.name} {m.diff}"]
    part, parts = map(int, args.part.split("/"))
    mutants = mutants[part - 1 :: parts]
    lines = args.results.read_text().splitlines() if args.results.exists() else []
    results = {line["name"]: line for line in map(json.loads, lines)}
    if args.list:
        made = {(m.path, m.new.decode()) for m in known if m.kind == "by hand"}
        for path, old, new in BY_HAND:
            if (path, new) not in made:
                print(f"out of date: {path}: {old!r}")
        for mutant in mutants:
            print(f"{mutant.name} {mutant.kind}\n{mutant.diff}\n  {' '.join(nearest(args.tree, mutant.path))}")
        print(f"{len(mutants)} of {len(known)} mutants")
    elif not args.report:
        waiting = [m for m in mutants if m.name not in results and m.name not in EQUIVALENT]
        if args.again:
            waiting = [m for m in mutants if results.get(m.name, {}).get("outcome") in ("survived", "untested")]
        play_all(args.tree, waiting, results, args.results, args.trust)
    if not args.list:
        report(mutants, results)


def play_all(tree: Path, mutants: Sequence[Mutant], results: dict[str, Any], file: Path, trust: bool) -> None:
    """Play mutants one after the other, and append what comes of each to `file`."""
    if not mutants:
        return
    for name in NEEDED:
        with contextlib.suppress(ImportError):
            importlib.import_module(name)
    file.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder, open(file, "a") as lines:
        copy = Copy(tree.resolve(), Path(folder))
        tests = {mutant.name: nearest(tree, mutant.path) for mutant in mutants}
        deselected = [] if trust else failing(copy, sorted({each for found in tests.values() for each in found}))
        for number, mutant in enumerate(mutants, 1):
            result = judge(copy, mutant, tests[mutant.name], deselected)
            line = {"name": mutant.name, "kind": mutant.kind, "path": mutant.path, **result._asdict()}
            results[mutant.name] = {**line, "diff": mutant.diff}
            print(json.dumps(results[mutant.name]), file=lines, flush=True)
            print(f"{number}/{len(mutants)} {result.outcome} {mutant.path} {mutant.kind} {result.by}", flush=True)


if __name__ == "__main__":
    main()
