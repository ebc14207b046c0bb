"""How long a command takes to begin: `rearank --help` beside an empty typer app with as many commands."""

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from rearank_cli.commands import app


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--rounds", type=int, default=15)


def run(arguments: argparse.Namespace) -> list[dict[str, object]]:
    with tempfile.TemporaryDirectory() as folder:
        empty = Path(folder, "empty.py")
        empty.write_text(_empty_app())
        commands = {
            "rearank --help": [sys.executable, "-m", "rearank_cli", "--help"],
            "empty": [sys.executable, str(empty), "--help"],
        }
        seconds: dict[str, list[float]] = {name: [] for name in commands}
        for _ in range(arguments.rounds + 1):
            for name, command in commands.items():
                seconds[name].append(_time(command))
    # The first round fills the disk's cache.
    mine, theirs = seconds["rearank --help"][1:], seconds["empty"][1:]
    return [
        {
            "command": "rearank --help",
            "seconds, median": round(statistics.median(mine), 3),
            "empty typer app, median": round(statistics.median(theirs), 3),
            "ratio": f"{statistics.median(a / b for a, b in zip(mine, theirs, strict=True)):.2f}",
            "target": "at most 1.5",
        }
    ]


def _time(command: list[str]) -> float:
    started = time.perf_counter()
    subprocess.run(command, check=True, capture_output=True, env={**os.environ, "COLUMNS": "100"})
    return time.perf_counter() - started


def _empty_app() -> str:
    """A typer app with as many commands as ours, none of which does or takes anything."""
    names = [f"command_{number}" for number, _ in enumerate(app.registered_commands)]
    functions = "\n".join(f'@app.command()\ndef {name}():\n    """Does nothing."""\n' for name in names)
    return f"import typer\napp = typer.Typer()\n{functions}\napp()\n"
