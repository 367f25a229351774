"""The folder of a run that never was: `outputs/` holds runs."""

from __future__ import annotations

import contextlib
from pathlib import Path

OUTPUTS = "outputs"  # where runs go unless the user names a place


def discard(folder: Path, log: str = "") -> None:
    """Take away the folder of a run that a mistake in its configuration kept from beginning, and what is then empty of
    `outputs/`. A folder that holds anything but what was made on the way (its `log` among it) stays as it is."""
    folder = folder.absolute()
    made = {".hydra", ".lock", log}
    with contextlib.suppress(OSError):
        others = [path.name for path in folder.glob("rank-*.log")]  # of the run's other processes
        if not {path.name for path in folder.iterdir()} <= made | {*others}:
            return
        logs = [folder / name for name in (log, *others) if name]
        for path in [*(folder / ".hydra").glob("*.yaml"), folder / ".lock", *logs]:
            path.unlink(missing_ok=True)
        if (folder / ".hydra").is_dir():
            (folder / ".hydra").rmdir()
        folder.rmdir()
        ours = Path.cwd() / OUTPUTS
        for parent in folder.parents:
            if parent.is_relative_to(ours):
                parent.rmdir()
