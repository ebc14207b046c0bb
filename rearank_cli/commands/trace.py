"""`rearank trace`: read the reasoning in the terminal."""

import logging
from pathlib import Path
from typing import Annotated

import typer

from rearank_cli.commands import completion
from rearank_cli.commands.shared import Config, Debug, Quiet, Traces, Verbose
from rearank_cli.errors import UsageError
from rearank_cli.trec.streams import STDIN

log = logging.getLogger("rearank")

STATUSES = ("ok", "repaired", "truncated", "unreadable", "failed")


def _statuses(incomplete: str) -> list[str]:
    return [status for status in STATUSES if status.startswith(incomplete)]


def trace(
    traces: Traces,
    query: Annotated[
        list[str] | None,
        typer.Option(metavar="ID", help="Read this query call by call; can be given several times."),
    ] = None,
    doc: Annotated[
        str | None, typer.Option(metavar="ID", help="Follow this document, and read what was said of it.")
    ] = None,
    status: Annotated[
        list[str] | None,
        typer.Option(
            metavar="STATUS",
            help=f"Only calls that went this way, and why: {', '.join(STATUSES)}; several times for several.",
            autocompletion=_statuses,
        ),
    ] = None,
    run: Annotated[
        str | None,
        typer.Option("--run", metavar="NAME", help="Only this run, where the traces are of several."),
    ] = None,
    attempt: Annotated[
        int | None,
        typer.Option(metavar="N", help="Read the calls of this attempt.", show_default="the last"),
    ] = None,
    dataset: Annotated[
        str | None,
        typer.Option(
            metavar="ID",
            help="Show texts beside ids, from this ir_datasets collection ...",
            autocompletion=completion.datasets,
        ),
    ] = None,
    docs: Annotated[
        Path | None, typer.Option(help="... or from files: .jsonl, .tsv or a BEIR folder ...")
    ] = None,
    queries: Annotated[Path | None, typer.Option(help="... with the queries: .jsonl or .tsv.")] = None,
    full: Annotated[
        bool, typer.Option("--full", help="Shorten nothing: whole passages, responses and orders.")
    ] = False,
    quiet: Quiet = False,
    verbose: Verbose = False,
    debug: Debug = False,
    config: Config = None,
) -> None:
    """Read why: what the model was shown, thought and answered, and what moved. Plain text when piped.

    rearank trace run.rearank.jsonl --query 156493
    """
    from rearank_cli.commands import tracing
    from rearank_cli.traces import TraceFile

    if [traces, str(queries), str(docs)].count(STDIN) > 1:
        raise UsageError("standard input (-) can be read only once")
    selection = tracing.Selection(
        tuple(dict.fromkeys(query or ())), doc, tracing.parse_statuses(status or ()), run, attempt
    )
    texts = tracing.Texts(dataset, docs, queries)
    is_overview = not (query or doc or status)
    file = TraceFile(
        traces,
        query_ids=selection.query_ids or None,
        words=(lambda _: False) if is_overview else selection.concerns,
    )
    found = tracing.find_selected(file, selection)
    if not any(selected.numbers for selected in found) and not is_overview:
        log.info("%s", tracing.nothing_found(file, selection))
        return
    if attempt is None and any(tracing.left_behind(file, selected) for selected in found):
        log.warning(
            "the attempts arranged their windows differently: calls of earlier ones are shown too, each "
            "marked with its attempt; rearank report, which reads the run too, leaves out what did not count"
        )
    paper = tracing.Paper()
    if is_overview:
        tracing.show_overview(paper, file, found, texts)
    elif doc is not None:
        tracing.show_journeys(paper, found, doc, texts, full=full)
    elif status:
        tracing.show_faults(paper, found, selection.statuses, texts, full=full)
    else:
        tracing.show_stories(paper, found, texts, full=full)
