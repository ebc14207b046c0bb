"""Which configuration a value is from that a command refuses: no one may know of the file."""

import contextlib
import re
from collections.abc import Iterator
from typing import Any

import typer

from rearank_cli.commands.configuration import READ, options_of, source_of
from rearank_cli.errors import InputError, UsageError

_NAMED = re.compile(r"(?<![\w-])--([a-z][a-z0-9-]*)")


@contextlib.contextmanager
def telling_where_it_is_set(context: typer.Context) -> Iterator[None]:
    """Have a refusal of what the configuration sets name the file."""
    try:
        yield
    except (UsageError, InputError) as error:
        error.args = (f"{error}{_where_it_is_set(context, str(error))}",)
        raise
    except typer.BadParameter as error:
        error.message += _where_it_is_set(context, error.format_message())
        raise


def _where_it_is_set(context: typer.Context, message: str) -> str:
    """` (--window is set in /path/rearank.toml)`; empty where the message is of nothing that is.

    It is of the options that it names, but in what it advises; else of those whose value it quotes or
    begins with, unless that is also the value of one on the command line.
    """
    values = {
        name: (source_of(context, parameter), context.params.get(parameter))
        for name, parameter in options_of(context.command).items()
    }
    refused = re.split(r"; (?:give|use)\b", message)[0]
    about = set(_NAMED.findall(refused)) & values.keys()
    if not about:
        typed = {
            word for source, value in values.values() if source == "COMMANDLINE" for word in _words(value)
        }
        about = {
            name
            for name, (_, value) in values.items()
            if any(word not in typed and _is_about(refused, word) for word in _words(value))
        }
    set_there = [
        f"--{name}" for name, (source, _) in values.items() if name in about and source == "DEFAULT_MAP"
    ]
    if not set_there:
        return ""
    are = "is" if len(set_there) == 1 else "are"
    return f" ({' and '.join(set_there)} {are} set in {context.meta[READ]})"


def _words(value: Any) -> list[str]:
    """The values of an option that can be given several times, or its one value."""
    several = value if isinstance(value, list | tuple) else [value]
    return [str(one) for one in several if one is not None and not isinstance(one, bool)]


def _is_about(message: str, word: str) -> bool:
    at_its_beginning = re.match(rf"{re.escape(word)}(?![\w./-])", message)
    return f"'{word}'" in message or (at_its_beginning is not None and "/" in word)
