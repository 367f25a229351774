"""A line is written once, by every handler, until the end."""

from __future__ import annotations

import logging
from pathlib import Path

import pytest

from gan_lab.training.assemble import assemble
from gan_lab.training.say_once import say_once
from tests.compose import composed
from tests.conftest import TINY

log = logging.getLogger("gan_lab.mine")


def test_a_line_is_written_once(caplog: pytest.LogCaptureFixture) -> None:
    root, lines = logging.getLogger(), list[str]()
    other = logging.StreamHandler()
    other.emit = lambda record: lines.append(record.getMessage())  # type: ignore[method-assign]
    root.addHandler(other)
    try:
        with say_once():
            for number in (1, 2, 1):
                log.warning("number %d", number)
        log.warning("number %d", 1)
    finally:
        root.removeHandler(other)
    assert lines == caplog.messages == ["number 1", "number 2", "number 1"]


def test_a_run_that_is_built_several_times_says_once_what_is_idle(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """`batch_size=auto` builds it to see how much a round takes."""
    words = ("model=edsr", "+technique=[spectral_norm]", "trainer.batch_size=auto", "trainer.total=4")
    assemble(composed(*TINY, *words), tmp_path)
    (line,) = [message for message in caplog.messages if "does nothing" in message]
    assert line.startswith("wrappers.discriminator: this game has no discriminator")
