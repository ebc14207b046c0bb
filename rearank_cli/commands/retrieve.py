"""`rearank retrieve`: a first stage by BM25."""

import logging
from pathlib import Path
from typing import Annotated

import typer

from rearank_cli.commands import completion
from rearank_cli.commands.shared import (
    Config,
    Debug,
    Docs,
    EscapeIds,
    Overwrite,
    Queries,
    Quiet,
    Tag,
    Verbose,
)
from rearank_cli.errors import UsageError
from rearank_cli.trec.outputs import STDOUT
from rearank_cli.trec.streams import STDIN

log = logging.getLogger("rearank")


def retrieve(
    dataset: Annotated[
        str | None,
        typer.Option(
            metavar="ID",
            help="Documents and queries from ir_datasets.",
            autocompletion=completion.datasets,
        ),
    ] = None,
    docs: Docs = None,
    queries: Queries = None,
    output: Annotated[
        Path, typer.Option("--output", "-o", help="Where the run goes; - is standard output.")
    ] = Path(STDOUT),
    depth: Annotated[int, typer.Option("--depth", "-k", min=1, help="Documents for each query.")] = 100,
    k1: Annotated[float, typer.Option("--k1", min=0, help="How slowly a repeated word loses weight.")] = 0.9,
    b: Annotated[float, typer.Option("--b", min=0, max=1, help="How much long documents lose.")] = 0.4,
    query: Annotated[list[str] | None, typer.Option(metavar="ID", help="Only these queries.")] = None,
    limit: Annotated[int | None, typer.Option(min=1, help="Only the first so many queries.")] = None,
    index: Annotated[
        Path | None,
        typer.Option(
            metavar="FOLDER", help="Keep the index here.", show_default="a folder in ~/.cache/rearank/bm25"
        ),
    ] = None,
    tag: Tag = "bm25",
    escape_ids: EscapeIds = False,
    overwrite: Overwrite = False,
    quiet: Quiet = False,
    verbose: Verbose = False,
    debug: Debug = False,
    config: Config = None,
) -> None:
    """Retrieve documents with BM25, as Lucene scores them: a run to rerank. The index is kept for next time.

    rearank retrieve --dataset beir/nfcorpus/test -o bm25.trec
    """
    from rearank_cli.corpus import open_corpus, retrieve_run
    from rearank_cli.reranking.destinations import check_writable
    from rearank_cli.trec import write_run
    from rearank_cli.trec.runs import check_tag

    if [str(docs), str(queries)].count(STDIN) > 1:
        raise UsageError("standard input (-) can be read only once")
    check_tag(tag)
    check_writable(output, may_exist=overwrite)
    corpus = open_corpus(dataset=dataset, docs=docs, queries=queries)
    run = retrieve_run(
        corpus,
        depth,
        k1=k1,
        b=b,
        query_ids=query or (),
        limit=limit,
        index_folder=index,
        tag=tag,
    )
    write_run(run, output, escape_ids=escape_ids, own_scores=True)
    documents = sum(len(run.ranked(query_id)) for query_id in run)
    place = "" if str(output) == STDOUT else f"wrote {output}: "
    log.info("%s%d queries, %s documents", place, len(run), f"{documents:,}")
