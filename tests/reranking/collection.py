"""A small collection in files, and what became of its run."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rearank_cli import rerank
from rearank_cli.records import ScoredDoc


@dataclass(frozen=True)
class Collection:
    """A run, and the texts of its queries and documents, in files of one folder."""

    folder: Path

    @property
    def run(self) -> Path:
        return self.folder / "bm25.trec"

    @property
    def docs(self) -> Path:
        return self.folder / "docs.jsonl"

    @property
    def queries(self) -> Path:
        return self.folder / "queries.tsv"

    @property
    def output(self) -> Path:
        return self.folder / "out.trec"

    @property
    def traces(self) -> Path:
        return self.folder / "traces.jsonl"

    def rerank(self, engine: object, **options: Any) -> dict[str, list[str]]:
        """Rerank the run with these texts; the document ids of every query, best first."""
        return ids(rerank(self.run, docs=self.docs, queries=self.queries, engine=engine, **options))

    def records(self) -> list[dict[str, Any]]:
        """The lines of the trace file."""
        return [json.loads(line) for line in self.traces.read_bytes().splitlines()]

    def calls(self) -> list[dict[str, Any]]:
        """The calls in the trace file: by query, and those of a query as they came."""
        calls = [record for record in self.records() if record["type"] == "call"]
        return sorted(calls, key=lambda call: call["query_id"])


def write_collection(
    folder: Path, rankings: Mapping[str, Sequence[str]], without: Sequence[str] = ()
) -> Collection:
    """Write a run of these rankings, and the texts of all their ids but those in `without`."""
    place = Collection(folder)
    doc_ids = sorted({doc_id for ranking in rankings.values() for doc_id in ranking} - set(without))
    place.docs.write_text(
        "".join(
            json.dumps({"_id": doc_id, "title": f"Title {doc_id}", "text": f"Text of {doc_id}"}) + "\n"
            for doc_id in doc_ids
        )
    )
    place.queries.write_text(
        "".join(f"{query_id}\ttext of {query_id}\n" for query_id in rankings if query_id not in without)
    )
    place.run.write_text(
        "".join(
            f"{query_id} Q0 {doc_id} {rank} {100 - rank / 8} bm25\n"
            for query_id, ranking in rankings.items()
            for rank, doc_id in enumerate(ranking, 1)
        )
    )
    return place


def numbered(count: int) -> list[str]:
    """`d000`, `d001`, ...: the scripted engines think the last one best."""
    return [f"d{number:03d}" for number in range(count)]


def ids(run: Mapping[str, Sequence[ScoredDoc]]) -> dict[str, list[str]]:
    """The document ids of a run, best first."""
    return {query_id: [document.doc_id for document in ranking] for query_id, ranking in run.items()}
