"""The process of one training: the `gan-lab` command, which also ends when whoever started it is gone.

Run as a file, not as a module: `python -m` would put the working directory first among the places that are searched.
"""

from __future__ import annotations

import contextlib
import os
import signal
import sys
import threading
from pathlib import Path


def main() -> int:
    """Run the command line of this process. Standard input is a pipe that the starter holds open and never fills."""
    threading.Thread(target=end_with_starter, daemon=True).start()
    from gan_lab.cli import main as command

    return command(sys.argv[1:])


def end_with_starter() -> None:
    """A starter that was killed lets go of its end of the pipe; a training answers SIGTERM by saving first."""
    with contextlib.suppress(OSError):
        while os.read(0, 1024):
            pass
    os.kill(os.getpid(), signal.SIGTERM)


if __name__ == "__main__":
    here = Path(__file__).resolve().parent
    sys.path[:] = [path for path in sys.path if not path or Path(path).resolve() != here]
    sys.path.append(str(here.parents[1]))  # a checkout that is not installed
    sys.exit(main())
