"""`rearank families`: what is known of models, and what it sends."""

from typing import Annotated

import typer

from rearank_cli.commands import completion
from rearank_cli.commands.shared import Config, Debug, Quiet, Verbose


def families(
    name: Annotated[
        str | None,
        typer.Argument(
            metavar="[NAME|FILE]", help="A family, or a family file.", autocompletion=completion.families
        ),
    ] = None,
    quiet: Quiet = False,
    verbose: Verbose = False,
    debug: Debug = False,
    config: Config = None,
) -> None:
    """List the families of models, or show what one of them sends.

    rearank families rearank
    """
    from rearank_cli.families import family_names, load_family
    from rearank_cli.families.portrait import portrait
    from rearank_cli.trec.streams import printable

    if name:
        for line in portrait(load_family(name)).splitlines():
            typer.echo(printable(line))
        return
    known = [load_family(family_name) for family_name in family_names()]
    width = max(len(family.name) for family in known)
    for family in known:
        typer.echo(f"{family.name:{width}}  {printable(family.title)}")
