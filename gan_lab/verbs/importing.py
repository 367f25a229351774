"""`gan-lab import`: a run out of a file that others have trained. Imports no torch until it reads it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from omegaconf import DictConfig


def main(cfg: DictConfig) -> None:
    """The Hydra task: make a run of the networks of `file` in `out`."""
    from gan_lab.importing.run import import_networks

    out = Path(str(cfg.out)).expanduser() if cfg.out is not None else None
    import_networks(Path(str(cfg.file)).expanduser(), out)
