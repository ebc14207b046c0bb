"""`rearank.toml`: options for what a folder's experiments have in common, for all commands or for one."""

import tomllib
from collections.abc import Callable, Collection, Iterator, Mapping
from pathlib import Path
from typing import Any

import typer

from rearank_cli.errors import InputError, UsageError
from rearank_cli.words import did_you_mean

FILE_NAME = "rearank.toml"

READ = f"{__name__}.read"
"""In the context's `meta`: the file that was read."""

# A relative path in a configuration starts from the folder of the file.
_PATHS = frozenset({"docs", "queries", "qrels", "output", "traces", "index"})
# A file to some commands, and the name of one to others.
_PATHS_OF = {
    "merge": frozenset({"run"}),
    "report": frozenset({"runs"}),
    "train.data": frozenset({"from_traces"}),
    "train.config": frozenset({"training_data", "validation"}),
}

# What the file says gives way to what goes against it on the command line. Texts have one source.
_INSTEAD_OF = {
    "docs": "dataset",
    "queries": "dataset",
    "qrels": "dataset",
    "dataset": "docs",
    "overwrite": "resume",
    "resume": "overwrite",
}


def apply_configuration(context: typer.Context, path: Path | None) -> Path | None:
    """Make the options of a configuration file the defaults of the command that is being read.

    Options at the top of the file are for every command that has them; the command's own table wins.
    Raises InputError where the file is missing or not TOML, UsageError for a key that is no option.
    """
    if context.resilient_parsing:
        return path
    file = path or _nearest(_here())
    if file is None:
        return path
    root: Any = context.find_root().command
    commands = {name: options_of(command) for name, command in _commands(root)}
    name = _table_of(context)
    table = _tables(file, commands)[name]
    paths = _PATHS | _PATHS_OF.get(name, frozenset())
    defaults = dict(_defaults(table, commands[name], file.parent, paths))
    for parameter in context.command.params:
        # What can be given several times can also be given once.
        if getattr(parameter, "multiple", False) and isinstance(defaults.get(parameter.name), str):
            defaults[parameter.name] = [defaults[parameter.name]]
    instead_of = dict(_INSTEAD_OF)
    if "docs" not in commands[name]:
        # There a dataset is for its judgments; others beside it are those that are meant.
        instead_of["dataset"] = "qrels"
        if "qrels" in defaults:
            defaults.pop("dataset", None)
    for option, other in instead_of.items():
        if option in defaults:
            defaults[option] = _unless_given(context, other, defaults[option])
    context.default_map = {**(context.default_map or {}), **defaults}
    context.meta[READ] = str(file)
    return path


def on_command_line(context: typer.Context, parameter: str) -> bool:
    """Whether an option was given there, and not in a configuration or not at all."""
    return source_of(context, parameter) == "COMMANDLINE"


def source_of(context: typer.Context, parameter: str) -> str | None:
    """Where the value of a parameter is from; None where there is none yet."""
    source = context.get_parameter_source(parameter)
    return source.name if source else None


def _here() -> Path:
    try:
        return Path.cwd()
    except FileNotFoundError:
        raise InputError("the current folder was deleted; go to another one") from None


def _nearest(folder: Path) -> Path | None:
    candidates = (parent / FILE_NAME for parent in (folder, *folder.parents))
    return next((file for file in candidates if file.is_file()), None)


def _commands(group: Any, before: str = "") -> Iterator[tuple[str, Any]]:
    """All commands, by the names of their tables: `rerank`, and `train.data` of a group."""
    for name, command in group.commands.items():
        if hasattr(command, "commands"):
            yield from _commands(command, f"{before}{name}.")
        else:
            yield before + name, command


def _table_of(context: typer.Context) -> str:
    """The name of the table of the command that is being read."""
    names = []
    current: Any = context
    while current.parent is not None:
        names.append(current.command.name or "")
        current = current.parent
    return ".".join(reversed(names))


def options_of(command: Any) -> dict[str, str]:
    """The options of a command, as on the command line without the dashes -> the parameters they set."""
    return {
        name.removeprefix("--"): parameter.name
        for parameter in command.params
        if parameter.param_type_name == "option" and not parameter.is_eager
        for name in parameter.opts
        if name.startswith("--")
    }


def _tables(file: Path, commands: Mapping[str, Mapping[str, str]]) -> dict[str, dict[str, Any]]:
    """The options that the file has for every command. All unknown keys are told at once."""
    try:
        content = dict(_flat(tomllib.loads(file.read_text(encoding="utf-8")), commands))
    except OSError as error:
        raise InputError(f"the configuration {file} cannot be read: {error.strerror}") from None
    except (ValueError, RecursionError) as error:  # TOML's own error is a ValueError, and not the only one
        raise InputError(f"the configuration {file} is not TOML: {error}") from None
    problems = []
    shared: dict[str, Any] = {}
    everywhere = set().union(*commands.values())
    for name, table in content.items():
        if name in commands and isinstance(table, dict):
            problems += [
                f"[{name}] {key} is no option of rearank {name.replace('.', ' ')}{_hint(key, commands[name])}"
                for key in table
                if key.replace("_", "-") not in commands[name]
            ]
        elif isinstance(table, dict) or name in commands:
            problems.append(f"[{name}] is no command{_hint(name, commands)}")
        elif name.replace("_", "-") in everywhere:
            shared[name.replace("_", "-")] = table
        else:
            problems.append(f"{name} is no option of any command{_hint(name, everywhere)}")
    if problems:
        raise UsageError(f"{file}: {'; '.join(problems)}")
    return {
        name: {key: value for key, value in shared.items() if key in options} | content.get(name, {})
        for name, options in commands.items()
    }


def _flat(content: Mapping[str, Any], commands: Collection[str]) -> Iterator[tuple[str, Any]]:
    """The tables of a group's commands beside those of the others."""
    groups = {name.partition(".")[0] for name in commands if "." in name}
    for name, table in content.items():
        if name in groups and isinstance(table, dict):
            yield from ((f"{name}.{inner}", value) for inner, value in table.items())
        else:
            yield name, table


def _hint(word: str, known: Any) -> str:
    guess = did_you_mean(word, known)
    return f" ({guess})" if guess else ""


def _defaults(
    table: Mapping[str, Any], options: Mapping[str, str], folder: Path, paths: Collection[str]
) -> Iterator[tuple[str, Any]]:
    """Parameter names and values, as the command line's parser takes them."""
    for key, value in table.items():
        name = options[key.replace("_", "-")]
        if name in paths or (name == "family" and str(value).endswith(".toml")):
            yield name, _from(folder, value)
        elif isinstance(value, dict):  # [rerank.engine-arg] with a key per line
            yield name, [f"{inner}={_as_typed(setting)}" for inner, setting in value.items()]
        else:
            yield name, value


def _unless_given(context: typer.Context, other: str, value: object) -> Callable[[], object]:
    """A default that is none where another option is on the command line, which is read first."""

    def default() -> object:
        return None if on_command_line(context, other) else value

    return default


def _from(folder: Path, value: Any) -> Any:
    if isinstance(value, list):
        return [_from(folder, item) for item in value]
    return value if value == "-" else str(folder / str(value))


def _as_typed(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
