"""Signals are a flag between rounds."""

from __future__ import annotations

import os
import signal
from typing import Any

import pytest

from gan_lab.training.interruption import Interrupted, Interruption


@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 143), (signal.SIGINT, 130)])
def test_first_signal_sets_the_flag_and_names_the_exit_code(number: signal.Signals, code: int) -> None:
    with Interruption() as interruption:
        os.kill(os.getpid(), number)
        assert interruption.signal == number
        assert interruption.exit_code == code
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_second_signal_acts_at_once() -> None:
    with pytest.raises(KeyboardInterrupt), Interruption():
        os.kill(os.getpid(), signal.SIGINT)
        os.kill(os.getpid(), signal.SIGINT)


def test_one_of_several_stops_when_all_do() -> None:
    """A signal of its own that comes after the others' is its first."""
    with Interruption(alone=False) as interruption:
        interruption.hear(0)
        assert interruption.signal is None
        interruption.hear(signal.SIGINT)
        os.kill(os.getpid(), signal.SIGINT)
        assert interruption.sent == signal.SIGINT
        assert interruption.exit_code == 130
    with Interruption(alone=False) as interruption:
        os.kill(os.getpid(), signal.SIGTERM)
        assert (interruption.sent, interruption.signal) == (signal.SIGTERM, None)


def test_the_handler_that_was_there_is_called_afterwards() -> None:
    heard: list[Any] = []
    before = signal.signal(signal.SIGTERM, lambda number, frame: heard.append(number))
    try:
        with Interruption() as interruption:
            os.kill(os.getpid(), signal.SIGTERM)
            assert heard == []
        interruption.call_previous_handler()
        assert heard == [signal.SIGTERM]
    finally:
        signal.signal(signal.SIGTERM, before)


@pytest.mark.parametrize("default", [signal.default_int_handler, signal.SIG_DFL, signal.SIG_IGN])
def test_defaults_are_not_called(default: Any) -> None:
    """Python's would raise, the system's cannot be called; each is in its place again."""
    before = signal.signal(signal.SIGINT, default)
    try:
        with Interruption() as interruption:
            os.kill(os.getpid(), signal.SIGINT)
        interruption.call_previous_handler()
        assert interruption.signal == signal.SIGINT
        assert signal.getsignal(signal.SIGINT) is default
    finally:
        signal.signal(signal.SIGINT, before)


def test_what_need_not_be_finished_is_broken_off() -> None:
    done: list[str] = []

    def work() -> None:
        done.append("begun")
        os.kill(os.getpid(), signal.SIGTERM)
        done.append("went on")

    with Interruption() as interruption:
        interruption.unless_interrupted(lambda: done.append("whole"))
        interruption.unless_interrupted(work)
        interruption.unless_interrupted(lambda: done.append("not begun"))
        assert interruption.exit_code == 143
    assert done == ["whole", "begun"]
    with Interruption() as interruption:
        os.kill(os.getpid(), signal.SIGTERM)  # outside of it it is a flag, as ever
    assert issubclass(Interrupted, BaseException)
    assert not issubclass(Interrupted, Exception)  # nobody swallows it on the way
