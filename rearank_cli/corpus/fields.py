"""Which field of a record holds its id, its text and its title."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

Record = Mapping[str, Any]


class RecordError(Exception):
    """What is wrong with a record; who knows its file and line says where."""


@dataclass(frozen=True, slots=True)
class Fields:
    """The names a kind of record goes by; where a record has several, the first counts."""

    ids: tuple[str, ...]
    texts: tuple[str, ...]
    titles: tuple[str, ...] = ()

    @property
    def names(self) -> frozenset[str]:
        return frozenset((*self.ids, *self.texts, *self.titles))


DOCUMENT = Fields(
    ids=("_id", "id", "doc_id", "docid", "docno", "pid"),
    texts=("text", "contents", "content", "body", "passage", "segment", "abstract"),
    titles=("title",),
)
QUERY = Fields(
    ids=("_id", "id", "query_id", "qid"),
    texts=("text", "query", "title", "contents"),
)


def find_id(record: Record, names: Sequence[str]) -> str:
    """The id, an integer as its decimal digits. Raises RecordError where there is none."""
    for name in names:
        value = record.get(name)
        if value is None:
            continue
        if isinstance(value, str):
            return value
        if type(value) is int:
            return str(value)
        raise RecordError(f'"{name}" is {_kind(value)}, expected a string or an integer')
    raise RecordError(f"no id; expected one of the fields {', '.join(names)}")


def find_text(record: Record, names: Sequence[str]) -> str | None:
    """The first of these fields that is not blank. Raises RecordError where it is no string."""
    for name in names:
        value = record.get(name)
        if value is None:
            continue
        if not isinstance(value, str):
            raise RecordError(f'"{name}" is {_kind(value)}, expected a string')
        if value and not value.isspace():
            return value
    return None


def _kind(value: object) -> str:
    match value:
        case bool():
            return "true or false"
        case int() | float():
            return "a number"
        case list():
            return "a list"
        case _:
            return "an object"
