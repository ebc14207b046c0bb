"""The topics of a run, with the texts that reranking needs."""

import logging
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from rearank_cli.corpus import Corpus
from rearank_cli.errors import InputError
from rearank_cli.records import Passage, Query, RankedDocs, Run, ScoredDoc
from rearank_cli.reranking.options import Missing
from rearank_cli.reranking.shards import Shard

log = logging.getLogger("rearank")


@dataclass(frozen=True)
class Topic:
    """One query of a run: its whole ranking, and the passages among its first `depth` that have texts.

    `query` is None where the query's text is missing: such a topic keeps its order.
    """

    query_id: str
    ranking: RankedDocs
    query: Query | None
    candidates: list[Passage]

    def rearranged(self, order: Sequence[str]) -> RankedDocs:
        """The whole ranking with the candidates in a new order, the document at rank r scored N-r+1.

        The candidates share out the places they had among themselves: what was not shown to the
        model, the tail and documents without text, stays where it is.
        """
        moving = set(order)
        new_order = iter(order)
        placed = [next(new_order) if doc_id in moving else doc_id for doc_id in self.ranking.doc_ids()]
        return RankedDocs(placed, range(len(placed), 0, -1))


def select(run: Run, *, query_ids: Collection[str], shard: Shard | None, limit: int | None, name: str) -> Run:
    """The part of a run that was asked for: `query_ids` choose first (all, where there are none).

    The shard is of what they chose, and `limit` the first so many of the shard: to try a shard out
    takes a limit, and which queries it has never depends on that. A shard may come out empty. Raises
    InputError for a query that is not in the run.
    """
    unknown = [query_id for query_id in query_ids if query_id not in run]
    if unknown:
        raise InputError(f"{name} has no query {', '.join(unknown)}")
    chosen = [query_id for query_id in run if not query_ids or query_id in query_ids]
    if shard:
        if shard.number > len(chosen):
            log.info("%s: shard %d/%d has no queries; its run is empty", name, *shard)
        chosen = shard.select(chosen)
    return run.only(chosen[:limit])


def without(run: Run, excluded: Mapping[str, Collection[str]]) -> Run:
    """The run less the documents that its dataset excludes from evaluation, which are counted."""
    if not excluded:
        return run
    kept: dict[str, Iterable[ScoredDoc]] = {}
    removed = 0
    for query_id in run:
        kept[query_id] = ranking = run.ranked(query_id)
        if unwanted := excluded.get(query_id):
            left = [document for document in ranking if document.doc_id not in unwanted]
            kept[query_id] = left
            removed += len(ranking) - len(left)
    if removed:
        log.warning("%d documents that the dataset excludes from evaluation were removed", removed)
    return Run(kept, run.tag)


def load_topics(run: Run, corpus: Corpus, *, depth: int, missing: Missing) -> list[Topic]:
    """Fetch the texts of every query and of its first `depth` documents.

    Raises InputError for texts that are not to be found, unless `missing` is `skip`.
    """
    texts = corpus.queries(list(run))
    _account_for("queries", [query_id for query_id in run if query_id not in texts], corpus, missing)
    heads = {query_id: run.ranked(query_id).head(depth) for query_id in run}
    wanted = dict.fromkeys(document.doc_id for head in heads.values() for document in head)
    passages = corpus.passages(list(wanted))
    _account_for("documents", [doc_id for doc_id in wanted if doc_id not in passages], corpus, missing)
    return [
        Topic(
            query_id,
            run.ranked(query_id),
            Query(query_id, texts[query_id]) if query_id in texts else None,
            [
                replace(passages[document.doc_id], score=document.score)
                for document in heads[query_id]
                if document.doc_id in passages
            ],
        )
        for query_id in run
    ]


def _account_for(kind: str, absent: Sequence[str], corpus: Corpus, missing: Missing) -> None:
    if not absent:
        return
    named = f"{_listed(absent)} of the run {'is' if len(absent) == 1 else 'are'} not in {corpus.name}"
    if missing == "error":
        raise InputError(
            f"{kind}: {named}; check that the run and the collection belong together, "
            "or give --missing skip to leave them in their places"
        )
    log.warning("%s: %s; they keep their places", kind, named)


def _listed(ids: Sequence[str], most: int = 3) -> str:
    shown = ", ".join(ids[:most])
    return shown if len(ids) <= most else f"{shown} and {len(ids) - most} more"
