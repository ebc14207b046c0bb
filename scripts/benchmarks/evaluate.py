"""`rearank evaluate` against a bare ranx script, both as a machine runs them for the first time: no JIT."""

import argparse
import statistics
import subprocess
import sys
import time


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--run", required=True, help="a run file")
    parser.add_argument("--qrels", required=True, help="its judgments")


BARE_RANX = """
import os, sys
os.environ["NUMBA_DISABLE_JIT"] = "1"
from ranx import Qrels, Run, evaluate
qrels = Qrels.from_file(sys.argv[1], kind="trec")
run = Run.from_file(sys.argv[2], kind="gz" if sys.argv[2].endswith("gz") else "trec")
print(evaluate(qrels, run, ["ndcg@10", "map@100", "mrr@10", "recall@100"], make_comparable=True))
"""


def run(arguments: argparse.Namespace, rounds: int = 7) -> list[dict[str, object]]:
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
            "seconds, median": round(statistics.median(mine), 2),
            "bare ranx, median": round(statistics.median(theirs), 2),
            "ratio, median of pairs": round(ratio, 2),
            "target": "at most 1.3",
        }
    ]
