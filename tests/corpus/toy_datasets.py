"""Small datasets made up for a test and registered with ir_datasets."""

import itertools
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

_numbers = itertools.count(1)


class QueryWithoutDefaultText(NamedTuple):
    """Like BRIGHT's."""

    query_id: str
    text: str
    reasoning: str


class PlainQrel(NamedTuple):
    query_id: str
    doc_id: str
    relevance: int


def register(
    folder: Path,
    *,
    docs: Iterable[NamedTuple] = (),
    queries: Iterable[NamedTuple] = (),
    qrels: Iterable[PlainQrel] = (),
    qrels_defs: dict[int, str] | None = None,
) -> str:
    """Register a dataset whose document store lies in `folder / "store"`; returns its id."""
    import ir_datasets  # noqa: TID251
    from ir_datasets.formats import BaseDocs, BaseQrels, BaseQueries  # noqa: TID251

    docs, queries, qrels = list(docs), list(queries), list(qrels)

    class Docs(BaseDocs):
        def docs_cls(self):
            return type(docs[0])

        def docs_iter(self):
            return iter(docs)

        def docs_store(self, field="doc_id"):
            return ir_datasets.indices.PickleLz4FullStore(
                str(folder / "store"), self.docs_iter, self.docs_cls(), field, ["doc_id"]
            )

    class Queries(BaseQueries):
        def queries_iter(self):
            return iter(queries)

    class Qrels(BaseQrels):
        def qrels_iter(self):
            return iter(qrels)

        def qrels_defs(self):
            return qrels_defs or {}

    parts = [docs and Docs(), queries and Queries(), qrels and Qrels()]
    dataset_id = f"toy/{next(_numbers)}"
    ir_datasets.registry.register(dataset_id, ir_datasets.Dataset(*(part for part in parts if part)))
    return dataset_id
