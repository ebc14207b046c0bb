"""Benchmarks, each against something it is compared with, side by side in one run.

python scripts/bench.py journal          what journaling adds to a call
python scripts/bench.py journal --json
"""

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from rearank_cli.families import load_family
from rearank_cli.records import Completion, Passage, Query, Window
from rearank_cli.traces import Asker, Call, Journal, Request, digest

CALL_SECONDS = 0.010
"""The shortest call that the target is stated for."""


def journal(rounds: int = 9, calls: int = 1000) -> list[dict[str, object]]:
    """Per call: its key and digest, its record and its line, with answers as long as Rearank-7B's."""
    family = load_family("rearank")
    passages = tuple(Passage(f"msmarco_passage_{n:02}_{n * 7919}", "word " * 60) for n in range(20))
    digests = [digest(passage.title, passage.text) for passage in passages]
    query = Query("1037798", "who is robert gray")
    asker = Asker(family.digest, "le723z/Rearank-7B", None, None, family.sampling, None)
    completion = Completion(
        family.write(list(range(20)), "because of this " * 220).text, "stop", None, 3400, 850, 0
    )
    reading = family.read(completion, 20)
    window = Window(tuple(passage.doc_id for passage in passages), 80, 100)

    def with_journal(journal: Journal) -> None:
        texts = digest(query.text, *digests)
        call = Call(asker.key(query.query_id, window), texts, query, window, passages, passages)
        journal.history.of(call.key, call.texts)
        journal.append(Request(call, 0, False, reading, completion, 0, 9.31, time.time()).line("bm25.trec"))

    medians = []
    with tempfile.TemporaryDirectory() as folder:
        for number in range(rounds):
            with Journal(Path(folder, f"{number}.jsonl")) as kept:
                started = time.perf_counter()
                for _ in range(calls):
                    with_journal(kept)
                medians.append((time.perf_counter() - started) / calls)
        line = Path(folder, "0.jsonl").stat().st_size / calls
    median = statistics.median(medians)
    return [
        {
            "benchmark": "journal",
            "bytes a line": round(line),
            "microseconds a call, median": round(median * 1e6, 1),
            "share of a 10 ms call": f"{median / CALL_SECONDS:.2%}",
            "target": "under 1 %",
        }
    ]


BARE_RANX = """
import os, sys
os.environ["NUMBA_DISABLE_JIT"] = "1"
from ranx import Qrels, Run, evaluate
qrels = Qrels.from_file(sys.argv[1], kind="trec")
run = Run.from_file(sys.argv[2], kind="gz" if sys.argv[2].endswith("gz") else "trec")
print(evaluate(qrels, run, ["ndcg@10", "map@100", "mrr@10", "recall@100"], make_comparable=True))
"""


def evaluate(arguments: argparse.Namespace, rounds: int = 7) -> list[dict[str, object]]:
    """Whole processes in turn, ours and the bare script, the same run, judgments and measures."""
    ours = [sys.executable, "-m", "rearank_cli", "evaluate", arguments.run, "--qrels", arguments.qrels]
    bare = [sys.executable, "-c", BARE_RANX, arguments.qrels, arguments.run]
    seconds: dict[str, list[float]] = {"ours": [], "bare": []}
    for _ in range(rounds + 1):
        for name, command in (("ours", ours), ("bare", bare)):
            started = time.perf_counter()
            subprocess.run(command, check=True, capture_output=True)
            seconds[name].append(time.perf_counter() - started)
    # The first round warms the disk's cache.
    mine, theirs = seconds["ours"][1:], seconds["bare"][1:]
    ratio = statistics.median(a / b for a, b in zip(mine, theirs, strict=True))
    return [
        {
            "benchmark": "evaluate",
            "seconds, median": round(statistics.median(mine), 2),
            "bare ranx, median": round(statistics.median(theirs), 2),
            "ratio, median of pairs": round(ratio, 2),
            "target": "at most 1.3",
        }
    ]


if __name__ == "__main__":
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("benchmark", choices=["journal", "evaluate"])
    parser.add_argument("--run", help="a run file, for evaluate")
    parser.add_argument("--qrels", help="judgments, for evaluate")
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    rows = evaluate(arguments) if arguments.benchmark == "evaluate" else journal()
    if arguments.json:
        print(json.dumps(rows, indent=2))
    else:
        for row in rows:
            print("\n".join(f"{name:28} {value}" for name, value in row.items()))
