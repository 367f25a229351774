"""Play many damaged files: `python -m tests.fuzz 5000 [reader ...]`, so many for each reader, all without names.

Exits with 1 where a reader did not say in one line what is wrong.
"""

from __future__ import annotations

import base64
import sys
import time

from tests.fuzz.playing import play
from tests.fuzz.readers import READERS


def main() -> int:
    count, names = int(sys.argv[1]), sys.argv[2:] or list(READERS)
    crashes = 0
    for name in names:
        began = time.time()
        found = play(name, READERS[name], count)
        crashes += len(found)
        print(f"{name}: {count} files, {len(found)} crashes, {time.time() - began:.0f} s", flush=True)
        for where, crash in found.items():
            print(f"  {where}: {base64.b64encode(crash.data[:200]).decode()} ({len(crash.data)} bytes)", flush=True)
    print(f"{count * len(names)} files, {crashes} crashes")
    return 1 if crashes else 0


if __name__ == "__main__":
    sys.exit(main())
