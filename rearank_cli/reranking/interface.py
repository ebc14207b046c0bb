"""The Python function behind `rearank_cli.rerank`."""

import asyncio
import logging
import signal
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from contextvars import copy_context
from pathlib import Path
from typing import Any

from rearank_cli.records import Run, ScoredDoc
from rearank_cli.reranking.arguments import as_options
from rearank_cli.reranking.destinations import Destination
from rearank_cli.reranking.job import rerank_runs
from rearank_cli.reranking.results import Reranked, check_answers
from rearank_cli.reranking.stopping import REMOTE, Remote
from rearank_cli.trec.rankings import as_run

log = logging.getLogger("rearank")


def rerank_run(
    run: str | Path | Mapping[str, Sequence[ScoredDoc | tuple[str, float]]], given: Mapping[str, Any]
) -> Run:
    """Rerank one run with the options of the command line; see `rearank_cli.rerank`."""
    options = as_options(given)
    source = as_run(run)
    place = Destination(options.output, options.traces)

    def job() -> Reranked:
        return rerank_runs([source], options, [place])[0]

    try:
        asyncio.get_running_loop()
    except RuntimeError:
        result = job()
    else:
        result = _beside_the_loop(job, options.grace)
    if given.get("max_failed") is not None:
        check_answers([result], options.max_failed)
    return _with_warning(result)


def _beside_the_loop(job: Callable[[], Reranked], grace: float) -> Reranked:
    """Do a job where an event loop is running, as in a notebook: in a thread, with a loop of its own."""
    remote = Remote()
    context = copy_context()
    context.run(REMOTE.set, remote)
    with ThreadPoolExecutor(1) as thread, _ctrl_c_stops(remote, grace):
        return thread.submit(context.run, job).result()


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
