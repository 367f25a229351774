"""What others have named cannot command a terminal."""

from __future__ import annotations

import logging

import pytest

from gan_lab.command_line.console import Console, say
from gan_lab.command_line.printable import printable
from gan_lab.command_line.table import table

NAME = "a\x1b[2Jb\rc\u202ed"
SHOWN = r"a\x1b[2Jb\rc\u202ed"


def test_what_would_be_obeyed_is_spelled_out() -> None:
    assert printable(NAME) == SHOWN
    assert printable("größer ├ 好") == "größer ├ 好"
    assert printable("a\n\tb\r", kept="\n\t") == "a\n\tb\\r"


def test_in_messages_tables_and_the_log(capsys: pytest.CaptureFixture[str]) -> None:
    say("train", NAME)
    assert capsys.readouterr().err == f"gan-lab train: {SHOWN}\n"
    assert table(["run"], [[NAME]], None)[1] == SHOWN
    Console().emit(logging.makeLogRecord({"msg": f"run {NAME}\nnext"}))
    assert capsys.readouterr().err == f"run {SHOWN}\nnext\n"
