"""The errors a user is meant to see: one line each, in the user's words, naming what, where and the fix."""


class GanLabError(Exception):
    """Something failed while running; the message is the one line that the user reads."""

    exit_code = 1


class ConfigError(GanLabError):
    """The command line or the configuration asks for something that cannot be."""

    exit_code = 2


class NonFiniteError(GanLabError):
    """A loss term, a gradient or a weight stopped being a number."""


def describe(error: BaseException) -> str:
    """Any error in one line: what gan-lab says is for users as it is, another's kind stands before it."""
    told = " ".join(str(error).split())
    return told if isinstance(error, GanLabError) else f"{type(error).__name__}: {told}"
