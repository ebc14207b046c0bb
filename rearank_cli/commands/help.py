"""How help looks: its example is a command line to copy, and it has no types where they say nothing."""

import inspect
import re
import sys
from collections.abc import Callable, Iterable
from functools import partial
from typing import Any

from typer.core import TyperCommand, TyperGroup

from rearank_cli.commands.colour import in_colour
from rearank_cli.commands.refusals import telling_where_it_is_set

COMMON = "Common options"
"""The panel of the options that every command has."""

# What fits between the margins of a terminal of 80 columns.
_WIDTH = 78

# Characters for the choices of an option, beside its sentence.
_ROOM = 20


def help_of(command: Callable[..., None]) -> str:
    """What a command's docstring says, its last paragraph as an example."""
    sentences, _, example = (inspect.getdoc(command) or "").rpartition("\n\n")
    return f"{sentences}\n\nExample:\n{_command_line(example)}" if sentences else example


def _command_line(example: str) -> str:
    """The example after a prompt; one that is too long goes on below, from an option or a pipe."""
    lines = ["  $"]
    for part in re.split(r" (?=-[-a-z]|[|&])", " ".join(example.split())):
        if lines[-1].strip() != "$" and len(f"{lines[-1]} {part} \\".strip()) > _WIDTH:
            lines[-1] += " \\"
            lines.append("     ")
        lines[-1] += f" {part}"
    return "\n".join(lines)


class Command(TyperCommand):
    """A command of the program."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        with telling_where_it_is_set(ctx):
            return super().parse_args(ctx, args)

    def invoke(self, ctx: Any) -> Any:
        with telling_where_it_is_set(ctx):
            return super().invoke(ctx)

    def get_params(self, ctx: Any) -> list[Any]:
        return _as_shown(super().get_params(ctx))

    def format_help(self, ctx: Any, formatter: Any) -> None:
        _choose_colours()
        super().format_help(ctx, formatter)


class Group(TyperGroup):
    """The program."""

    def get_params(self, ctx: Any) -> list[Any]:
        return _as_shown(super().get_params(ctx))

    def format_help(self, ctx: Any, formatter: Any) -> None:
        _choose_colours()
        super().format_help(ctx, formatter)


def _as_shown(parameters: list[Any]) -> list[Any]:
    for parameter in parameters:
        kind = getattr(parameter, "type_descriptor", None)
        if parameter.param_type_name == "argument":
            # Its name says what it is: <list[str]> is for those who know Python.
            parameter.display_type_rich = partial(_plain, None)
        elif parameter.is_flag:
            parameter.metavar = ""
            if parameter.name == "help":
                parameter.rich_help_panel = COMMON
        elif parameter.metavar is None and kind and kind.is_choice:
            _name_choices(parameter, kind.choices)
        elif kind and kind.is_ranged:
            # The range beside it says that it is one.
            parameter.display_type_rich = partial(_plain, f"<{kind.ranged_type_name}>")
    return parameters


def _plain(name: str | None, ctx: Any) -> str | None:
    return name


def _name_choices(option: Any, choices: Iterable[str]) -> None:
    """Have many choices told in the sentence: in the column beside it they would take its room."""
    if len("|".join(choices)) > _ROOM:
        option.metavar = "NAME"
        option.help = f"{option.help} One of {', '.join(choices)}."


def _choose_colours() -> None:
    # Left to itself, typer forces colours into pipes on GitHub, and NO_COLOR leaves it bold and dim.
    from typer import rich_utils

    coloured = in_colour(sys.stdout)
    rich_utils.COLOR_SYSTEM = "auto" if coloured else None
    rich_utils.FORCE_TERMINAL = coloured or None
