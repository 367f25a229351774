"""What the user gives as a path: text that names something here, not an address, and never nothing."""

from __future__ import annotations

import re
import shlex
from difflib import get_close_matches
from os.path import abspath
from pathlib import Path
from typing import Any

from gan_lab.errors import ConfigError

_HUB = re.compile(r"(?:hf://|https?://(?:www\.)?(?:huggingface\.co|hf\.co)/)(?:datasets/)?([\w.-]+/[\w.-]+)", re.I)
_ADDRESS = re.compile(r"([a-z][a-z0-9+.-]+):/{1,2}\w", re.I)
_HUB_NAME = re.compile(r"[\w-][\w.-]*/[\w-][\w.-]*")


def require_path(value: Any, key: str) -> str:
    """`value` as the text of a path. Raises ConfigError, which begins with `key`, for a blank one (a variable that is
    not set), for what is no text, and for an address."""
    if isinstance(value, (bool, dict, list, tuple)):
        raise ConfigError(f"{key}={value}: one path is wanted")
    text = str(value)
    if not text.strip():
        raise ConfigError(f"{key}: is empty, so it names nothing (is a variable not set?); give a path")
    if found := _HUB.match(text):
        raise ConfigError(
            f"{key}: {text} is on the Hugging Face hub: dataset=huggingface dataset.source.path={found[1]}"
        )
    if (found := _ADDRESS.match(text)) and len(found[1]) > 1 and not Path(text).exists():
        raise ConfigError(f"{key}: {text} is an address; download it, and give the file or folder that it becomes")
    return text


def absolute(value: Any, key: str) -> Path:
    """The path that the user means, `~` spelt out. Raises as `require_path` does."""
    return Path(abspath(Path(require_path(value, key)).expanduser()))


def not_there(path: Path, given: str, key: str) -> ConfigError:
    """That nothing lies at the path; what is written as OWNER/NAME may be a data set of a hub."""
    hub = _HUB_NAME.fullmatch(given) and not path.parent.exists()
    meant = f"; a data set of the Hugging Face hub is dataset=huggingface dataset.source.path={given}" if hub else ""
    beside = sorted(other.name for other in path.parent.iterdir()) if path.parent.is_dir() else []
    if near := get_close_matches(path.name, beside, n=1):
        meant = f"; nearest: {path.parent / near[0]}"
    return ConfigError(f"{key}: {path} does not exist{meant}")


def shell(path: Path | str) -> str:
    """As one types it."""
    return shlex.quote(str(path))
