"""One of several processes that train one run: where it says what it has to say. Only the first speaks to people."""

from __future__ import annotations

import logging
import logging.config
import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from gan_lab.command_line.console import Console
from gan_lab.distributed.verdict import log_of
from gan_lab.storage.folders import discard

TIMED = "%(asctime)s %(levelname)s %(name)s: %(message)s"


def settle_in(rank: int, own: Path, folder: Path) -> None:
    """Process `rank` takes part in the run that the first has in `folder`: it logs there, to a file of its own, and the
    folder that was made for it by itself, where that is another, goes."""
    if rank == 0:
        return
    log_to(folder / log_of(rank))
    if own.absolute() != folder.absolute():
        discard(own, "train.log")


def log_to(file: Path) -> None:
    """All that is logged in this process goes to this file only."""
    root = logging.getLogger()
    for handler in root.handlers[:]:
        root.removeHandler(handler)
        handler.close()
    handler = logging.FileHandler(file, encoding="utf-8", errors="backslashreplace", delay=True)
    handler.setFormatter(logging.Formatter(TIMED))
    root.addHandler(handler)
    root.setLevel(logging.INFO)
    logging.getLogger("gan_lab").setLevel(logging.DEBUG)


def silence_output(file: Path) -> None:
    """What this process prints, whoever in it does, goes to the end of `file`."""
    with open(file, "ab") as end:
        for stream in (sys.stdout, sys.stderr):
            stream.flush()
            os.dup2(end.fileno(), stream.fileno())


def logging_of_hydra() -> dict[str, Any] | None:
    """How this process logs, for another that is to log in the same way; None where Hydra does not say."""
    from hydra.core.hydra_config import HydraConfig
    from omegaconf import OmegaConf

    if not HydraConfig.initialized():
        return None
    found: Any = OmegaConf.to_container(HydraConfig.get().job_logging, resolve=True)
    if not any(isinstance(handler, Console) for handler in logging.getLogger().handlers):  # a job of a sweep elsewhere
        quiet = [name for name, each in found["handlers"].items() if str(each.get("class")).endswith(".Console")]
        found["root"]["handlers"] = [name for name in found["root"]["handlers"] if name not in quiet]
    return dict(found)


def log_like(found: Mapping[str, Any] | None) -> None:
    """Log as `logging_of_hydra` has found it."""
    if found is not None:
        logging.config.dictConfig(dict(found))
