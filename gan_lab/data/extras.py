"""Packages that only some datasets need: imported when such a dataset is opened, and asked for in one line."""

from __future__ import annotations

import importlib
from typing import Any

from gan_lab.errors import GanLabError


def needed(package: str, extra: str) -> Any:
    """The module `package`. Raises GanLabError with the command that installs `gan-lab[extra]`."""
    try:
        return importlib.import_module(package)
    except ImportError as error:
        top = package.partition(".")[0]
        raise GanLabError(f"this dataset needs the package {top}: pip install 'gan-lab[{extra}]'") from error
