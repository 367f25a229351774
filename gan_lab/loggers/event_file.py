"""A file of TensorBoard events."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

PREFIX = "events.out.tfevents."


class EventFile:
    """One session's events in `folder`. What `write` was given is with the system when it returns.

    TensorBoard's own writer has a thread, keeps events back for two minutes and meets a full disk with a traceback;
    here the loggers' thread writes, and whoever looks sees what there is. Its readers go through the files of a folder
    in the order of their names: every new one comes behind those that are there, whatever the clock says.
    """

    def __init__(self, folder: Path, first: int, suffix: str = "") -> None:
        """`first`: the first step of this session; what earlier files tell of it and of later steps is void. `suffix`
        ends the file's name."""
        from tensorboard.compat.proto.event_pb2 import Event, SessionLog
        from tensorboard.summary.writer.record_writer import RecordWriter

        self._event = Event
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        self._file = open(folder / f"{_name(folder)}{suffix}", "xb")  # noqa: SIM115 - open as long as the run
        self._records = RecordWriter(self._file)
        self._append(Event(wall_time=time.time(), file_version="brain.Event:2"))
        self._append(Event(wall_time=time.time(), step=first, session_log=SessionLog(status=SessionLog.START)))

    def write(self, step: int, *summaries: Any) -> None:
        """Write `Summary` messages of one step."""
        for summary in summaries:
            self._append(self._event(wall_time=time.time(), step=step, summary=summary))

    def close(self) -> None:
        self._file.close()

    def _append(self, event: Any) -> None:
        self._records.write(event.SerializeToString())
        self._file.flush()


def _name(folder: Path) -> str:
    """Seconds of ten digits, as TensorBoard names its files, later than those of every other."""
    names = [path.name.removeprefix(PREFIX)[:10] for path in folder.glob(f"{PREFIX}*")]
    return f"{PREFIX}{max([int(time.time()), *(int(name) + 1 for name in names if name.isdecimal())]):010d}"
