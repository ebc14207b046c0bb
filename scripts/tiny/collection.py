"""Tasks as the files that `rearank` reads."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from scripts.tiny.language import Task


@dataclass(frozen=True)
class Collection:
    """The files of a collection in one folder; the first stage is no better than chance."""

    folder: Path

    @property
    def run(self) -> Path:
        return self.folder / "random.trec"

    @property
    def texts(self) -> dict[str, str]:
        """The options that name its texts."""
        return {"docs": str(self.folder / "docs.jsonl"), "queries": str(self.folder / "queries.tsv")}

    @property
    def qrels(self) -> Path:
        return self.folder / "qrels.trec"

    def write(self, tasks: Sequence[Task]) -> "Collection":
        """Write the tasks; their candidates come in the order they were made in, which says nothing."""
        self.folder.mkdir(parents=True, exist_ok=True)
        docs, queries, run, qrels = [], [], [], []
        for task in tasks:
            queries.append(f"{task.query_id}\t{task.query}")
            for rank, (doc_id, text) in enumerate(task.passages.items(), 1):
                docs.append(json.dumps({"_id": doc_id, "text": text}))
                run.append(f"{task.query_id} Q0 {doc_id} {rank} {len(task.passages) - rank + 1} random")
                qrels.append(f"{task.query_id} 0 {doc_id} {task.grades[doc_id]}")
        for path, lines in (
            (Path(self.texts["docs"]), docs),
            (Path(self.texts["queries"]), queries),
            (self.run, run),
            (self.qrels, qrels),
        ):
            path.write_text("".join(f"{line}\n" for line in lines))
        return self
