"""torch's elastic agent, as `torchrun` has it, which also says what has become of its processes."""

from __future__ import annotations

import contextlib
import logging
import os
import signal
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from torch.distributed.elastic.agent.server.api import RunResult, WorkerGroup, WorkerSpec
from torch.distributed.elastic.agent.server.local_elastic_agent import LocalElasticAgent
from torch.distributed.elastic.multiprocessing import DefaultLogsSpecs

from gan_lab.distributed.note import Note
from gan_lab.distributed.verdict import Verdict, judge

log = logging.getLogger(__name__)

GRACE = 5.0  # seconds in which processes may end by themselves once one has failed
EVERY = 0.05  # seconds between looks at them


class Agent(LocalElasticAgent):
    """Runs the workers of `spec` in processes of this machine. Of those that fail it finds out which was the first
    (`verdict`), and has all begin again as often as the spec allows; `again` hears why. What users are told would come
    again, and after a signal (`asked`) nobody begins again."""

    def __init__(self, spec: WorkerSpec, notes: Path, timeout: float, again: Callable[[str], None]) -> None:
        super().__init__(spec, DefaultLogsSpecs(log_dir=os.devnull))
        self.verdict: Verdict | None = None
        self.asked: int | None = None
        self._notes = notes
        self._timeout = timeout
        self._again = again

    def send(self, number: int) -> None:
        """Hand a signal on to all workers."""
        for pid in self._running():
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, number)

    @property
    def waits_in_vain(self) -> bool:
        """Whether it was asked to end while it waits for other machines: it has no workers."""
        return self.asked is not None and self._pcontext is None

    def _running(self) -> list[int]:
        pids = [int(worker.id) for worker in self._worker_group.workers if worker.id]
        return [pid for pid in pids if self._ended(pid) is None]

    def _monitor_workers(self, worker_group: WorkerGroup) -> RunResult:
        pids = {worker.global_rank: int(worker.id) for worker in worker_group.workers}
        ended: dict[int, int | None] = {}
        if any(map(self._ended, pids.values())):
            ended = self._wait(pids)
            self.send(signal.SIGKILL)
            self._wait(pids)
        result: RunResult = super()._monitor_workers(worker_group)
        if result.is_failed():
            told = {rank: failure.exitcode for rank, failure in result.failures.items()}
            self._judge(ended or {**dict.fromkeys(pids), **told})
        return result

    def _judge(self, ended: Mapping[int, int | None]) -> None:
        found = {rank: Note.read(self._notes, rank) for rank in ended}
        self.verdict = judge(ended, {rank: note for rank, note in found.items() if note}, self._timeout)
        for path in self._notes.glob("*.json"):
            path.unlink()
        if self.asked or not self.verdict.again:
            self._remaining_restarts = 0
        elif self._remaining_restarts:
            most = self._worker_group.spec.max_restarts
            self._again(f"{self.verdict.line}; all begin again ({most - self._remaining_restarts + 1} of {most} times)")

    def _wait(self, pids: dict[int, int]) -> dict[int, int | None]:
        until = time.monotonic() + GRACE
        while True:
            ended = {rank: self._ended(pid) for rank, pid in pids.items()}
            if None not in ended.values() or time.monotonic() > until:
                return ended
            time.sleep(EVERY)

    @staticmethod
    def _ended(pid: int) -> int | None:
        """How a process has ended, without taking that from whoever waits for it; None where no system says so."""
        if not hasattr(os, "waitid"):
            return None
        try:
            found: Any = os.waitid(os.P_PID, pid, os.WEXITED | os.WNOHANG | os.WNOWAIT)
        except ChildProcessError:
            return 0
        if found is None:
            return None
        return int(found.si_status) if found.si_code == os.CLD_EXITED else -int(found.si_status)
