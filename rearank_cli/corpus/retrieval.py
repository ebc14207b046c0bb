"""A first stage: the best documents of a corpus for its queries, by BM25."""

import logging
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from rearank_cli.corpus.index_cache import open_index
from rearank_cli.errors import InputError
from rearank_cli.records import RankedDocs, Run
from rearank_cli.trec.own_scores import strictly_falling

if TYPE_CHECKING:
    from rearank_cli.corpus import Corpus
    from rearank_cli.corpus.index import Index

log = logging.getLogger("rearank")


def retrieve_run(
    corpus: "Corpus",
    depth: int,
    *,
    k1: float = 0.9,
    b: float = 0.4,
    query_ids: Collection[str] = (),
    limit: int | None = None,
    index_folder: Path | None = None,
    tag: str = "bm25",
) -> Run:
    """Search a corpus for each of its queries, in their order: `query_ids` chooses, then `limit`.

    Every query has its `depth` best documents, less those that the judgments exclude from its
    evaluation, which are left out before they are counted. Scores are BM25's, ties a hair apart.
    Queries that no document matches are not in the run. Raises InputError for queries or documents
    that cannot be had, UsageError or OutputError for an `index_folder` that cannot hold their index.
    """
    queries = _queries(corpus, query_ids, limit)
    excluded = corpus.excluded()
    index = open_index(corpus, k1, b, index_folder)
    numbers = _numbers(index, excluded, queries)
    rankings = {}
    for query_id, text in queries.items():
        unwanted = [numbers[doc_id] for doc_id in excluded.get(query_id, ()) if doc_id in numbers]
        if found := index.search(text, depth, unwanted):
            doc_ids, scores = zip(*found, strict=True)
            rankings[query_id] = RankedDocs(doc_ids, strictly_falling(scores))
    if without := len(queries) - len(rankings):
        log.warning(
            "%d of %d queries share no word with any document: they are not in the run", without, len(queries)
        )
    if not rankings:
        raise InputError(
            f"{corpus.name}: no query has a word that is in any document; are both of one language?"
        )
    return Run(rankings, tag)


def _queries(corpus: "Corpus", query_ids: Collection[str], limit: int | None) -> Mapping[str, str]:
    """The texts of the chosen queries, in the order of their source."""
    known = corpus.query_ids()
    if unknown := set(query_ids).difference(known):
        raise InputError(f"{corpus.name} has no query {', '.join(sorted(unknown))}")
    chosen = [query_id for query_id in known if not query_ids or query_id in query_ids][:limit]
    texts = corpus.queries(chosen)
    if without := [query_id for query_id in chosen if query_id not in texts]:
        log.warning(
            "%d queries have no text, and are not in the run (the first is %s)", len(without), without[0]
        )
    if not texts:
        raise InputError(f"{corpus.name} has no queries")
    return {query_id: texts[query_id] for query_id in chosen if query_id in texts}


def _numbers(
    index: "Index", excluded: Mapping[str, Collection[str]], queries: Mapping[str, str]
) -> dict[str, int]:
    """The numbers of all documents that are excluded for any of the queries."""
    unwanted = {doc_id for query_id in queries for doc_id in excluded.get(query_id, ())}
    return index.numbers(unwanted) if unwanted else {}
