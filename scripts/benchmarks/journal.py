"""What the journal adds to a call: its key, its digest, its record and its line."""

import argparse
import statistics
import tempfile
import time
from pathlib import Path

from rearank_cli.families import load_family
from rearank_cli.records import Completion, Passage, Query, Window
from rearank_cli.traces import Asker, Call, Journal, Request, digest

CALL_SECONDS = 0.010
"""The shortest call that the target is stated for."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """None of its own."""


def run(arguments: argparse.Namespace, rounds: int = 9, calls: int = 1000) -> list[dict[str, object]]:
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
            "bytes a line": round(line),
            "microseconds a call, median": round(median * 1e6, 1),
            "share of a 10 ms call": f"{median / CALL_SECONDS:.2%}",
            "target": "under 1 %",
        }
    ]
