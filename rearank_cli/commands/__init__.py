"""The command line: one file per command."""

from typing import Annotated

import typer

from rearank_cli import __version__
from rearank_cli.commands.check import check
from rearank_cli.commands.evaluate import evaluate
from rearank_cli.commands.example import example
from rearank_cli.commands.families import families
from rearank_cli.commands.merge import merge
from rearank_cli.commands.rerank import rerank
from rearank_cli.commands.shared import Debug, Quiet, Verbose

app = typer.Typer(
    name="rearank",
    no_args_is_help=True,
    add_completion=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
for command in (rerank, evaluate, check, merge, families, example):
    app.command()(command)


def _version(value: bool) -> None:
    if value:
        typer.echo(f"rearank {__version__}")
        raise typer.Exit


@app.callback()
def rearank(
    version: Annotated[
        bool, typer.Option("--version", help="Show the version.", callback=_version, is_eager=True)
    ] = False,
    quiet: Quiet = False,
    verbose: Verbose = False,
    debug: Debug = False,
) -> None:
    """Rerank TREC runs with reasoning LLMs: a run goes in, a better run comes out, with the reasons.

    rearank rerank run.trec --dataset msmarco-passage/trec-dl-2019/judged
    """
