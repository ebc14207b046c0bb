"""The papers' tables, and the collections they are about, read from the TOML files beside this one."""

import tomllib
from collections.abc import Collection as Names
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from functools import cache
from pathlib import Path
from typing import Any

from rearank_cli.errors import UsageError

PAPERS = ("rearank", "reasonrank")
GROUPS = {"dl": "TREC DL", "beir": "BEIR", "bright": "BRIGHT"}
FIRST_STAGE = "first-stage"


@dataclass(frozen=True)
class Collection:
    """A collection of the papers' tables; `dataset` is its id in ir_datasets, `why` why it has none."""

    name: str
    title: str
    group: str
    queries: int
    dataset: str | None = None
    why: str = ""
    also: Sequence[str] = ()

    @property
    def part(self) -> str:
        """The part of the papers that it belongs to."""
        return "bright" if self.group == "bright" else "standard"


@dataclass(frozen=True)
class Part:
    """A table of a paper: where its numbers stand, and what they were measured with.

    `numbers` and `averages` have nDCG@10 x 100 by column (`first-stage`, or a model) and by collection or
    group; `elsewhere` has what others measured. `bm25`: the first stage is what `rearank retrieve` makes.
    """

    source: str
    first_stage: str
    bm25: bool
    options: Mapping[str, str]
    numbers: Mapping[str, Mapping[str, float]]
    averages: Mapping[str, Mapping[str, float]]
    elsewhere: Mapping[str, Mapping[str, float]]
    elsewhere_source: str = ""


@dataclass(frozen=True)
class Paper:
    """A paper, the family and model of its own, and its tables."""

    name: str
    title: str
    paper: str
    family: str
    model: str
    options: Mapping[str, Any]
    ours: str
    parts: Mapping[str, Part]
    notes: Sequence[tuple[Names[str], str]]

    @property
    def models(self) -> list[str]:
        """The models that it has numbers of."""
        columns = {column for part in self.parts.values() for column in (*part.numbers, *part.averages)}
        return sorted(columns - {FIRST_STAGE})

    def published(self, collection: Collection, column: str) -> float | None:
        """A number of its tables; None where it prints none."""
        return self.parts[collection.part].numbers.get(column, {}).get(collection.name)

    def average(self, group: str, column: str) -> float | None:
        """The average of a group, as printed; None where none is."""
        averages = (part.averages.get(column, {}).get(group) for part in self.parts.values())
        return next((average for average in averages if average is not None), None)

    def notes_on(self, collection: Collection) -> list[str]:
        return [text for names, text in self.notes if collection.name in names]


@cache
def collections() -> Mapping[str, Collection]:
    """All collections, by name, in the papers' order."""
    return {name: Collection(name, **table) for name, table in _load("collections").items()}


def find_collection(name: str) -> Collection:
    """A collection by its name, as this project or the authors' scripts spell it. Raises UsageError."""
    spelled = name.strip().lower().replace("_", "-")
    spellings = {word: each for each in collections().values() for word in (each.name, *each.also)}
    if spelled not in spellings:
        close = get_close_matches(spelled, spellings, 1)
        hint = f"did you mean {close[0]}?" if close else f"there are {', '.join(collections())}"
        raise UsageError(f"{name} is no collection of the papers' tables; {hint}")
    return spellings[spelled]


def load_paper(name: str) -> Paper:
    """The tables of a paper. Raises UsageError for a name that is none."""
    if name not in PAPERS:
        close = get_close_matches(name, PAPERS, 1)
        raise UsageError(
            f"the tables of {name} are not here; "
            + (f"did you mean {close[0]}?" if close else f"there are those of {' and '.join(PAPERS)}")
        )
    tables = _load(name)
    parts = {part: _part(tables.pop(part)) for part in ("standard", "bright")}
    notes = [(tuple(note["collections"]), note["text"]) for note in tables.pop("notes")]
    return Paper(name, **tables, parts=parts, notes=notes)


def _part(table: dict[str, Any]) -> Part:
    elsewhere = dict(table.pop("elsewhere", {}))
    source = elsewhere.pop("source", "")
    return Part(**table, elsewhere=elsewhere, elsewhere_source=source)


def _load(name: str) -> dict[str, Any]:
    return tomllib.loads((Path(__file__).with_name(f"{name}.toml")).read_text(encoding="utf-8"))
