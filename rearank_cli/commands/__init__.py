"""The command line: one file per command."""

from typing import Annotated

import typer

from rearank_cli import __version__
from rearank_cli.commands import completion
from rearank_cli.commands.check import check
from rearank_cli.commands.evaluate import evaluate
from rearank_cli.commands.example import example
from rearank_cli.commands.families import families
from rearank_cli.commands.fuse import fuse
from rearank_cli.commands.help import Command, Group, help_of
from rearank_cli.commands.merge import merge
from rearank_cli.commands.report import report
from rearank_cli.commands.rerank import rerank
from rearank_cli.commands.retrieve import retrieve
from rearank_cli.commands.shared import Debug, Quiet, Verbose
from rearank_cli.commands.trace import trace
from rearank_cli.commands.train import train

app = typer.Typer(
    name="rearank",
    cls=Group,
    no_args_is_help=True,
    add_completion=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
for command in (rerank, evaluate, trace, report, retrieve, fuse, check, merge, families, example):
    app.command(cls=Command, help=help_of(command))(command)
app.add_typer(train)


def _version(context: typer.Context, value: bool) -> None:
    if value and not context.resilient_parsing:
        typer.echo(f"rearank {__version__}")
        raise typer.Exit


def rearank(
    version: Annotated[
        bool, typer.Option("--version", help="Show the version.", callback=_version, is_eager=True)
    ] = False,
    quiet: Quiet = False,
    verbose: Verbose = False,
    debug: Debug = False,
) -> None:
    """Rerank TREC runs with reasoning LLMs: a run goes in, a better run comes out, with the reasons.

    rearank example bees && cd bees && rearank rerank run.trec
    """


completion.mend_zsh()
app.callback(help=help_of(rearank))(rearank)
