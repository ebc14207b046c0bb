"""`rearank check`: would TREC accept this run?"""

import logging
from collections.abc import Collection
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from rearank_cli.commands import completion
from rearank_cli.commands.shared import Config, Debug, Quiet, Runs, Verbose
from rearank_cli.errors import ExitStatus, InputError, UsageError
from rearank_cli.trec.streams import STDIN, describe, open_input, printable

if TYPE_CHECKING:
    from rearank_cli.corpus import Corpus
    from rearank_cli.trec.findings import Finding
    from rearank_cli.trec.rules import Checked

log = logging.getLogger("rearank")

TRACKS = "default, trec-covid, dl-2020-passage, dl-2020-document, dl-2022-passage, dl-2022-document, rag-2025"


def check(
    runs: Runs,
    dataset: Annotated[
        str | None,
        typer.Option(
            metavar="ID",
            help="The ir_datasets collection whose topics and documents it ranks.",
            autocompletion=completion.datasets,
        ),
    ] = None,
    queries: Annotated[Path | None, typer.Option(help="The topics to be there: .jsonl or .tsv.")] = None,
    docs: Annotated[
        Path | None, typer.Option(help="The documents it may rank: .jsonl, .tsv or a BEIR folder.")
    ] = None,
    track: Annotated[
        str,
        typer.Option(
            metavar="NAME", help=f"Whose limits to check: {TRACKS}.", autocompletion=completion.tracks
        ),
    ] = "default",
    quiet: Quiet = False,
    verbose: Verbose = False,
    debug: Debug = False,
    config: Config = None,
) -> None:
    """Check whether TREC would accept runs: every problem with its line. Exits 3 where one is refused.

    rearank check run.trec --dataset msmarco-passage/trec-dl-2020 --track dl-2020-passage
    """
    from rearank_cli.corpus import open_corpus
    from rearank_cli.trec.findings import in_order
    from rearank_cli.trec.rules import check_run
    from rearank_cli.trec.tracks import find_track

    if [*runs, str(queries)].count(STDIN) > 1:
        raise UsageError("standard input (-) can be read only once")
    limits = find_track(track)
    corpus = open_corpus(dataset=dataset, docs=docs, queries=queries) if dataset or docs else None
    topics = _topics(corpus, dataset, queries)
    refused = False
    unreadable = []
    for path in runs:
        try:
            with open_input(path) as lines:
                checked = check_run(lines, limits, topics)
        except InputError as error:
            # The other runs are checked all the same.
            unreadable.append(str(error))
            continue
        findings = checked.findings
        if corpus:
            unknown = _unknown_documents(checked, corpus, remote=dataset is not None)
            findings = in_order([*findings, *unknown])
        refused |= not _report(describe(path), findings, checked)
    if unreadable:
        raise InputError("; ".join(unreadable))
    if refused:
        raise typer.Exit(ExitStatus.INPUT)


def _topics(corpus: "Corpus | None", dataset: str | None, queries: Path | None) -> Collection[str] | None:
    """The topics that a run has to have, in their order; None where no one said which."""
    from rearank_cli.corpus import read_query_ids

    if queries:
        return dict.fromkeys(read_query_ids(queries))
    return dict.fromkeys(corpus.query_ids()) if corpus and dataset else None


def _unknown_documents(checked: "Checked", corpus: "Corpus", *, remote: bool) -> "list[Finding]":
    from rearank_cli.trec.rules import unknown_documents

    documents = checked.documents()
    try:
        known = corpus.passages(documents)
    except InputError as error:
        if not remote:
            raise
        log.warning("document ids were not checked: %s", error)
        return []
    return unknown_documents(documents, known, corpus.name)


def _report(name: str, findings: "list[Finding]", checked: "Checked") -> bool:
    """Print what was found; return whether the run would be accepted."""
    from rearank_cli.trec.findings import shown

    for finding in findings:
        place = name if finding.line is None else f"{name}:{finding.line}"
        typer.echo(f"{printable(place)}: {'warning: ' if finding.warning else ''}{finding.sentence}")
    problems = sum(finding.count for finding in findings if not finding.warning)
    warnings = sum(finding.count for finding in findings if finding.warning)
    also = f" and {_counted(warnings, 'warning')}" if warnings else ""
    if problems:
        log.info("%s: %s%s; it would be refused", name, _counted(problems, "problem"), also)
        return False
    log.info(
        "%s: accepted%s: %s, %s, tag %s",
        name,
        f" with {_counted(warnings, 'warning')}" if warnings else "",
        _counted(len(checked.rankings), "topic"),
        _counted(checked.lines, "document"),
        shown(checked.tag or b""),
    )
    return True


def _counted(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'' if number == 1 else 's'}"
