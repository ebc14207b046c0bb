"""The Python function behind `rearank_cli.rerank`."""

import asyncio
import logging
import signal
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Executor, ThreadPoolExecutor
from contextlib import contextmanager
from contextvars import copy_context
from pathlib import Path
from typing import Any, Self

from rearank_cli.errors import StoppedByUserError, UsageError
from rearank_cli.records import Run, ScoredDoc
from rearank_cli.reranking.arguments import as_options
from rearank_cli.reranking.destinations import Destination
from rearank_cli.reranking.job import rerank_runs
from rearank_cli.reranking.kept import KeptEngine
from rearank_cli.reranking.results import Reranked, check_answers
from rearank_cli.reranking.stopping import REMOTE, Remote
from rearank_cli.trec.rankings import as_run

log = logging.getLogger("rearank")


Rankings = str | Path | Mapping[str, Sequence[ScoredDoc | tuple[str, float]]]


def rerank_run(run: Rankings, given: Mapping[str, Any]) -> Run:
    """Rerank one run with the options of the command line; see `rearank_cli.rerank`."""
    job = _Job(run, given)
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return job.told(job.work())
    with ThreadPoolExecutor(1) as thread:
        return job.told(_in_thread(thread, job.work, job.options.grace))


class Reranker:
    """Reranks run after run with a model that is loaded once.

    The options are those of `rearank_cli.rerank`, and each call can give others. The model is loaded
    when it is first needed, and another in its place where a call asks for another; a folder that has
    changed since is not noticed. It ends with `close`, with the `with` statement, or with the program; that
    of a program that was killed, when an engine is next started. Ctrl-C stops a call, and leaves the model
    loaded. There is one call at a time: others are refused.
    """

    def __init__(self, model: str | None = None, **options: Any) -> None:
        self.options: Mapping[str, Any] = {"model": model, **options}
        as_options(self.options)
        self._kept = KeptEngine()
        # All of an engine is done in one thread, which is not the caller's: a notebook has a loop in that.
        self._thread = ThreadPoolExecutor(1)
        self._busy = threading.Lock()

    def rerank(self, run: Rankings, **options: Any) -> Run:
        """Rerank a run, as `rearank_cli.rerank` does, and raise what that raises.

        Raises UsageError while another call is under way.
        """
        job = _Job(run, {**self.options, **options})
        with self._alone():
            return job.told(_in_thread(self._thread, lambda: job.work(self._kept), job.options.grace))

    def close(self) -> None:
        """End the model and its processes; a later call loads it again."""
        with self._alone():
            self._thread.submit(self._kept.close).result()

    @contextmanager
    def _alone(self) -> Iterator[None]:
        if not self._busy.acquire(blocking=False):
            raise UsageError(
                "this Reranker is busy with another call; wait for it, or make a second Reranker"
            )
        try:
            yield
        finally:
            self._busy.release()

    def __del__(self) -> None:
        if kept := getattr(self, "_kept", None):  # there is none where the options were refused
            kept.end_now()

    def __repr__(self) -> str:
        given = (f"{word}={value!r}" for word, value in self.options.items() if value is not None)
        return f"Reranker({', '.join(given)})"

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


class _Job:
    """One run that is to be reranked. Raises UsageError for options that are none."""

    def __init__(self, run: Rankings, given: Mapping[str, Any]) -> None:
        self.options = as_options(given)
        self._run = as_run(run)
        self._strict = given.get("max_failed") is not None

    def work(self, kept: KeptEngine | None = None) -> Reranked:
        """Rerank it."""
        place = Destination(self.options.output, self.options.traces)
        return rerank_runs([self._run], self.options, [place], kept=kept)[0]

    def told(self, result: Reranked) -> Run:
        """The new run, and what is to be said of it."""
        if self._strict:
            check_answers([result], self.options.max_failed)
        return _with_warning(result)


def _in_thread(thread: Executor, work: Callable[[], Reranked], grace: float) -> Reranked:
    """Do a job in a thread, with an event loop of its own: in this one, as in a notebook, one is running."""
    remote = Remote()
    context = copy_context()
    context.run(REMOTE.set, remote)
    with _ctrl_c_stops(remote, grace):
        result = thread.submit(context.run, work).result()
    if remote.was_not_heard:
        # It came after all was done, and whoever calls would go on.
        raise StoppedByUserError("interrupted")
    return result


@contextmanager
def _ctrl_c_stops(remote: Remote, grace: float) -> Iterator[None]:
    """Have Ctrl-C, or a notebook's stop button, ask the job to stop, as it does on the command line.

    The main thread has nothing to do but to wait: to interrupt it would leave the job running.
    """
    before = signal.getsignal(signal.SIGINT)
    if threading.current_thread() is not threading.main_thread() or before is signal.SIG_IGN:
        yield
        return

    def ask(number: int, _: object) -> None:
        remote.ask(number)
        log.warning(
            "stopping: requests in flight have %g seconds to end; interrupt again to stop at once", grace
        )

    signal.signal(signal.SIGINT, ask)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


def _with_warning(result: Reranked) -> Run:
    """The new run, and a word where calls had no answer: there is no exit status to say so."""
    if result.tally.unanswered:
        log.warning(
            "%d of %d calls ended without an answer; their windows kept their order%s",
            result.tally.unanswered,
            result.tally.calls,
            f" ({result.tally.trouble})" if result.tally.trouble else "",
        )
    return result.after
