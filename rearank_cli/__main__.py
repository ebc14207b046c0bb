"""The `rearank` command: what goes wrong in it is told in one sentence, with its exit status."""

import contextlib
import errno
import logging
import os
import sys

import typer

from rearank_cli.commands import app
from rearank_cli.commands.shared import start_logging
from rearank_cli.errors import ExitStatus, RearankError
from rearank_cli.trec.streams import printable

log = logging.getLogger("rearank")

_UNWRITABLE = {errno.ENOSPC, errno.EDQUOT, errno.EBADF, errno.EIO}


def main() -> None:
    """Run the command line and exit."""
    sys.exit(run(sys.argv[1:]))


def run(arguments: list[str]) -> int:
    """Run the command line; return its exit status. All that is raised below ends here."""
    _open_what_is_closed()
    start_logging()
    try:
        result = app(arguments, prog_name="rearank", standalone_mode=False)
        sys.stdout.flush()
    except RearankError as error:
        _say(str(error))
        log.debug("raised here", exc_info=True)
        return _leaving(error.status) if error.status == ExitStatus.OUTPUT else error.status
    except typer.TyperException as error:  # what the parser of the command line refuses
        if message := error.format_message():  # none where help was shown instead
            _say(message.replace("Value error, ", ""))
        return ExitStatus.USAGE
    except (KeyboardInterrupt, typer.Abort):
        _say("interrupted")
        return ExitStatus.INTERRUPTED
    except BrokenPipeError:
        return _reader_left()
    except SystemExit as leaving:  # how typer ends on a closed pipe
        if isinstance(leaving.__context__, BrokenPipeError):
            return _reader_left()
        raise
    except Exception as error:
        # Files tell their names, and what we write to has its own error: what is left is standard output.
        if isinstance(error, OSError) and error.filename is None and error.errno in _UNWRITABLE:
            _say(f"standard output cannot be written: {error.strerror or error}")
            return _leaving(ExitStatus.OUTPUT)
        _say(f"this is a bug: {type(error).__name__}: {error}; please report it, with what --debug prints")
        log.debug("raised here", exc_info=True)
        return ExitStatus.BUG
    return result if isinstance(result, int) else ExitStatus.DONE


def _reader_left() -> int:
    # There is no one to tell.
    return _leaving(ExitStatus.CLOSED_PIPE)


def _leaving(status: ExitStatus) -> int:
    """The status, and what is left to flush goes nowhere."""
    with contextlib.suppress(OSError):  # no file: a test's, or a notebook's
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return status


def _open_what_is_closed() -> None:
    """A closed standard output (`>&-`) is there, and cannot be written."""
    if sys.stdout is None:
        sys.stdout = os.fdopen(os.open(os.devnull, os.O_RDONLY), "w")
    if sys.stderr is None:
        sys.stderr = os.fdopen(os.open(os.devnull, os.O_WRONLY), "w")


def _say(sentence: str) -> None:
    print(f"rearank: {printable(sentence)}", file=sys.stderr)  # noqa: T201  # the one place that may


if __name__ == "__main__":
    main()
