"""What vLLM and its processes print, kept out of the way."""

import contextlib
import logging
import os
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

log = logging.getLogger("rearank")


@contextlib.contextmanager
def own_log() -> Iterator[Path | None]:
    """While vLLM loads, send all that it and its processes print to a file; with --debug, to standard error.

    Its processes keep writing there. vLLM's log goes to standard output by default, where results
    go, and warnings of its libraries come past any setting: only the descriptors catch everything.
    """
    os.environ["VLLM_LOGGING_STREAM"] = "ext://sys.stderr"
    # A forked process shows the environment that its parent began with: it could not be told by its mark.
    os.environ.setdefault("VLLM_WORKER_MULTIPROC_METHOD", "spawn")
    if log.isEnabledFor(logging.DEBUG):
        yield None
        return
    handle, name = tempfile.mkstemp(prefix="rearank-vllm-", suffix=".log")
    sys.stdout.flush()
    sys.stderr.flush()
    saved = os.dup(1), os.dup(2)
    os.dup2(handle, 1)
    os.dup2(handle, 2)
    os.close(handle)
    try:
        with _own_messages_to(saved[1]):
            yield Path(name)
    finally:
        for descriptor, number in zip(saved, (1, 2), strict=True):
            os.dup2(descriptor, number)
            os.close(descriptor)


@contextlib.contextmanager
def _own_messages_to(descriptor: int) -> Iterator[None]:
    """Have this program's own messages go there: texts are fetched meanwhile, and may be missing."""
    handlers = [
        handler
        for handler in log.handlers
        if isinstance(handler, logging.StreamHandler) and handler.stream is sys.stderr
    ]
    with open(descriptor, "w", encoding="utf-8", closefd=False) as stream:
        for handler in handlers:
            handler.setStream(stream)
        try:
            yield
        finally:
            for handler in handlers:
                handler.setStream(sys.stderr)


def see(log_file: Path | None) -> str:
    """Where to look for more, to be put after a message."""
    return f" (its log is {log_file})" if log_file else ""


def last_line(error: BaseException) -> str:
    """What an error says in the end: vLLM's own say it in the last of many lines."""
    lines = str(error).strip().splitlines()
    return lines[-1] if lines else type(error).__name__
