"""The topics of a run, with the texts that reranking needs."""

import logging
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace

from rearank_cli.corpus import Corpus
from rearank_cli.errors import InputError
from rearank_cli.records import Passage, Query, Run, ScoredDoc
from rearank_cli.reranking.options import Missing

log = logging.getLogger("rearank")


@dataclass(frozen=True)
class Topic:
    """One query of a run: its whole ranking, and the passages among its first `depth` that have texts.

    `query` is None where the query's text is missing: such a topic keeps its order.
    """

    query_id: str
    ranking: list[ScoredDoc]
    query: Query | None
    candidates: list[Passage]

    def rearranged(self, order: Sequence[str]) -> list[ScoredDoc]:
        """The whole ranking with the candidates in a new order, the document at rank r scored N-r+1.

        The candidates share out the places they had among themselves: what was not shown to the
        model, the tail and documents without text, stays where it is.
        """
        moving = set(order)
        new_order = iter(order)
        placed = (
            next(new_order) if document.doc_id in moving else document.doc_id for document in self.ranking
        )
        n = len(self.ranking)
        return [ScoredDoc(doc_id, float(n - place)) for place, doc_id in enumerate(placed)]


def select(run: Run, *, limit: int | None, query_ids: Collection[str], name: str) -> Run:
    """The part of a run that was asked for. Raises InputError for a query that is not in it."""
    unknown = [query_id for query_id in query_ids if query_id not in run]
    if unknown:
        raise InputError(f"{name} has no query {', '.join(unknown)}")
    chosen = [query_id for query_id in run if not query_ids or query_id in query_ids][:limit]
    return Run({query_id: run[query_id] for query_id in chosen}, run.tag)


def without(run: Run, excluded: Mapping[str, Collection[str]]) -> Run:
    """The run less the documents that its dataset excludes from evaluation, which are counted."""
    if not excluded:
        return run
    kept = {
        query_id: [document for document in ranking if document.doc_id not in excluded.get(query_id, ())]
        for query_id, ranking in run.items()
    }
    removed = sum(len(ranking) for ranking in run.values()) - sum(len(ranking) for ranking in kept.values())
    if removed:
        log.warning("%d documents that the dataset excludes from evaluation were removed", removed)
    return Run(kept, run.tag)


def load_topics(run: Run, corpus: Corpus, *, depth: int, missing: Missing) -> list[Topic]:
    """Fetch the texts of every query and of its first `depth` documents.

    Raises InputError for texts that are not to be found, unless `missing` is `skip`.
    """
    texts = corpus.queries(list(run))
    _account_for("queries", [query_id for query_id in run if query_id not in texts], corpus, missing)
    heads = {query_id: ranking[:depth] for query_id, ranking in run.items()}
    wanted = dict.fromkeys(document.doc_id for head in heads.values() for document in head)
    passages = corpus.passages(list(wanted))
    _account_for("documents", [doc_id for doc_id in wanted if doc_id not in passages], corpus, missing)
    return [
        Topic(
            query_id,
            ranking,
            Query(query_id, texts[query_id]) if query_id in texts else None,
            [
                replace(passages[document.doc_id], score=document.score)
                for document in heads[query_id]
                if document.doc_id in passages
            ],
        )
        for query_id, ranking in run.items()
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
