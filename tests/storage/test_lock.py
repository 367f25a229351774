"""One process at a time in a run folder."""

from __future__ import annotations

from pathlib import Path

import pytest

from gan_lab.errors import GanLabError
from gan_lab.storage.lock import fcntl, lock_folder


@pytest.mark.skipif(fcntl is None, reason="no file locks on this system")
def test_a_second_trainer_is_refused_until_the_first_lets_go(tmp_path: Path) -> None:
    with lock_folder(tmp_path):
        with pytest.raises(GanLabError, match="another process is training"), lock_folder(tmp_path):
            pass
    with lock_folder(tmp_path):
        pass
