"""Packages that only some components need: imported when one is opened, and asked for in one line."""

from __future__ import annotations

import importlib
from typing import Any

from gan_lab.errors import GanLabError


def import_extra(package: str, extra: str, what: str = "this dataset") -> Any:
    """The module `package`. Raises GanLabError with the command that installs `gan-lab[extra]`."""
    try:
        return importlib.import_module(package)
    except ImportError as error:
        top = package.partition(".")[0]
        raise GanLabError(f"{what} needs the package {top}: pip install 'gan-lab[{extra}]'") from error
