"""Named tensors in a file that others read, and that runs nothing: safetensors."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import torch
from torch import Tensor

from gan_lab.errors import ConfigError
from gan_lab.storage.files import write_whole


def require_safetensors(key: str) -> None:
    """Raise ConfigError, in one line, where it is not installed."""
    try:
        import safetensors.torch  # noqa: F401
    except ImportError as error:
        raise ConfigError(f"{key}: that takes safetensors: pip install 'gan-lab[edit]'") from error


def write_tensors(path: Path, tensors: Mapping[str, Tensor], about: Mapping[str, str]) -> None:
    """Write them with words about them, whole or not at all."""
    from safetensors.torch import save

    data = save({name: each.detach().cpu().contiguous() for name, each in tensors.items()}, dict(about))
    write_whole(path, lambda file: file.write(data))


def read_tensors(path: Path, key: str, wanted: str) -> tuple[dict[str, Tensor], dict[str, str]]:
    """Tensors and words of a file that the user gave as `key`, on the CPU. Raises ConfigError where there is no such
    file, and where it has no tensor `wanted`."""
    require_safetensors(key)
    from safetensors import safe_open

    if not path.is_file():
        raise ConfigError(f"{key}: there is no file {path}")
    try:
        with safe_open(path, "pt") as file:
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
            about = dict(file.metadata() or {})
    except Exception as error:
        raise ConfigError(
            f"{key}: {path} cannot be read as safetensors ({' '.join(str(error).split())[:120]})"
        ) from error
    if (
        wanted not in tensors
        or not tensors[wanted].is_floating_point()
        or not bool(torch.isfinite(tensors[wanted]).all())
    ):
        raise ConfigError(f"{key}: {path} has no {wanted} in it; gan-lab edit and project write such files")
    return tensors, about
