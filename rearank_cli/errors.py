"""What can go wrong, and the exit status that says so."""

import enum


@enum.unique
class ExitStatus(enum.IntEnum):
    """The exit status of every `rearank` command."""

    DONE = 0
    BUG = 1
    USAGE = 2
    INPUT = 3
    ENGINE = 4
    UNANSWERED = 5
    OUTPUT = 6
    # 128 plus the number of the signal, as shells report it.
    INTERRUPTED = 130
    CLOSED_PIPE = 141
    TERMINATED = 143


class RearankError(Exception):
    """A failure that is no bug: its text is one sentence for the user (what, where, what to do)."""

    status = ExitStatus.BUG


class UsageError(RearankError):
    """Options that cannot be, or cannot be together."""

    status = ExitStatus.USAGE


class InputError(RearankError):
    """An input that is missing or malformed."""

    status = ExitStatus.INPUT


class EngineError(RearankError):
    """An engine that is not installed, cannot start, or died."""

    status = ExitStatus.ENGINE


class UnansweredError(RearankError):
    """The run is written, but too many calls had no answer."""

    status = ExitStatus.UNANSWERED


class OutputError(RearankError):
    """An output that cannot be written."""

    status = ExitStatus.OUTPUT


class BusyError(OutputError):
    """An output that another job is writing."""


class StoppedByUserError(RearankError):
    """Ctrl-C: what was asked and answered is in the traces."""

    status = ExitStatus.INTERRUPTED


class TerminatedError(RearankError):
    """SIGTERM or SIGHUP, as a cluster sends before it takes a machine away."""

    status = ExitStatus.TERMINATED
