#!/usr/bin/env python
"""Fuzz what reads foreign text: answers of models, run files, other inputs, and the command itself.

    scripts/fuzz.py                      everything: some minutes on two cores
    scripts/fuzz.py --short              a taste of everything
    scripts/fuzz.py answers runs         only these
    scripts/fuzz.py answers --first 4711 --count 1      one case again

A case is a number: the same number gives the same input. Prints a table of what was tried and what
came of it, the number of each case that failed, and exits 1 where one did.

answers   a completion, with its tokens, read by every family: never an exception, always a permutation,
          and never an order or a score that the model did not give (an oracle of its own says what it
          gave).
runs      a damaged run file, read in every order and checked against the rules of every track: a
          reading or an error of rearank_cli.errors, in bounded time; what is accepted can be read.
inputs    the same for damaged judgments, topics, documents, family files and traces.
commands  damaged run files through the real command: a documented exit status that is not 1, one
          sentence and no traceback, and no document lost.
"""

import argparse
import multiprocessing
import os
import sys
import time
from collections import Counter
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from scripts.fuzzing.answers import answers
from scripts.fuzzing.cases import Failure, Kind, Outcome, try_cases
from scripts.fuzzing.commands import commands
from scripts.fuzzing.files import inputs, runs

KINDS = {
    "answers": Kind(answers, 1_000_000, 20_000),
    "runs": Kind(runs, 20_000, 600),
    "inputs": Kind(inputs, 20_000, 600),
    "commands": Kind(commands, 200, 6, seconds=130),
}
_SHOWN_FAILURES = 20


def fuzz(kind: str, first: int, count: int) -> Outcome:
    """Try so many cases of a kind, from the first on, in this process."""
    return try_cases(KINDS[kind], first, count)


def _fuzz_chunk(chunk: tuple[str, int, int]) -> Outcome:
    return fuzz(*chunk)


def _report(kind: str, outcome: Outcome, seconds: float) -> None:
    count = outcome.results.total() + len(outcome.failures)
    results = ", ".join(f"{number:,} {result}" for result, number in outcome.results.most_common())
    print(f"{kind:9} {count:>9,} {seconds:>7.1f} s {len(outcome.failures):>4} failed  {results}", flush=True)
    for failure in outcome.failures[:_SHOWN_FAILURES]:
        print(f"    scripts/fuzz.py {kind} --first {failure.case} --count 1: {failure.problem[:600]}")


def main() -> int:
    """Fuzz what the command line asks for; return the exit status."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("kinds", nargs="*", metavar="KIND", help=f"{', '.join(KINDS)} (default: all)")
    parser.add_argument("--short", action="store_true", help="a taste only")
    parser.add_argument("--first", type=int, default=0, metavar="CASE", help="number of the first case")
    parser.add_argument("--count", type=int, metavar="N", help="number of cases of each kind")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1, metavar="N", help="processes")
    options = parser.parse_args()
    if unknown := set(options.kinds) - set(KINDS):
        parser.error(f"unknown kind {', '.join(sorted(unknown))}; they are {', '.join(KINDS)}")
    failed = False
    with multiprocessing.Pool(options.jobs) as pool:
        for name in options.kinds or KINDS:
            count = options.count or (KINDS[name].short if options.short else KINDS[name].full)
            size = max(1, min(5000, count // (4 * options.jobs)))
            end = options.first + count
            chunks = [(name, first, min(size, end - first)) for first in range(options.first, end, size)]
            started = time.monotonic()
            results: Counter[str] = Counter()
            failures: list[Failure] = []
            for outcome in pool.imap(_fuzz_chunk, chunks):
                results += outcome.results
                failures += outcome.failures
            _report(name, Outcome(results, failures), time.monotonic() - started)
            failed |= bool(failures)
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
