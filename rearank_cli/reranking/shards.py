"""Shards: a part of a run's queries for each task of a job array."""

import re
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple, TypeVar

from rearank_cli.trec.streams import without_compression_suffix

Item = TypeVar("Item")

_PATTERN = re.compile(r"([0-9]{1,9})/([0-9]{1,9})")


class Shard(NamedTuple):
    """The `number`-th, from 1, of `total` shards."""

    number: int
    total: int

    def select(self, items: Sequence[Item]) -> list[Item]:
        """Items I, I+N, I+2N ..., counted from 1."""
        return list(items[self.number - 1 :: self.total])

    def name(self, path: Path, suffixes: frozenset[str]) -> Path:
        """The file's name for this shard: `.2-of-4` before its suffix, where that is one of `suffixes`.

        A suffix of compression stays behind it; a name that has the shard already stays as it is.
        """
        mark = f".{self.number}-of-{self.total}"
        plain = without_compression_suffix(path)
        compression = path.name.removeprefix(plain.name)
        suffix = plain.suffix if plain.suffix in suffixes else ""
        stem = plain.name.removesuffix(suffix)
        return path if stem.endswith(mark) else path.with_name(f"{stem}{mark}{suffix}{compression}")


def parse_shard(given: str) -> Shard | None:
    """Read `I/N`; None where it is no shard."""
    if not (match := _PATTERN.fullmatch(given)):
        return None
    shard = Shard(int(match[1]), int(match[2]))
    return shard if 1 <= shard.number <= shard.total else None
