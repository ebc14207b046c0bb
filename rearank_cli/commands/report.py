"""`rearank report`: what reranking did, in a browser."""

import logging
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from rearank_cli.commands import completion
from rearank_cli.commands.evaluate import DEFAULTS
from rearank_cli.commands.shared import Config, Debug, Docs, Queries, Quiet, Verbose
from rearank_cli.errors import UsageError
from rearank_cli.trec.streams import STDIN

if TYPE_CHECKING:
    from rearank_cli.corpus import Corpus
    from rearank_cli.report import Judgments

log = logging.getLogger("rearank")

# Bytes.
_LARGE = 150_000_000


def report(
    traces: Annotated[
        list[str],
        typer.Argument(metavar="TRACES", help="Trace files; several are compared. - is standard input."),
    ],
    runs: Annotated[
        list[str] | None,
        typer.Option(
            "--run",
            metavar="RUN",
            help="The run that was reranked; can be given several times.",
            show_default="the file of its name beside the traces, or here",
        ),
    ] = None,
    dataset: Annotated[
        str | None,
        typer.Option(
            metavar="ID",
            help="Texts and judgments from ir_datasets.",
            autocompletion=completion.datasets,
        ),
    ] = None,
    docs: Docs = None,
    queries: Queries = None,
    qrels: Annotated[Path | None, typer.Option(help="Judgments.")] = None,
    measures: Annotated[
        list[str] | None,
        typer.Option(
            "-m",
            "--measure",
            metavar="MEASURE",
            help="A measure, as rearank evaluate has it; the first one tells which queries gained. "
            "Can be given several times.",
            show_default=DEFAULTS,
            autocompletion=completion.measures,
        ),
    ] = None,
    output: Annotated[
        Path | None,
        typer.Option(
            "--output",
            "-o",
            help="Where the page goes; - is standard output.",
            show_default="<traces>.html here",
        ),
    ] = None,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace a page that exists.")] = False,
    query: Annotated[
        list[str] | None,
        typer.Option(metavar="ID", help="Show, and measure, only this query; can be given several times."),
    ] = None,
    input_order: Annotated[
        Literal["trec", "rank", "file"],
        typer.Option(help="What ranked the run when it was reranked, as with rearank rerank."),
    ] = "trec",
    quiet: Quiet = False,
    verbose: Verbose = False,
    debug: Debug = False,
    config: Config = None,
) -> None:
    """Show what reranking did, and why, in one HTML file that needs no network.

    rearank report run.rearank.jsonl --dataset msmarco-passage/trec-dl-2019/judged
    """
    from rearank_cli.report import Sources, collect, render
    from rearank_cli.reranking.destinations import check_writable
    from rearank_cli.trec.outputs import open_output

    _check_inputs(traces, runs or [])
    place = output or _default_output(traces)
    check_writable(place, may_exist=overwrite)
    corpus = _open_corpus(dataset, docs, queries)
    judgments = _read_judgments(qrels, corpus)
    notes = []
    if corpus is None:
        notes.append(
            "No texts: queries and documents have only their ids. Give --dataset, or --docs and --queries."
        )
    if judgments is None:
        notes.append("No judgments: measures and changes are not shown. Give --qrels, or --dataset.")
    sources = Sources(
        runs=runs or (),
        corpus=corpus,
        judgments=judgments,
        measures=measures or DEFAULTS.split(),
        input_order=input_order,
        query_ids=query or (),
        notes=notes,
    )
    collected = collect(traces, sources)
    page = render(collected)
    with open_output(place) as file:
        file.write(page)
    for note in collected.notes:
        log.warning("%s", note.removesuffix("."))
    calls = sum(len(each.asked) for each in collected.rerankings)
    if str(place) != STDIN:
        log.info(
            "wrote %s: %d queries, %d calls, %.1f MB", place, len(collected.queries), calls, len(page) / 1e6
        )
        if len(page) > _LARGE:
            log.warning("a page of this size opens slowly, if at all; --query makes one of some queries")


def _check_inputs(traces: list[str], runs: list[str]) -> None:
    if [*traces, *runs].count(STDIN) > 1:
        raise UsageError("standard input (-) can be read only once")
    if len(set(traces)) < len(traces):
        again = next(path for path in traces if traces.count(path) > 1)
        raise UsageError(f"{again} is given twice")


def _default_output(traces: list[str]) -> Path:
    """`run.rearank.jsonl` -> `run.rearank.html` in the current folder."""
    from rearank_cli.trec.streams import without_compression_suffix

    if traces[0] == STDIN:
        raise UsageError("traces from standard input have no name to call the page after; give one with -o")
    name = without_compression_suffix(traces[0]).name
    return Path(f"{name.removesuffix('.jsonl')}.html")


def _open_corpus(dataset: str | None, docs: Path | None, queries: Path | None) -> "Corpus | None":
    from rearank_cli.corpus import open_corpus

    if dataset is None and docs is None and queries is None:
        return None
    return open_corpus(dataset=dataset, docs=docs, queries=queries)


def _read_judgments(qrels: Path | None, corpus: "Corpus | None") -> "Judgments | None":
    from rearank_cli.report import Judgments
    from rearank_cli.trec import read_qrels

    if qrels is not None:
        return Judgments(qrels.name, read_qrels(qrels))
    grades = corpus.qrels() if corpus else None
    return Judgments(corpus.name, grades) if corpus and grades else None
