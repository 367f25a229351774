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
import json
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from tests.mutation.by_hand import BY_HAND
from tests.mutation.drawing import SHARES, draw, every_mutant
from tests.mutation.mutant import Mutant
from tests.mutation.nearest import nearest
from tests.mutation.playing import TREE, Copy, Judge, load_what_is_needed

EQUIVALENT = {  # name of a mutant: why it changes nothing that could be tested
    "a593dbf975": "in place or not, the numbers are the same",
    "b18174788e": "a second image is looked at, for the dimensions that the first one has",
    "c83533c452": "equal only where both are 0",
    "cdd43e8ff8": "a stopwatch runs, and nobody looks at the number",
    "13bbf4fe4c": "a picture of one pixel is its own mirror image",
    "41663d6fb5": "buffers take no gradients",
    "02b64566d7": "as many distances at a time as there is room for: the same numbers",
}


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
            left = {name for name, result in results.items() if result["outcome"] != "killed"}
            waiting = [m for m in mutants if m.name in left and m.name not in EQUIVALENT]
        play_all(args.tree, waiting, results, args.results)
    if not args.list:
        report(mutants, results)


def play_all(tree: Path, mutants: Sequence[Mutant], results: dict[str, Any], file: Path) -> None:
    """Play mutants one after the other, and append what comes of each to `file`."""
    if not mutants:
        return
    load_what_is_needed()
    file.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder, open(file, "a") as lines:
        judge = Judge(Copy(tree.resolve(), Path(folder)))
        for number, mutant in enumerate(mutants, 1):
            result = judge.judge(mutant, nearest(tree, mutant.path))
            line = {"name": mutant.name, "kind": mutant.kind, "path": mutant.path, **result._asdict()}
            results[mutant.name] = {**line, "diff": mutant.diff}
            print(json.dumps(results[mutant.name]), file=lines, flush=True)
            print(f"{number}/{len(mutants)} {result.outcome} {mutant.path} {mutant.kind} {result.by}", flush=True)


if __name__ == "__main__":
    main()
