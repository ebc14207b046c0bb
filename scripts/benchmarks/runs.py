"""Reading a large run and writing it again: seconds and memory of whole processes, ours and ranx's."""

import argparse
import json
import os
import random
import statistics
import subprocess
import sys
import tempfile
from array import array
from collections.abc import Iterator
from itertools import groupby
from operator import itemgetter
from pathlib import Path

MS_MARCO_PASSAGES = 8_841_823
DEPTH = 1000

# Loading and saving are timed in the process, without its imports; memory is the peak of all of it.
_MEASURED = """
import json, resource, sys, time
{imports}
source, target = sys.argv[1:]
started, cpu = time.perf_counter(), time.process_time()
{work}
seconds, cpu = time.perf_counter() - started, time.process_time() - cpu
peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
print(json.dumps([seconds, cpu, peak]))
"""

OURS = _MEASURED.format(
    imports="from rearank_cli.trec import read_run, write_run",
    work="write_run(read_run(source), target)",
)
RANX = _MEASURED.format(
    imports="from ranx import Run",
    work="Run.from_file(source, kind='trec').save(target, kind='trec')",
)
PROGRAMS: dict[str, tuple[str, dict[str, str]]] = {
    "ours": (OURS, {}),
    "ranx, NUMBA_DISABLE_JIT=1": (RANX, {"NUMBA_DISABLE_JIT": "1"}),
    "ranx as installed": (RANX, {}),
}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--lines", type=int, default=1_000_000, help="MS MARCO's dev set has 6980000")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument(
        "--no-jit", action="store_true", help="leave out ranx as installed: compiling makes it slower here"
    )


def write_first_stage(path: Path, lines: int) -> None:
    """A run with ids and scores like those of BM25 on MS MARCO: a thousand documents a query, few ties."""
    rng = random.Random(1)
    with path.open("w", encoding="utf-8") as file:
        for first in range(0, lines, DEPTH):
            documents = rng.sample(range(MS_MARCO_PASSAGES), min(DEPTH, lines - first))
            score = top = rng.uniform(15, 40)
            for rank, document in enumerate(documents, 1):
                if rng.random() > 0.03:
                    score -= rng.expovariate(3000 / top)
                file.write(f"{1_000_000 + first} Q0 {document} {rank} {score:.6f} bm25\n")


def run(arguments: argparse.Namespace) -> list[dict[str, object]]:
    """Every program in turn, each in a process of its own; the row of a program compares ours with it."""
    names = [name for name in PROGRAMS if not (arguments.no_jit and name == "ranx as installed")]
    measured: dict[str, list[list[float]]] = {name: [] for name in names}
    with tempfile.TemporaryDirectory() as folder:
        source = Path(folder, "run.trec")
        write_first_stage(source, arguments.lines)
        for _ in range(arguments.rounds):
            for name in names:
                measured[name].append(_measure(name, source, Path(folder, name)))
        for name in names:
            _compare(source, Path(folder, name))
    return [_row(name, measured[name], measured["ours"]) for name in names]


def _measure(name: str, source: Path, target: Path) -> list[float]:
    """Seconds of loading and saving, seconds of CPU that it took, MiB at the peak of the process."""
    program, environment = PROGRAMS[name]
    command = [sys.executable, "-W", "ignore", "-c", program, str(source), str(target)]
    root = {"PYTHONPATH": str(Path(__file__).resolve().parents[2])}
    done = subprocess.run(command, check=True, capture_output=True, env=os.environ | root | environment)
    figures: list[float] = json.loads(done.stdout)
    return figures


def _compare(source: Path, target: Path) -> None:
    """Refuse what lost a document, or ordered otherwise two that differ in their scores at 32 bits."""
    for (query_id, scored), (written_id, written) in zip(_queries(source), _queries(target), strict=True):
        scores = dict(scored)
        if (
            query_id != written_id
            or scores.keys() != dict(written).keys()
            or array("f", scores.values()) != array("f", [scores[doc_id] for doc_id, _ in written])
        ):
            raise SystemExit(f"{target.name}: query {query_id} has another ranking than it had")


def _queries(path: Path) -> Iterator[tuple[str, list[tuple[str, float]]]]:
    with path.open(encoding="utf-8") as file:
        for query_id, lines in groupby(map(str.split, file), key=itemgetter(0)):
            yield query_id, [(fields[2], float(fields[4])) for fields in lines]


def _row(name: str, theirs: list[list[float]], ours: list[list[float]]) -> dict[str, object]:
    seconds, cpu, peak = (statistics.median(figures) for figures in zip(*theirs, strict=True))
    pairs = list(zip(theirs, ours, strict=True))
    faster, less_cpu = (statistics.median(them[i] / us[i] for them, us in pairs) for i in (0, 1))
    smaller = statistics.median(us[2] / them[2] for them, us in pairs)
    return {
        "program": name,
        "load + save, seconds": round(seconds, 2),
        "of CPU": round(cpu, 2),
        "peak MiB": round(peak),
        "ours is faster by": "" if name == "ours" else f"{faster:.1f}x",
        "in CPU": "" if name == "ours" else f"{less_cpu:.1f}x",
        "with memory of": "" if name == "ours" else f"{smaller:.2f}",
        "target": "" if name == "ours" else "at least 3x, with at most half (0.50)",
    }
