"""Collections that were reranked, and what makes reports of them."""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest

from rearank_cli import rerank
from rearank_cli.corpus import open_corpus
from rearank_cli.records import Completion, Prompt, Sampling
from rearank_cli.report import Judgments, Report, Sources, collect
from rearank_cli.trec import read_qrels

MEASURES = ("ndcg@10", "map@100")


@dataclass(frozen=True)
class Reranked:
    """A folder with a run, its texts and judgments, in which runs are reranked and reported."""

    folder: Path

    def rerank(self, engine: object = "lexical", traces: str = "run.rearank.jsonl", **options: Any) -> Path:
        """Rerank the run; the path of the traces."""
        texts = {"docs": self.folder / "docs.jsonl", "queries": self.folder / "queries.tsv"}
        options = {**texts, "family": "rearank", "engine": engine, **options}
        rerank(self.folder / "run.trec", traces=self.folder / traces, **options)
        return self.folder / traces

    def collect(self, *traces: str, **sources: Any) -> Report:
        """What a report tells of these trace files, with all texts and judgments."""
        judged = Judgments("qrels.trec", read_qrels(self.folder / "qrels.trec"))
        corpus = open_corpus(docs=self.folder / "docs.jsonl", queries=self.folder / "queries.tsv")
        told = {"corpus": corpus, "judgments": judged, "measures": MEASURES, **sources}
        return collect(
            [str(self.folder / name) for name in traces or ("run.rearank.jsonl",)], Sources(**told)
        )


@pytest.fixture
def bees(tmp_path: Path) -> Reranked:
    """The example collection, in a folder of its own."""
    return copy_of_the_example(tmp_path / "bees")


def copy_of_the_example(folder: Path) -> Reranked:
    folder.mkdir()
    for file in files("rearank_cli").joinpath("example").iterdir():
        (folder / file.name).write_bytes(file.read_bytes())
    return Reranked(folder)


class Scripted:
    """An engine that gives every window the answer that a function makes of the window's documents."""

    name = "scripted"

    def __init__(self, answer: Callable[[Sequence[str]], str], **told: Any) -> None:
        self._answer = answer
        self._told = {"prompt_tokens": 100, "completion_tokens": 20, "cached_tokens": 0, **told}

    async def complete(self, prompt: Prompt, sampling: Sampling) -> Completion:
        return Completion(self._answer(prompt.doc_ids), **self._told)


def reversing(doc_ids: Sequence[str]) -> str:
    """Thinks of every passage, and turns the window round."""
    said = " ".join(f"Passage [{number}] is worse." for number in range(1, len(doc_ids) + 1))
    listed = " > ".join(f"[{number}]" for number in range(len(doc_ids), 0, -1))
    return f"<think>{said}</think><answer>{listed}</answer>"


def write_collection(
    folder: Path,
    rankings: Mapping[str, Sequence[str]],
    *,
    texts: Mapping[str, str] = {},
    queries: Mapping[str, str] = {},
    grades: Mapping[str, Mapping[str, int]] = {},
) -> Reranked:
    """Write a run of these rankings with its texts and judgments; a text that is not given is the id."""
    folder.mkdir(exist_ok=True)
    doc_ids = dict.fromkeys(doc_id for ranking in rankings.values() for doc_id in ranking)
    lines = [json.dumps({"_id": doc_id, "text": texts.get(doc_id, doc_id)}) + "\n" for doc_id in doc_ids]
    (folder / "docs.jsonl").write_text("".join(lines), "utf-8")
    asked = [f"{query_id}\t{queries.get(query_id, query_id)}\n" for query_id in rankings]
    (folder / "queries.tsv").write_text("".join(asked), "utf-8")
    ranked = [
        f"{query_id} Q0 {doc_id} {rank} {len(ranking) - rank} t\n"
        for query_id, ranking in rankings.items()
        for rank, doc_id in enumerate(ranking, 1)
    ]
    (folder / "run.trec").write_text("".join(ranked), "utf-8")
    judged = [
        f"{query_id} 0 {doc_id} {grade}\n"
        for query_id in grades
        for doc_id, grade in grades[query_id].items()
    ]
    (folder / "qrels.trec").write_text("".join(judged), "utf-8")
    return Reranked(folder)
