"""The documents of a dataset, looked up by id: the store of ir_datasets, with its traps fenced off."""

import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from rearank_cli.corpus.library import ir_datasets, one_process_at_a_time
from rearank_cli.errors import InputError


class DocumentStore:
    """One dataset's store, opened at the first look-up."""

    def __init__(self, dataset: Any) -> None:
        self._dataset = dataset
        self._store: Any = None
        # A store has one file position: threads that share it get each other's documents.
        self._lock = threading.Lock()

    def get_many(self, doc_ids: Sequence[str]) -> dict[str, Any]:
        """The documents that are there, by the id that each of them states.

        Asked for an id longer than all of its own, a store cuts it and returns the document of the
        shorter id; so the id to trust is the document's. Raises InputError for a damaged store, and
        whatever ir_datasets raises when it cannot fetch the documents.
        """
        with self._lock:
            if self._store is not None:
                return _look_up(self._store, doc_ids)
            # The first look-up downloads, and builds the store. Two processes doing that at once leave
            # a damaged one (ir_datasets issue 228).
            with one_process_at_a_time():
                store = self._dataset.docs_store()
                if _index_is_cut_short(store):
                    raise _damaged(store)
                found = _look_up(store, doc_ids)
            self._store = store
            return found


def _look_up(store: Any, doc_ids: Sequence[str]) -> dict[str, Any]:
    try:
        found: dict[str, Any] = store.get_many(doc_ids)
    except Exception as error:
        is_of_the_machine = isinstance(error, OSError | MemoryError) and not isinstance(
            error, FileNotFoundError
        )
        if _is_built(store) and not is_of_the_machine:
            raise _damaged(store) from error
        raise
    if not found and _is_built(store) and not _finds_its_first(store):
        raise _damaged(store)
    return found


def _is_built(store: Any) -> bool:
    return isinstance(store, ir_datasets().indices.PickleLz4FullStore) and store.built()


def _index_is_cut_short(store: Any) -> bool:
    """Whether the index was begun and not finished: its description is the last file that is written."""
    return _is_built(store) and any(
        not keys.with_suffix(".meta").exists() for keys in Path(store.path).glob("idx.*.key")
    )


def _finds_its_first(store: Any) -> bool:
    """Whether the first document is in the index; killed just before it was begun, a store has none."""
    first = next(iter(store))
    return bool(store.get_many([first.doc_id]))


def _damaged(store: Any) -> InputError:
    return InputError(
        f"the document store {store.path} looks damaged (perhaps a program was killed while it built it); "
        "delete that folder, and run this again to build it anew"
    )
