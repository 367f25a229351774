"""`python -m tests.drills [name ...] [--count N] [--seconds S]`: play the drills, or those that are named, and print a
table: drill, count, lost. Exits with 1 where something was lost."""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import time
from pathlib import Path

from tests.drills.drills import DRILLS


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.drills")
    parser.add_argument("name", nargs="*", choices=[*DRILLS, []])
    parser.add_argument("--count", type=int, help="how often each is done, in the place of its own count")
    asked = parser.parse_args()
    width, losses = max(map(len, DRILLS)), 0
    print(f"{'drill':{width}}  count  lost  seconds", flush=True)
    for name in asked.name or DRILLS:
        drill = DRILLS[name]
        count, began = asked.count or drill.count, time.time()
        with tempfile.TemporaryDirectory() as folder:
            os.environ["GAN_LAB_DATA"] = str(Path(folder, "data"))
            Path(folder, "play").mkdir()
            lost = drill.play(Path(folder, "play"), count)
        losses += len(lost)
        print(f"{name:{width}}  {count:5}  {len(lost):4}  {time.time() - began:7.0f}", flush=True)
        for line in lost:
            print(f"  {line}", flush=True)
    return 1 if losses else 0


if __name__ == "__main__":
    sys.exit(main())
