"""Published weights: looked for beside the data, else downloaded, whole and with the right hash."""

from __future__ import annotations

from pathlib import Path

import torch

from gan_lab.errors import GanLabError
from gan_lab.storage.root import data_root


def is_kept(url: str, file: str | None = None) -> bool:
    """Whether the file at `url` is in the data root."""
    return _kept(url, file).is_file()


def _kept(url: str, file: str | None) -> Path:
    return data_root() / "extractors" / (file or url.rpartition("/")[2])


def published(url: str, prefix: str, what: str, otherwise: str, file: str | None = None) -> Path:
    """The file at `url`, kept in the data root, whose SHA-256 begins with `prefix`. `what` is loaded; `otherwise` tells
    what else the user may do. Raises GanLabError, in one line, where it cannot be downloaded."""
    path = _kept(url, file)
    if path.is_file():
        return path
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        torch.hub.download_url_to_file(url, str(path), hash_prefix=prefix, progress=False)
    except (OSError, RuntimeError) as error:
        reason = " ".join(str(error).split())[:120]
        raise GanLabError(f"{what} could not be downloaded ({reason}); copy {url} to {path}, or {otherwise}") from error
    return path
