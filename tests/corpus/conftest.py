"""Toy datasets, registered with ir_datasets."""

import itertools
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

_toy_numbers = itertools.count(1)


@pytest.fixture(scope="session")
def shared_data(shared: Path) -> Path:
    return shared / "data"


@pytest.fixture
def register_dataset(tmp_path: Path) -> Callable[..., str]:
    """Register records as a dataset, its document store in `tmp_path / "store"`; returns its id."""
    import ir_datasets  # noqa: TID251
    from ir_datasets.formats import BaseDocs, BaseQrels, BaseQueries  # noqa: TID251

    def register(
        *,
        docs: Sequence[Any] = (),
        queries: Sequence[Any] = (),
        qrels: Sequence[Any] = (),
        qrels_defs: dict[int, str] | None = None,
        folder: Path = tmp_path,
    ) -> str:
        class Docs(BaseDocs):
            def docs_iter(self):
                return iter(docs)

            def docs_store(self):
                return ir_datasets.indices.PickleLz4FullStore(
                    str(folder / "store"), self.docs_iter, type(docs[0]), "doc_id", ["doc_id"]
                )

        class Queries(BaseQueries):
            def queries_iter(self):
                return iter(queries)

        class Qrels(BaseQrels):
            def qrels_iter(self):
                return iter(qrels)

            def qrels_defs(self):
                return qrels_defs or {}

        parts = [Docs() if docs else None, Queries() if queries else None, Qrels() if qrels else None]
        dataset_id = f"toy/{next(_toy_numbers)}"
        ir_datasets.registry.register(dataset_id, ir_datasets.Dataset(*parts))
        return dataset_id

    return register
