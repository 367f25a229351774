"""Where packed datasets live."""

from __future__ import annotations

import os
from pathlib import Path


def data_root() -> Path:
    """`$GAN_LAB_DATA`, else `gan-lab` in the user's cache (`$XDG_CACHE_HOME`, else `~/.cache`); absolute."""
    chosen = os.environ.get("GAN_LAB_DATA")
    if chosen:
        return Path(os.path.abspath(Path(chosen).expanduser()))
    cache = os.environ.get("XDG_CACHE_HOME")
    return Path(os.path.abspath(Path(cache).expanduser() if cache else Path.home() / ".cache")) / "gan-lab"
