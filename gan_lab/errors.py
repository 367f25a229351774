"""The errors a user is meant to see: one line each, in the user's words, naming what, where and the fix."""

import errno

HELP = {  # by what a system refuses
    errno.EROFS: "; name a folder that can be written",
    errno.ENOSPC: "; make room there, or name a folder on another disk",
    errno.EMFILE: "; ulimit -n allows too few open files",
}


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


def of_the_system(error: OSError) -> str:
    """What the system has refused, where, and what helps against that, in one line."""
    line = f"{error.filename}: {error.strerror}" if error.filename else str(error.strerror or error)
    return line + HELP.get(error.errno or 0, "")
