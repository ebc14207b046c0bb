"""What a Python program gives `rerank`, made into what the command line would have made of it."""

import numbers
import os
from collections.abc import Iterable, Mapping
from dataclasses import fields
from pathlib import Path
from types import UnionType
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

from rearank_cli.errors import UsageError
from rearank_cli.reranking.options import RerankOptions
from rearank_cli.words import did_you_mean

# Words of the command line that name something else in the program.
_RENAMED = {"settings": "set", "engine_args": "engine_arg", "forced_finish": "no_forced_finish"}
_FIELDS = {_RENAMED.get(field.name, field.name): field.name for field in fields(RerankOptions)}

OPTIONS = frozenset(_FIELDS)
"""The options by their words on the command line, with _ for -."""


def as_options(given: Mapping[str, Any]) -> RerankOptions:
    """The options; None is what was not given. Raises UsageError for words that are none, and wrong types."""
    problems = []
    if unknown := sorted(given.keys() - OPTIONS):
        named = ", ".join(f"{word}{_hint(word)}" for word in unknown)
        problems.append(f"rerank() has no option {named}; see rearank rerank --help")
    hints = get_type_hints(RerankOptions)
    values = {}
    for word in sorted(given.keys() & OPTIONS):
        if given[word] is not None:
            name = _FIELDS[word]
            try:
                values[name] = _converted(name, given[word], hints[name])
            except TypeError as error:
                problems.append(f"{word} is {given[word]!r:.60}, and must be {error}")
    if problems:
        raise UsageError("; ".join(problems))
    return RerankOptions(**values)


def _hint(word: str) -> str:
    if word == "qrels":
        return " (judgments are for evaluate())"
    guess = did_you_mean(word, OPTIONS)
    return f" ({guess})" if guess else ""


def _converted(name: str, value: Any, hint: Any) -> Any:
    """The value as the program has it. Raises TypeError with what it must be."""
    match name:
        case "engine":  # whoever looks for its methods tells what is wrong
            return value
        case "forced_finish":
            return not _checked(value, (bool,))
        case "query":
            queries = [value] if isinstance(value, str) else value
            if not isinstance(queries, Iterable) or not all(isinstance(query, str) for query in queries):
                raise TypeError("a list of query ids, each a str")
            return tuple(queries)
        case "settings" | "engine_args":
            pairs = _checked(value, (Mapping,))
            return {
                key: str(setting).lower() if isinstance(setting, bool) else str(setting)
                for key, setting in pairs.items()
            }
    parts = get_args(hint) if get_origin(hint) in (Union, UnionType) else (hint,)
    return _checked(value, tuple(_plain(part) for part in parts))


def _plain(hint: Any) -> type:
    """The type behind an annotation. Of choices the options' own check tells."""
    origin = get_origin(hint)
    kind: type = str if origin is Literal else origin or hint
    return kind


_KINDS: Mapping[type, tuple[str, Any]] = {
    bool: ("True or False", bool),
    int: ("a whole number", numbers.Integral),
    float: ("a number", numbers.Real),
    str: ("a str", str),
    Path: ("a path", (str, os.PathLike)),
    Mapping: ("a mapping", Mapping),
}


def _checked(value: Any, kinds: tuple[type, ...]) -> Any:
    """The value as one of these kinds. Raises TypeError with their names."""
    named = []
    for kind in kinds:
        if kind not in _KINDS:  # None
            continue
        name, accepted = _KINDS[kind]
        named.append(name)
        if isinstance(value, accepted) and (kind is bool or not isinstance(value, bool)):
            return value if isinstance(value, Mapping) else kind(value)
    raise TypeError(" or ".join(named))
