"""Options that several commands have, and how messages reach the terminal."""

import logging
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from rearank_cli.commands import completion
from rearank_cli.commands.configuration import apply_configuration
from rearank_cli.commands.help import COMMON
from rearank_cli.errors import UsageError
from rearank_cli.trec.streams import printable

log = logging.getLogger("rearank")

VERBOSE = 15
"""Between INFO and DEBUG: what goes on, without tracebacks and without vLLM's own log."""


class _Plain(logging.Formatter):
    """`rearank: warning: ...`; a message of the ordinary course stands alone."""

    def format(self, record: logging.LogRecord) -> str:
        level = f"{record.levelname.lower()}: " if record.levelno >= logging.WARNING else ""
        text = f"rearank: {level}{printable(record.getMessage())}"
        return f"{text}\n{self.formatException(record.exc_info)}" if record.exc_info else text


def start_logging() -> None:
    """Send the program's messages to standard error."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(_Plain())
    log.handlers = [handler]
    log.propagate = False
    log.setLevel(logging.INFO)


def pairs(option: str, given: Sequence[str]) -> dict[str, str]:
    """Read what was given with an option as KEY=VALUE; raises UsageError for what has no `=`."""
    wrong = [pair for pair in given if "=" not in pair]
    if wrong:
        raise UsageError(f"{option} {wrong[0]}: give it as KEY=VALUE")
    return dict(pair.split("=", 1) for pair in given)


def _quiet(value: bool) -> bool:
    return _level(value, logging.ERROR)


def _verbose(value: bool) -> bool:
    return _level(value, VERBOSE)


def _debug(value: bool) -> bool:
    return _level(value, logging.DEBUG)


def _level(chosen: bool, level: int) -> bool:
    if chosen:
        log.setLevel(level)
    return chosen


# Of several commands.
Runs = Annotated[list[str], typer.Argument(metavar="RUN", help="Run files; - is standard input.")]
Traces = Annotated[
    str,
    typer.Argument(metavar="TRACES", help="What rearank rerank left beside a run; - is standard input."),
]
Docs = Annotated[Path | None, typer.Option(help="Documents: .jsonl, .tsv or a BEIR folder.")]
Queries = Annotated[Path | None, typer.Option(help="Queries: .jsonl or .tsv.")]
Qrels = Annotated[str | None, typer.Option(metavar="PATH", help="Judgments.")]
JudgedDataset = Annotated[
    str | None,
    typer.Option(
        metavar="ID",
        help="The ir_datasets collection that has the judgments.",
        autocompletion=completion.judged_datasets,
    ),
]
Tag = Annotated[str, typer.Option(help="Run tag.")]
EscapeIds = Annotated[bool, typer.Option("--escape-ids", help="Write spaces in document ids as %20.")]
Overwrite = Annotated[bool, typer.Option("--overwrite", help="Replace an output that exists.")]

# Of every command.
Quiet = Annotated[
    bool,
    typer.Option("--quiet", "-q", help="Say nothing but errors.", callback=_quiet, is_eager=True,
                 rich_help_panel=COMMON),
]  # fmt: skip
Verbose = Annotated[
    bool,
    typer.Option("--verbose", "-v", help="Say more of what goes on.", callback=_verbose, is_eager=True,
                 rich_help_panel=COMMON),
]  # fmt: skip
Debug = Annotated[
    bool,
    typer.Option("--debug", help="Show tracebacks, and the engine's own log.", callback=_debug, is_eager=True,
                 rich_help_panel=COMMON),
]  # fmt: skip
Config = Annotated[
    Path | None,
    typer.Option("--config", help="Read options from this file.", callback=apply_configuration, is_eager=True,
                 show_default="rearank.toml here or in a parent folder", rich_help_panel=COMMON),
]  # fmt: skip
