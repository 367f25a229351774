"""Why the processes of a run have ended, in one line: which of them was the first to fail, and how."""

from __future__ import annotations

import signal
from collections.abc import Mapping
from typing import NamedTuple

from gan_lab.distributed.note import FAILED, GONE, TOLD, WAITED, Note

Ended = Mapping[int, int | None]  # by rank, how a process has ended: its exit code, -9 for SIGKILL; None: it has not


class Verdict(NamedTuple):
    """A `line` for the user, the exit `code`, and whether all may begin again; `signal` is what ended a process."""

    line: str
    code: int
    again: bool
    signal: int | None = None


def judge(ended: Ended, notes: Mapping[int, Note], timeout: float) -> Verdict:
    """What counts most: an error that was told, then a process that was killed, one that failed, and one that has not
    ended by itself while others have waited for it. That others are gone is what the rest say."""
    for rank, note in sorted(notes.items()):
        if note.kind == TOLD:
            return Verdict(f"process {rank}: {note.line}" if rank else note.line, note.code, False)
    for rank, code in sorted(ended.items()):
        if code is not None and code < 0:
            return Verdict(f"process {rank} {killed_by(-code)}", 1, True, -code)
    for rank, note in sorted(notes.items(), key=lambda each: each[1].time):
        if note.kind == FAILED:
            return Verdict(f"process {rank}: {note.line} (traceback in {log_of(rank)})", 1, True)
    hung = [rank for rank, code in sorted(ended.items()) if code is None]
    if hung and any(note.kind == WAITED for note in notes.values()):
        who = f"process {hung[0]}" if len(hung) == 1 else f"processes {', '.join(map(str, hung))}"
        return Verdict(f"{who} did not answer for {in_words(timeout)} (engine.timeout)", 1, True)
    for kind in (GONE, WAITED):
        for note in notes.values():
            if note.kind == kind:
                return Verdict(f"{note.line}: it was not of this machine", 1, True)
    rank, code = next((rank, code) for rank, code in sorted(ended.items()) if code)
    return Verdict(f"process {rank} ended with exit code {code}", 1, True)


def killed_by(number: int) -> str:
    name = signal.Signals(number).name if number in set(signal.Signals) else f"signal {number}"
    return f"was ended by {name}" + (" (out of memory?)" if name == "SIGKILL" else "")


def log_of(rank: int) -> str:
    """The file of a run's folder in which a process says what it has to say."""
    return f"rank-{rank}.log" if rank else "train.log"


def in_words(seconds: float) -> str:
    return f"{seconds / 60:g} minutes" if seconds >= 120 else f"{seconds:g} seconds"
