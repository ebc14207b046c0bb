"""The real command, given a damaged run."""

import os
import random
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from rearank_cli.errors import ExitStatus
from scripts.fuzzing.cases import expect
from scripts.fuzzing.damage import damaged
from scripts.fuzzing.files import EXAMPLE, ROOT, documents, run_file

# Real commands, each given a mutated run: {run}, and where a new run may go: {output}.
COMMANDS = [
    ["rerank", "{run}", "-o", "{output}", "--missing", "skip"],
    ["rerank", "{run}", "-o", "{output}", "--missing", "skip", "--input-order", "rank", "--escape-ids"],
    ["rerank", "{run}", "-o", "{output}"],
    ["rerank", "{run}", "--dry-run", "--missing", "skip"],
    ["check", "{run}"],
    ["check", "{run}", "--queries", "queries.tsv", "--docs", "docs.jsonl", "--track", "rag-2025"],
]
# What a command may say of itself when only its input is at fault.
STATUSES = {ExitStatus.DONE, ExitStatus.USAGE, ExitStatus.INPUT, ExitStatus.OUTPUT}

_SECONDS = 120


def commands(case: int) -> str:
    """Give a mutated run to a real command, in a folder with the example's texts."""
    from rearank_cli.trec import read_run

    rng = random.Random(case)
    command = COMMANDS[case % len(COMMANDS)]
    with tempfile.TemporaryDirectory(prefix="fuzz-") as name:
        folder = Path(name)
        for file in ("docs.jsonl", "queries.tsv", "qrels.trec", "rearank.toml"):
            shutil.copy(EXAMPLE / file, folder)
        run, output = folder / "run.trec", folder / "out.trec"
        run.write_bytes(damaged(rng, run_file()))
        done = subprocess.run(
            [sys.executable, "-m", "rearank_cli", *(word.format(run=run, output=output) for word in command)],
            cwd=folder,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            check=False,
            timeout=_SECONDS,
        )
        told = f"{' '.join(command)}: exit status {done.returncode}, {done.stderr.decode(errors='replace')!r}"
        expect(done.returncode in STATUSES, told)
        expect(b"Traceback" not in done.stdout + done.stderr, told)
        expect(b"\x1b" not in done.stdout + done.stderr, f"terminal escapes: {told}")
        expect(done.returncode == 0 or done.stderr, f"no word about it: {told}")
        expect(not output.exists() or done.returncode == 0, f"a run in spite of an error: {told}")
        if output.exists() and "--escape-ids" not in command:
            expect(
                documents(read_run(output)) == documents(read_run(run)),
                f"documents lost or invented: {told}",
            )
    return f"{command[0]}: exit {done.returncode}"
