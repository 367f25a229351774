from __future__ import annotations

from io import StringIO

from gan_lab.data.progress import Progress


class Terminal(StringIO):
    def isatty(self) -> bool:
        return True


class Clock:
    now = 100.0

    def __call__(self) -> float:
        return self.now


def run(stream: StringIO, seconds: int) -> str:
    """100 images a second, told ten times a second."""
    clock = Clock()
    progress = Progress("packing x", 10_000, stream, clock)
    for tick in range(10 * seconds):
        clock.now = 100 + tick / 10
        progress.update(10 * tick)
    progress.close()
    return stream.getvalue()


def test_a_short_job_is_quiet() -> None:
    assert run(StringIO(), 2) == ""
    assert run(Terminal(), 2) == ""


def test_off_a_terminal_there_is_a_line_now_and_then() -> None:
    assert run(StringIO(), 9).splitlines() == [
        "packing x: 200/10000 images, 100 images/s, 1m38s left",
        "packing x: 700/10000 images, 100 images/s, 1m33s left",
    ]


def test_on_a_terminal_one_line_is_rewritten_and_wiped() -> None:
    text = run(Terminal(), 4)
    assert "\n" not in text
    assert text.startswith("\rpacking x: 200/10000 images, 100 images/s, 1m38s left\r")
    assert text.endswith(" \r")
