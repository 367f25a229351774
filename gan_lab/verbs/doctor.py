"""`gan-lab doctor`: what is wrong with a run, or with this machine, and what to do. Imports no torch until it looks."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from omegaconf import DictConfig


def main(cfg: DictConfig) -> None:
    """The Hydra task: the lines about `run`, or about the machine where none is named."""
    if cfg.run:
        from gan_lab.health.run_report import report_run

        lines = report_run(Path(str(cfg.run)), str(cfg.checkpoint), list(cfg.trust))
    else:
        from gan_lab.health.machine import report_machine as machine

        lines = machine(str(cfg.device), str(cfg.precision), Path(str(cfg.folder)))
    print("\n".join(lines))
