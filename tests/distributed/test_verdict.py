"""Which failure is the one to tell."""

from __future__ import annotations

import pytest

from gan_lab.distributed.note import FAILED, GONE, TOLD, WAITED, Note
from gan_lab.distributed.verdict import Ended, Verdict, judge

REFUSED, LOST = Note(TOLD, "seed: no", 2), Note(GONE, "another process is gone")
SLOW = Note(WAITED, "another process does not answer")
ODD, LATER = Note(FAILED, "ValueError: odd", time=1.0), Note(FAILED, "KeyError: 1", time=2.0)


@pytest.mark.parametrize(
    ("ended", "notes", "verdict"),
    [
        ({0: 1, 1: 1}, {0: REFUSED, 1: REFUSED}, Verdict("seed: no", 2, False)),
        ({0: 1, 1: 1}, {0: LOST, 1: REFUSED}, Verdict("process 1: seed: no", 2, False)),
        ({0: 1, 1: -15}, {0: LOST}, Verdict("process 1 was ended by SIGTERM", 1, True, 15)),
        ({0: -9, 1: 1}, {1: ODD}, Verdict("process 0 was ended by SIGKILL (out of memory?)", 1, True, 9)),
        ({0: 1, 1: 1}, {0: LATER, 1: ODD}, Verdict("process 1: ValueError: odd (traceback in rank-1.log)", 1, True)),
        ({0: 1, 1: None}, {0: ODD}, Verdict("process 0: ValueError: odd (traceback in train.log)", 1, True)),
        ({0: 1, 1: None}, {0: SLOW}, Verdict("process 1 did not answer for 10 minutes (engine.timeout)", 1, True)),
        (
            {0: 1, 1: None, 2: None},
            {0: SLOW},
            Verdict("processes 1, 2 did not answer for 10 minutes (engine.timeout)", 1, True),
        ),
        ({0: 1, 1: 1}, {0: LOST, 1: LOST}, Verdict("another process is gone: it was not of this machine", 1, True)),
        ({0: 3, 1: None}, {}, Verdict("process 0 ended with exit code 3", 1, True)),
    ],
)
def test_what_counts_most(ended: Ended, notes: dict[int, Note], verdict: Verdict) -> None:
    assert judge(ended, notes, 600.0) == verdict
