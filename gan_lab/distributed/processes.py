"""How many processes are to play a run, and where they meet, as `engine` says it. Imports no torch."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from typing import Any, NamedTuple

from gan_lab.config import require_number, require_whole
from gan_lab.errors import ConfigError

AUTO = "auto"
TIMEOUT = 1800.0
FIRST_PORT, PORTS = 20000, 10000  # of which a job of Slurm's takes one by its number


class Processes(NamedTuple):
    """`local` processes (`auto`: one a GPU) on each of `nodes` machines, which meet at `rendezvous`; they begin again
    `restarts` times at most, and wait `timeout` seconds for one another."""

    local: int | str = 1
    nodes: int = 1
    rendezvous: str | None = None
    restarts: int = 0
    timeout: float = TIMEOUT

    @classmethod
    def of(cls, engine: Mapping[str, Any]) -> Processes:
        """From the settings of `engine`, those of an older run too. Raises ConfigError."""
        local = engine.get("processes", 1)
        if local != AUTO:
            require_whole(local, "engine.processes", 1, ", or auto")
        nodes = require_whole(engine.get("nodes", 1), "engine.nodes", 1)
        restarts = require_whole(engine.get("restarts", 0), "engine.restarts", 0)
        require_whole(engine.get("compare_every", 1000), "engine.compare_every", 0)
        timeout = require_number(engine.get("timeout", TIMEOUT), "engine.timeout", 1.0)
        meeting = engine.get("rendezvous")
        if meeting is not None and not re.fullmatch(r"[^\s:]+:\d{1,5}", str(meeting)):
            raise ConfigError(f"engine.rendezvous: {meeting!r} is not HOST:PORT, or null")
        return cls(local, nodes, None if meeting is None else str(meeting), restarts, timeout)

    def counted(self, device: str) -> Processes:
        """The same, `auto` counted. Raises ConfigError where processes cannot share the device."""
        local = self.local
        if local == AUTO:
            local = max(gpus(), 1) if device in ("auto", "cuda") else 1
        if (local != 1 or self.nodes > 1) and device not in ("auto", "cpu", "cuda"):
            raise ConfigError(f"engine.processes: several cannot share device={device}; give cpu, cuda or auto")
        return self._replace(local=local)

    @property
    def several(self) -> bool:
        """Whether there is more than one."""
        return self.local != 1 or self.nodes > 1

    @property
    def watched(self) -> bool:
        """Whether they are started by another, which has them begin again: a single one may be, too."""
        return self.several or self.restarts > 0

    def meeting(self) -> str:
        """Where the machines meet. Raises ConfigError where nobody says so."""
        if self.nodes == 1:
            return "localhost:0"
        if self.rendezvous is not None:
            return self.rendezvous
        job, hosts = os.environ.get("SLURM_JOB_ID", ""), os.environ.get("SLURM_JOB_NODELIST", "")
        if not job.isdecimal() or not hosts:
            raise ConfigError("engine.rendezvous: is missing; give HOST:PORT of one of the machines")
        return f"{first_host(hosts)}:{FIRST_PORT + int(job) % PORTS}"


def first_host(nodes: str) -> str:
    """The first of a list as Slurm writes it: `gpu[007-009,12],login` begins with `gpu007`."""
    first = re.match(r"([^\[,]+)(?:\[([^\],-]+)[^\]]*\])?([^,]*)", nodes)
    if first is None:
        raise ConfigError(f"SLURM_JOB_NODELIST={nodes}: is no list of machines; give engine.rendezvous=HOST:PORT")
    return f"{first[1]}{first[2] or ''}{first[3]}"


def cores() -> int:
    """The CPU cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def gpus() -> int:
    """How many CUDA devices this process sees; none of them is touched."""
    import torch

    return torch.cuda.device_count()
