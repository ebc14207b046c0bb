"""The report of a large job in headless Chromium: how long until it is open, and until it has filtered."""

import argparse
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from rearank_cli import rerank
from scripts.benchmarks.talkative import Talkative, write_collection

# What a reader types, and each text that the search has on the way there.
SEARCHES = ("queen", "says more about", "msmarco_passage_12", "zzz", '"both mention"')

CHOICES = (
    ("change", "gained"),
    ("status", "truncated"),
    ("change", ""),
    ("status", ""),
    ("sort", "worst"),
    ("sort", "tokens"),
    ("sort", ""),
)

# Until the frame after the work is done: what a reader waits for.
_TYPED = """([words, by]) => new Promise((done) => {
  const field = document.getElementById(by);
  field.value = words;
  const started = performance.now();
  field.dispatchEvent(new Event(by === "search" ? "input" : "change", {bubbles: true}));
  requestAnimationFrame(() => setTimeout(() => done(performance.now() - started), 0));
})"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--queries", type=int, default=300)
    parser.add_argument("--depth", type=int, default=100, help="passages a query: 100 make 9 windows of 20")
    parser.add_argument("--files", type=int, default=1, help="trace files that are compared")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--keep", type=Path, help="leave the page here")


def browser_path() -> str | None:
    """The Chromium of this machine."""
    return next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)


FLAGS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


def run(arguments: argparse.Namespace) -> list[dict[str, object]]:
    """Make the page once, and open it several times."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        made = make_page(folder, queries=arguments.queries, depth=arguments.depth, files=arguments.files)
        if arguments.keep:
            shutil.copyfile(folder / "report.html", arguments.keep)
        opened, filtered, chosen = _measure(folder / "report.html", arguments.rounds)
        size = (folder / "report.html").stat().st_size
    return [
        {
            "page": f"{arguments.queries} queries, {arguments.files} trace file(s), {size / 1e6:.0f} MB",
            "made, s": round(made, 1),
            "opened, s": f"{statistics.median(opened):.2f} (worst {max(opened):.2f}; target 2)",
            "a key in the search, ms": _worst(filtered),
            "a filter, ms": _worst(chosen),
        }
    ]


def _worst(milliseconds: Sequence[float]) -> str:
    return f"{statistics.median(milliseconds):.0f} (worst {max(milliseconds):.0f}; target 100)"


def make_page(folder: Path, *, queries: int, depth: int, files: int) -> float:
    """Write report.html there; the seconds that `rearank report` took."""
    relevant = write_collection(folder, queries=queries, depth=depth)
    texts = {"docs": folder / "docs.jsonl", "queries": folder / "queries.tsv"}
    traces = [folder / f"run.{number}.jsonl" for number in range(1, files + 1)]
    for number, path in enumerate(traces):
        rerank(
            folder / "run.trec",
            **texts,
            engine=Talkative(relevant, seed=number),
            family="rearank",
            traces=path,
        )
    command = [sys.executable, "-m", "rearank_cli", "report", *map(str, traces), "-o", "report.html"]
    command += ["--docs", "docs.jsonl", "--queries", "queries.tsv", "--qrels", "qrels.trec", "--quiet"]
    root = {"PYTHONPATH": str(Path(__file__).resolve().parents[2])}
    started = time.perf_counter()
    subprocess.run(command, check=True, cwd=folder, env=os.environ | root)
    return time.perf_counter() - started


def _measure(page_file: Path, rounds: int) -> tuple[Sequence[float], ...]:
    """Seconds until the page is there and its list is filled; milliseconds of every key, and every filter."""
    from playwright.sync_api import sync_playwright

    opened: list[float] = []
    filtered: list[float] = []
    chosen: list[float] = []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=browser_path(), args=FLAGS)
        for _ in range(rounds):
            page = browser.new_page(viewport={"width": 1280, "height": 800})
            started = time.perf_counter()
            page.goto(page_file.as_uri())
            page.wait_for_selector("#list li a")
            opened.append(time.perf_counter() - started)
            # The first key is pressed as soon as the page is there: nothing is prepared yet.
            for words in SEARCHES:
                typed = [words[:end] for end in range(1, len(words) + 1)]
                filtered += [_typed(page, beginning, "search") for beginning in typed]
                filtered.append(_typed(page, "", "search"))
            chosen += [_typed(page, value, control) for control, value in CHOICES]
            page.close()
        browser.close()
    return opened, filtered, chosen


def _typed(page: Any, words: str, control: str) -> float:
    return float(page.evaluate(_TYPED, [words, control]))
