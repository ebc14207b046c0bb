"""The Python function behind `rearank_cli.rerank`."""

import asyncio
import logging
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import fields
from pathlib import Path
from typing import Any

from rearank_cli.errors import UsageError
from rearank_cli.records import Run, ScoredDoc
from rearank_cli.reranking.destinations import Destination
from rearank_cli.reranking.job import rerank_runs
from rearank_cli.reranking.options import RerankOptions
from rearank_cli.reranking.results import Reranked

log = logging.getLogger("rearank")

# Words of the command line that name something else in Python.
_RENAMED = {"set": "settings", "engine_arg": "engine_args"}
_PATHS = ("docs", "queries", "output", "traces")


def rerank_run(run: str | Path | Mapping[str, Sequence[ScoredDoc]], given: Mapping[str, Any]) -> Run:
    """Rerank one run with the options of the command line; see `rearank_cli.rerank`."""
    options = _options(given)
    source = run if isinstance(run, str | Path | Run) else Run(run)
    place = Destination(options.output, options.traces)
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return _with_warning(rerank_runs([source], options, [place])[0])
    # A loop is running here already, as in a notebook: the job gets a thread with a loop of its own.
    with ThreadPoolExecutor(1) as thread:
        return _with_warning(thread.submit(rerank_runs, [source], options, [place]).result()[0])


def _with_warning(result: Reranked) -> Run:
    """The new run, and a word where calls had no answer: there is no exit status to say so."""
    if result.tally.unanswered:
        log.warning(
            "%d of %d calls ended without an answer; their windows kept their order",
            result.tally.unanswered,
            result.tally.calls,
        )
    return result.after


def _options(given: Mapping[str, Any]) -> RerankOptions:
    named = {_RENAMED.get(name, name): value for name, value in given.items()}
    known = {field.name for field in fields(RerankOptions)}
    unknown = sorted(set(named) - known)
    if unknown:
        raise UsageError(f"rerank() has no option {', '.join(unknown)}; see rearank rerank --help")
    for name in _PATHS:
        if named.get(name) is not None:
            named[name] = Path(named[name])
    if isinstance(named.get("query"), str):
        named["query"] = [named["query"]]
    named["query"] = tuple(named.get("query") or ())
    for name in ("settings", "engine_args"):
        named[name] = {key: str(value) for key, value in (named.get(name) or {}).items()}
    return RerankOptions(**named)
