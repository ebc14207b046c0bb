"""What is asked for, and what a result depends on."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from rearank_cli.errors import InputError, UsageError
from rearank_cli.trec.outputs import open_output
from rearank_cli.trec.streams import open_input
from scripts.reproduction import words
from scripts.reproduction.published import Collection, Paper

DEPTH = 100
_FILES = ("result.json", "reranked.trec", "traces.jsonl", "first.trec")


@dataclass(frozen=True)
class Asking:
    """What is done with every collection: the paper, what reranks, and where everything goes."""

    paper: Paper
    model: str
    engine: str
    folder: Path
    passed_on: Sequence[str] = ()
    first_stages: Mapping[str, Path] = field(default_factory=dict)
    folders: Mapping[str, Path] = field(default_factory=dict)
    overwrite: bool = False

    def place(self, collection: Collection) -> Path:
        return self.folder / self.paper.name / collection.name

    def texts(self, collection: Collection) -> list[str]:
        """The options that name the collection's texts; none where they cannot be had."""
        if collection.name in self.folders:
            return ["--docs", str(self.folders[collection.name])]
        return ["--dataset", collection.dataset] if collection.dataset else []

    def first_stage(self, collection: Collection) -> str:
        given = self.first_stages.get(collection.name)
        return str(given) if given else f"BM25 (rearank retrieve), top {DEPTH}"

    def escapes(self, collection: Collection) -> bool:
        """Whether ids in runs are written with %20 for spaces: some of BRIGHT's have them."""
        return bool(self.paper.parts[collection.part].options.get("escape-ids"))

    def reranking(self, collection: Collection) -> list[str]:
        """The options of `rearank rerank`, less files."""
        asked = ["--model", self.model, "--engine", self.engine]
        # A checkpoint of one's own is asked as the paper's model is.
        if self.model not in self.paper.models and "--family" not in self.passed_on:
            asked += ["--family", self.paper.family]
        options = {**self.paper.options, **self.paper.parts[collection.part].options}
        return [*asked, *words.as_words(options, self.passed_on), *self.passed_on]

    def settings(self, collection: Collection) -> dict[str, Any]:
        """What its result depends on: a finished result of other settings is not taken for this one's."""
        given = self.first_stages.get(collection.name)
        return {
            "texts": " ".join(self.texts(collection)),
            "first stage": _digest(given) if given else f"bm25, top {DEPTH}",
            "reranking": words.that_matter(self.reranking(collection)),
        }


def agreed_settings(asking: Asking, collection: Collection) -> dict[str, Any]:
    """The settings of a collection; what is there of others is removed with `overwrite`, else refused.

    Raises UsageError naming what differs.
    """
    place, settings = asking.place(collection), asking.settings(collection)
    before = read_json(place / "settings.json")
    if not asking.overwrite:
        if before == settings:
            return settings
        if before is not None:
            raise UsageError(
                f"{place} was made with other settings ({_differences(before, settings)}); "
                "give another folder with -o, or --overwrite to do it again"
            )
        if strangers := [name for name in _FILES if (place / name).exists()]:
            raise UsageError(
                f"{place / strangers[0]} is not of this script; give another folder with -o, "
                "or --overwrite to replace it"
            )
    # The mark that it is finished goes first, the settings last: whenever this is cut short, what is left
    # is never taken for the result of other settings.
    for name in (*_FILES, "settings.json"):
        (place / name).unlink(missing_ok=True)
    return settings


def is_finished(asking: Asking, collection: Collection) -> bool:
    """Whether its result is there, of these settings."""
    result = read_json(asking.place(collection) / "result.json")
    return result is not None and result["settings"] == asking.settings(collection)


def _differences(before: Mapping[str, Any], now: Mapping[str, Any]) -> str:
    told = []
    for name in now:
        old, new = before.get(name), now[name]
        if isinstance(old, list):
            told += [f"{word} then" for word in old if word not in new]
            told += [f"{word} now" for word in new if word not in old]
        elif old != new:
            told.append(f"another {name}")
    return ", ".join(told)


def read_json(path: Path) -> Any:
    """A file of this script; None where there is none. Raises InputError where it is damaged."""
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None
    except (OSError, ValueError):
        raise InputError(f"{path} cannot be read; remove it, to have it made again") from None


def write_json(path: Path, content: object) -> None:
    with open_output(path) as file:
        file.write(json.dumps(content, indent=2).encode() + b"\n")


def _digest(path: Path) -> str:
    digest = hashlib.sha256()
    with open_input(path) as file:
        while block := file.read(2**20):
            digest.update(block)
    return digest.hexdigest()
