"""Jobs that a launcher starts and that are followed by their notes, with a launcher that only writes notes."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
from hydra.plugins.launcher import Launcher

from gan_lab.jobs import cluster, supervisor
from gan_lab.jobs.cluster import Numbers, Submission
from gan_lab.jobs.supervisor import End, Supervisor
from gan_lab.records.sweep import Numbered, Sweep, read_note, stop_asked, write_note
from gan_lab.storage.lock import lock_folder

Told = list[tuple[int, str]]


class Sham(Launcher):
    """Plays `jobs` with the numbers that they are launched with."""

    def __init__(self, play: Callable[[Sequence[int]], None]) -> None:
        self.play = play

    def setup(self, **_: object) -> None: ...

    def launch(self, job_overrides: Sequence[Sequence[str]], initial_job_idx: int) -> list[object]:
        self.play([initial_job_idx + index for index in range(len(job_overrides))])
        return []


@pytest.fixture
def sweep(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Sweep:
    monkeypatch.setattr(supervisor, "SECONDS", 0.01)
    monkeypatch.setattr(cluster, "SILENCE", 0.3)
    write_note(tmp_path, 5, session="another", state="failed", error="of an earlier session")
    return Sweep(tmp_path, "fid", [Numbered(number, folder=str(number)) for number in (2, 5)], "this")


def followed(sweep: Sweep, play: Callable[[Sequence[int]], None], heard: Callable[[], None] = lambda: None) -> Told:
    """What is told of the jobs, at last of the submission itself (as -1)."""
    told: Told = []

    def tell(job: Numbered, end: End) -> None:
        job.state, job.error = end.state, end.error
        told.append((job.number, end.state + (f": {end.error}" if end.error else "")))
        heard()

    submission = Submission(Sham(play), sweep, [(job, []) for job in sweep.jobs], tell)
    jobs = iter([(Numbered(-1), submission)])
    Supervisor(1).run(jobs, lambda _, end: told.append((-1, end.state + (f": {end.error}" if end.error else ""))))
    return told


def test_what_the_jobs_note_is_told_as_it_comes(sweep: Sweep) -> None:
    """One is put back into the queue and begins again: stopped is no end as long as the launcher waits."""
    next_one = threading.Semaphore(0)

    def play(numbers: Sequence[int]) -> None:
        assert numbers == [2, 5]
        notes = [(2, "running", ""), (2, "stopped", ""), (2, "running", ""), (5, "failed", "no"), (2, "finished", "")]
        for number, state, error in notes:
            write_note(sweep.folder, number, session="this", state=state, error=error, seconds=1.0)
            assert next_one.acquire(timeout=60)

    told = followed(sweep, play, next_one.release)
    assert told == [
        (2, "running"),
        (2, "stopped"),
        (2, "running"),
        (5, "failed: no"),
        (2, "finished"),
        (-1, "finished"),
    ]
    assert sweep.jobs[0].seconds == 1.0


def test_jobs_that_never_began_wait_on(sweep: Sweep) -> None:
    assert followed(sweep, lambda _: None) == [(-1, "finished")]
    assert [job.state for job in sweep.jobs] == ["waiting", "waiting"]


def test_a_launcher_that_gives_up(sweep: Sweep) -> None:
    """Who goes on is waited for as long as a process holds its folder, or there is news; who is silent has failed."""
    freed = threading.Event()

    def straggle() -> None:
        (sweep.folder / "2").mkdir()
        with lock_folder(sweep.folder / "2"):
            write_note(sweep.folder, 2, session="this", state="running")
            write_note(sweep.folder, 5, session="this", state="running")
            freed.wait(1)  # longer than the silence after which a job counts as dead
            write_note(sweep.folder, 2, session="this", state="finished")

    straggler = threading.Thread(target=straggle)

    def play(_: Sequence[int]) -> None:
        straggler.start()
        while read_note(sweep.folder, 5).get("session") != "this":
            freed.wait(0.01)
        raise ValueError("a process was\nlost")

    told = followed(sweep, play)
    straggler.join()
    assert sorted(told[:2]) == [(2, "running"), (5, "running")]
    assert told[2:] == [
        (2, "finished"),
        (5, "failed: its process ended without a word (killed, or out of memory?)"),
        (-1, "failed: the launcher gave up: ValueError: a process was lost"),
    ]


@pytest.mark.skipif(os.name == "nt", reason="signals")
def test_they_are_asked_to_stop_by_file_and_hear_no_interrupt(sweep: Sweep) -> None:
    blocked: list[signal.Signals] = []
    begun = threading.Event()

    def play(_: Sequence[int]) -> None:
        blocked.extend(signal.pthread_sigmask(signal.SIG_BLOCK, []))
        write_note(sweep.folder, 2, session="this", state="running")
        while not stop_asked(sweep.folder):
            begun.wait(0.01)
        write_note(sweep.folder, 2, session="this", state="stopped")

    told: Told = []
    with pytest.raises(SystemExit) as stopped:
        told = followed(sweep, play, lambda: begun.is_set() or begun.set() or os.kill(os.getpid(), signal.SIGINT))
    assert stopped.value.code == 130
    assert signal.SIGINT in blocked
    assert [job.state for job in sweep.jobs] == ["stopped", "waiting"]
    assert told == []


def test_numbers_need_not_be_in_a_row() -> None:
    assert [Numbers([2, 5, 7]) + index for index in range(3)] == [2, 5, 7]
