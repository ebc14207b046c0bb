"""`rearank.toml`: a table of options per command, for what a folder's experiments have in common."""

import tomllib
from collections.abc import Iterator, Mapping
from difflib import get_close_matches
from pathlib import Path
from typing import Any

import typer

from rearank_cli.errors import InputError, UsageError

FILE_NAME = "rearank.toml"

# A relative path in a configuration starts from the folder of the file.
_PATHS = frozenset({"docs", "queries", "qrels", "output", "traces", "run"})


def apply_configuration(context: typer.Context, path: Path | None) -> Path | None:
    """Make the options of a configuration file the defaults of the command that is being read.

    Raises InputError where the file is missing or not TOML, UsageError for a key that is no option.
    """
    file = path or _nearest(Path.cwd())
    if file is None or context.resilient_parsing:
        return path
    root: Any = context.find_root().command
    commands = {name: _options(command) for name, command in root.commands.items()}
    name = context.command.name or ""
    table = _tables(file, commands)[name]
    context.default_map = {
        **(context.default_map or {}),
        **dict(_defaults(table, commands[name], file.parent)),
    }
    return path


def _nearest(folder: Path) -> Path | None:
    candidates = (parent / FILE_NAME for parent in (folder, *folder.parents))
    return next((file for file in candidates if file.is_file()), None)


def _options(command: Any) -> dict[str, str]:
    """The options of a command, as on the command line without the dashes -> the parameters they set."""
    return {
        name.removeprefix("--"): parameter.name
        for parameter in command.params
        if parameter.param_type_name == "option" and not parameter.is_eager
        for name in parameter.opts
        if name.startswith("--")
    }


def _tables(file: Path, commands: Mapping[str, Mapping[str, str]]) -> dict[str, dict[str, Any]]:
    """The file's table for every command. All unknown keys are told at once."""
    try:
        content = tomllib.loads(file.read_text(encoding="utf-8"))
    except OSError as error:
        raise InputError(f"the configuration {file} cannot be read: {error.strerror}") from None
    except (ValueError, RecursionError) as error:  # TOML's own error is a ValueError, and not the only one
        raise InputError(f"the configuration {file} is not TOML: {error}") from None
    problems = []
    for name, table in content.items():
        if name not in commands or not isinstance(table, dict):
            problems.append(f"[{name}] is no command{_hint(name, commands)}")
            continue
        problems += [
            f"[{name}] {key} is no option of rearank {name}{_hint(key, commands[name])}"
            for key in table
            if key.replace("_", "-") not in commands[name]
        ]
    if problems:
        raise UsageError(f"{file}: {'; '.join(problems)}")
    return {name: content.get(name, {}) for name in commands}


def _hint(word: str, known: Any) -> str:
    close = get_close_matches(word, known, 1)
    return f" (did you mean {close[0]}?)" if close else ""


def _defaults(
    table: Mapping[str, Any], options: Mapping[str, str], folder: Path
) -> Iterator[tuple[str, Any]]:
    """Parameter names and values, as the command line's parser takes them."""
    for key, value in table.items():
        name = options[key.replace("_", "-")]
        if name in _PATHS or (name == "family" and str(value).endswith(".toml")):
            yield name, value if value == "-" else str(folder / value)
        elif isinstance(value, dict):  # [rerank.engine-arg] with a key per line
            yield name, [f"{inner}={_as_typed(setting)}" for inner, setting in value.items()]
        else:
            yield name, value


def _as_typed(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
