"""What each method costs and what it finds, over TREC DL 2019 and real vLLM: the table of the README.

    python scripts/methods.py                  # as Markdown
    python scripts/methods.py --only blitz     # one of them

The judge is perfect, or errs on a given share of pairs of documents (of single documents, for methods
that score them one by one), always the same ones. It speaks through vLLM and a tiny model made on the
spot, whose sampler is held to what the judge says; so calls, chains, documents and nDCG are those that
a model of that opinion would have, and the time is that of the engine at hand. Needs a BM25 run
(--run) and ir_datasets with msmarco-passage/trec-dl-2019/judged.
"""

import argparse
import asyncio
import json
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
os.environ.setdefault("VLLM_CPU_KVCACHE_SPACE", "1")

from rearank_cli import evaluate, rerank
from rearank_cli.corpus import open_corpus
from rearank_cli.families import Family, load_family
from rearank_cli.methods import METHODS, Method, find_method, shuffle_for
from rearank_cli.records import Ranking, Reading, Run, Status, Window
from rearank_cli.reranking.rounds import Rounds
from rearank_cli.trec import read_run
from scripts.perfect import Fallible, Opinion, Perfection, PerfectVllm
from tests.tiny_model import make_tiny_model

DATASET = "msmarco-passage/trec-dl-2019/judged"
RUN = Path(__file__).resolve().parents[2] / "shared" / "data" / "runs" / "dl19.bm25.trec.gz"
CUT = "12 words"
TOP = 10
# A family whose answers are what the method reads; where a head of the list is all that is meant, its depth.
FAMILIES = {
    "setwise-heapsort": "rank-r1",
    "setwise-bubblesort": "rank-r1",
    "pointwise": "qwen3-reranker",
    "groupwise": "grouprank",
}
DEPTHS = {"exclusion": 20}


@dataclass(frozen=True)
class Row:
    """A method over all queries; `calls`, `chain` and `documents` are means of a query."""

    method: str
    judge: str
    calls: float
    chain: float
    documents: float
    seconds: float
    ndcg: float


def count(method: str, family: Family, run: Run, depth: int, opinion: Opinion) -> tuple[float, float, float]:
    """The mean calls, longest chain and documents read of a query, without an engine."""
    costs = [
        _cost(
            find_method(method), family, query_id, [document.doc_id for document in ranking[:depth]], opinion
        )
        for query_id, ranking in run.items()
    ]
    calls, chains, documents = (statistics.fmean(column) for column in zip(*costs, strict=True))
    return calls, chains, documents


def _cost(
    method: Method, family: Family, query_id: str, doc_ids: list[str], opinion: Opinion
) -> tuple[int, int, int]:
    windows: list[Window] = []
    rounds = Rounds()

    async def ask(window: Window) -> Reading:
        windows.append(window)
        await rounds.wait(query_id)
        scores: list[float | None] = [float(opinion.grade(query_id, doc_id)) for doc_id in window.doc_ids]
        order = opinion.order(query_id, window.doc_ids)
        return Reading(Status.OK, order, scores if family.gives in ("score", "scores") else None)

    parts = {
        "window": min(family.defaults.window, len(doc_ids)),
        "step": family.defaults.step,
        "top": TOP,
        "passes": method.passes,
        "shuffle": shuffle_for(0, query_id),
    }

    async def order() -> Ranking:
        return await method.run(doc_ids, ask, **{name: parts[name] for name in method.takes})

    asyncio.run(rounds.run(order()))
    return len(windows), rounds.longest, sum(len(window.doc_ids) for window in windows)


def measure(method: str, judge: str, engine: PerfectVllm, path: Path, run: Run, opinion: Opinion) -> Row:
    """One row: counted without the engine, timed with it; both must agree on the calls."""
    family = load_family(FAMILIES.get(method, "rearank"))
    depth = DEPTHS.get(method, 100)
    calls, chain, documents = count(method, family, run, depth, opinion)
    engine.serve(family, opinion)
    started = time.monotonic()
    after = rerank(
        path,
        dataset=DATASET,
        family=family.name,
        method=method,
        depth=depth,
        set={"cut": CUT},
        engine=engine,
    )
    seconds = time.monotonic() - started
    if engine.calls != round(calls * len(run)):
        raise SystemExit(f"{method}: {engine.calls} calls of the engine, and {calls * len(run)} counted")
    evaluation = evaluate({"after": after}, dataset=DATASET, measures=["ndcg@10"])[0]
    return Row(method, judge, calls, chain, documents, seconds, evaluation.means["ndcg@10"])


def table(rows: Sequence[Row]) -> str:
    """The rows as Markdown."""
    lines = [
        "| method | judge | calls | chain | documents read | seconds | nDCG@10 |",
        "|---|---|---|---|---|---|---|",
    ]
    lines += [
        f"| `{row.method}` | {row.judge} | {row.calls:.1f} | {row.chain:.1f} | {row.documents:.0f} "
        f"| {row.seconds:.0f} | {row.ndcg:.4f} |"
        for row in rows
    ]
    return "\n".join(lines)


def main() -> None:
    arguments = argparse.ArgumentParser(description="What each method costs and what it finds.")
    arguments.add_argument("--run", type=Path, default=RUN, help="a BM25 run of TREC DL 2019")
    arguments.add_argument("--only", nargs="*", choices=list(METHODS), default=list(METHODS))
    arguments.add_argument("--errs", type=float, default=0.1, help="share of pairs that are misjudged")
    arguments.add_argument("--json", action="store_true")
    given = arguments.parse_args()
    run = read_run(given.run)
    qrels = open_corpus(dataset=DATASET).qrels()
    if qrels is None:
        raise SystemExit(f"{DATASET} has no judgments")
    perfection = Perfection(run, qrels)
    judges: dict[str, Opinion] = {
        "perfect": perfection,
        f"errs on {given.errs:.0%}": Fallible(perfection, given.errs),
    }
    with tempfile.TemporaryDirectory() as folder:
        engine = PerfectVllm(make_tiny_model(Path(folder)))
        rows = []
        for name, opinion in judges.items():
            for method in given.only:
                rows.append(measure(method, name, engine, given.run, run, opinion))
                print(table(rows[-1:]).splitlines()[-1], file=sys.stderr, flush=True)
        engine.shutdown()
    print(json.dumps([asdict(row) for row in rows], indent=1) if given.json else table(rows))


if __name__ == "__main__":
    main()
