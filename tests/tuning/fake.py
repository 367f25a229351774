"""Stands for `gan-lab train`: what it does is told by `what=`, e.g. `what=ends:1.5`."""

from __future__ import annotations

import json
import os
import signal
import sys
import time
from pathlib import Path
from typing import Any

FIGURE = "fid/pixels-native-10"


def main() -> int:
    words = settings(sys.argv[2:])
    folder = Path((words.get("hydra.run.dir") or words["resume"]).strip("'"))
    if "resume" in words:  # the rest is in its folder
        begun = json.loads((folder / "words.json").read_text())
        words = settings(begun[1:]) | words
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "config.yaml").write_text("objective: fid\ntrainer: {}\n")
    (folder / "words.json").write_text(json.dumps(sys.argv[1:]))
    what, _, told = words.get("what", "ends:1").strip("'").replace("\\:", ":").partition(":")
    value = float(told or "nan")
    return PLAYS[what](folder, value)


def settings(words: list[str]) -> dict[str, str]:
    return dict(word.lstrip("+").partition("=")[::2] for word in words)


def ends(folder: Path, value: float) -> int:
    for step in (1, 2, 3):
        line(folder, step, value + 3 - step)
    return summary(folder, "finished", {FIGURE: value})


def waits(folder: Path, value: float) -> int:
    """Until it is stopped, or may go on because there is a file `go`."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(summary(folder, "stopped", {FIGURE: value}) + 143))
    line(folder, 1, value)
    while not Path("go").exists():
        time.sleep(0.01)
    return ends(folder, value)


def crashes(folder: Path, _: float) -> int:
    print("a warning\ngan-lab train: RuntimeError: out of luck\nthe end", file=sys.stderr)
    return 1


def refused(folder: Path, _: float) -> int:
    print("gan-lab train: wrappers: do not fit", file=sys.stderr)
    return 2


def killed(folder: Path, _: float) -> int:
    os.kill(os.getpid(), signal.SIGKILL)
    return 0


def ended(folder: Path, _: float) -> int:
    """Saved, as by a signal."""
    return 143


def silent(folder: Path, _: float) -> int:
    return 3


def early(folder: Path, _: float) -> int:
    return summary(folder, "stopped", {})


def hangs(folder: Path, value: float) -> int:
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    line(folder, 1, value)
    time.sleep(600)
    return 0


def other(folder: Path, value: float) -> int:
    return summary(folder, "finished", {"loss/generator": value})


def gains(folder: Path, value: float) -> int:
    """A metric of which more is better."""
    code = summary(folder, "finished", {})
    found = json.loads((folder / "summary.json").read_text())
    found["metrics"] = {FIGURE: {"value": value, "spread": None, "lower_is_better": False, "card": {}}}
    (folder / "summary.json").write_text(json.dumps(found))
    return code


PLAYS = {
    play.__name__: play for play in (ends, waits, crashes, refused, killed, ended, silent, early, hangs, other, gains)
}


def line(folder: Path, step: int, value: float) -> None:
    with open(folder / "metrics.jsonl", "a") as file:
        file.write(json.dumps({"step": step, FIGURE: value, "time": 0.0}) + "\n")


def summary(folder: Path, state: str, figures: dict[str, Any]) -> int:
    (folder / "summary.json").write_text(json.dumps({"state": state, "step": 3, "figures": figures, "seconds": 1.0}))
    return 0


if __name__ == "__main__":
    sys.exit(main())
