"""What a shell offers for the value of an option.

It waits for this at every press of the tab key: nothing is imported but what reads a file.
"""

import json
import re
import tomllib
from collections.abc import Iterator
from contextlib import suppress
from importlib.resources import files
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from rearank_cli.commands.configuration import FILE_NAME

_ZSH = "compdef %(complete_func)s %(prog_name)s"


def mend_zsh() -> None:
    """Have the tab key complete at its first press.

    zsh runs typer's file when the key is first pressed, which then only says what is to be done at
    the second. Where typer keeps its files elsewhere, they stay as they are.
    """
    with suppress(ImportError, KeyError):
        from typer._completion_shared import _completion_scripts as scripts

        loaded = '[[ "$funcstack[1]" != _%(prog_name)s ]] || %(complete_func)s "$@"'
        scripts["zsh"] = scripts["zsh"].replace(_ZSH, f"{_ZSH}\n{loaded}")


def families(incomplete: str) -> list[tuple[str, str]]:
    """The families with their titles, and the family files of this folder."""
    known = [(name, family["title"]) for name, family in _families()]
    own = [(path.name, "a family file") for path in sorted(Path().glob("*.toml")) if path.name != FILE_NAME]
    return [offer for offer in (*known, *own) if offer[0].startswith(incomplete)]


def models(incomplete: str) -> list[tuple[str, str]]:
    """The models that a family lists, with the family."""
    listed = {model: name for name, family in _families() for model in family.get("models", {})}
    return [(model, name) for model, name in listed.items() if model.startswith(incomplete)]


def methods(incomplete: str) -> list[str]:
    """How calls can be arranged."""
    from rearank_cli.commands.rerank import METHODS

    return _beginning(METHODS.split(", "), incomplete)


def tracks(incomplete: str) -> list[str]:
    """The tracks whose limits are known."""
    from rearank_cli.commands.check import TRACKS

    return _beginning(TRACKS.split(", "), incomplete)


def measured_tracks(incomplete: str) -> list[str]:
    """The tracks whose measures are known."""
    from rearank_cli.evaluation.tracks import MEASURES_OF_TRACKS

    return _beginning(list(MEASURES_OF_TRACKS), incomplete)


def fusions(incomplete: str) -> list[str]:
    """The ways to fuse."""
    from rearank_cli.commands.fuse import METHODS

    return _beginning(re.findall(r"[a-z_]+(?=[,;] | \()", METHODS), incomplete)


def measures(incomplete: str) -> list[tuple[str, str]]:
    """The measures with a usual cut-off, and what they are."""
    from rearank_cli.evaluation.measures import FORMULAS

    offers = []
    for formula in FORMULAS:
        usual = ("@10", "@100") if f"{formula.name}@k" in formula.spellings else ("",)
        offers += [(formula.name + cutoff, formula.sentence) for cutoff in usual]
    return [offer for offer in offers if offer[0].startswith(incomplete)]


def datasets(incomplete: str) -> list[str]:
    """The collections of ir_datasets that have queries and documents."""
    return _beginning(_datasets("docs", "queries"), incomplete)


def judged_datasets(incomplete: str) -> list[str]:
    """The collections of ir_datasets that have judgments."""
    return _beginning(_datasets("qrels"), incomplete)


def _beginning(words: list[str], incomplete: str) -> list[str]:
    return [word for word in words if word.startswith(incomplete)]


def _families() -> Iterator[tuple[str, dict[str, Any]]]:
    # The files alone: to import what checks them takes longer than all the rest.
    folder = files("rearank_cli").joinpath("families")
    for file in sorted(folder.iterdir(), key=lambda file: file.name):
        if file.name.endswith(".toml"):
            yield file.name.removesuffix(".toml"), tomllib.loads(file.read_text(encoding="utf-8"))


def _datasets(*kinds: str) -> list[str]:
    """The ids of the collections that have all of these, from the library's own list.

    To import the library takes longer, and makes a folder.
    """
    library = find_spec("ir_datasets")
    if library is None or library.origin is None:
        return []
    try:
        described = json.loads((Path(library.origin).parent / "etc" / "metadata.json").read_bytes())
    except (OSError, ValueError):
        return []
    return [name for name, entities in described.items() if all(kind in entities for kind in kinds)]
