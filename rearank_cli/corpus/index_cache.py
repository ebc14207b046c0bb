"""Where indexes are kept: built once, whole or not there, whoever else builds them at the same time."""

import fcntl
import hashlib
import json
import logging
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

from rearank_cli.corpus.index import Index, Recipe, build_index, load_index, recipe_of
from rearank_cli.errors import InputError, OutputError, UsageError
from rearank_cli.trec.outputs import sync_folder

if TYPE_CHECKING:
    from rearank_cli.corpus import Corpus

log = logging.getLogger("rearank")


def open_index(corpus: "Corpus", k1: float, b: float, folder: Path | None = None) -> Index:
    """The index of a corpus: the one that is kept, or a new one, kept for the next time.

    It is kept in `folder`, or in a folder of its own in the user's cache; where the cache cannot be
    written, in memory. Raises InputError for documents that cannot be had, UsageError where `folder`
    holds something else, OutputError where it cannot be written.
    """
    recipe = Recipe(corpus.identity(), k1, b)
    place = folder or _own_place(recipe)
    if place is None or (recipe.source is None and folder is None):
        log.info("indexing %s in memory", corpus.name)
        return build_index(corpus.documents(), recipe, corpus.name)
    kept = recipe_of(place)
    if kept != recipe or recipe.source is None:
        if folder:
            _check_free(folder, kept, recipe)
        return _build(corpus, recipe, place, must_be_kept=folder is not None)
    log.debug("the index of %s is in %s", corpus.name, place)
    return _load(place)


def _own_place(recipe: Recipe) -> Path | None:
    """The folder of an index in the user's cache; None where there is no home."""
    root = Path(os.environ.get("XDG_CACHE_HOME", ""))
    if not root.is_absolute():  # as the specification has it: also where it is empty
        try:
            root = Path.home() / ".cache"
        except RuntimeError:
            return None
    key = hashlib.sha256(json.dumps(asdict(recipe)).encode()).hexdigest()[:16]
    return root / "rearank" / "bm25" / key


def _check_free(folder: Path, kept: Recipe | None, recipe: Recipe) -> None:
    """Raise UsageError for a folder that holds something which is not ours to replace."""
    if kept is not None and kept != recipe:
        raise UsageError(
            f"{folder} holds an index of {kept.source} with k1 {kept.k1:g} and b {kept.b:g}, "
            f"not of {recipe.source} with k1 {recipe.k1:g} and b {recipe.b:g}; "
            "name another folder with --index, or delete that one"
        )
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise UsageError(
            f"{folder} is no whole index of rearank; name another folder with --index, or delete it"
        )


def _build(corpus: "Corpus", recipe: Recipe, place: Path, *, must_be_kept: bool) -> Index:
    """Build an index and keep it; in memory alone where it cannot be kept, unless it must be."""
    index = None
    try:
        place.parent.mkdir(parents=True, exist_ok=True)
        # Beside its place, from where it can be moved there at once.
        with _one_builder(place):
            if recipe.source is not None and recipe_of(place) == recipe:
                return _load(place)  # while we waited, another process built it
            part = Path(tempfile.mkdtemp(prefix=f".{place.name}.", suffix=".part", dir=place.parent))
            try:
                log.info("indexing %s into %s", corpus.name, place)
                index = build_index(corpus.documents(), recipe, corpus.name)
                index.save(part, recipe)
                _move(part, place)
            finally:
                shutil.rmtree(part, ignore_errors=True)
    except OSError as error:
        why = f"{error.strerror or error}"
        if must_be_kept:
            raise OutputError(f"the index {place} cannot be written: {why}; name another folder") from error
        log.warning(
            "the index cannot be kept in %s (%s): it is in memory, and will be built again the next time; "
            "name a folder with --index",
            place.parent,
            why,
        )
        index = index or build_index(corpus.documents(), recipe, corpus.name)
    return index


def _move(part: Path, place: Path) -> None:
    """Give a finished folder its name, whatever was there before. Raises OSError."""
    part.chmod(0o755)
    if place.exists():
        old = Path(tempfile.mkdtemp(prefix=f".{place.name}.", suffix=".part", dir=place.parent))
        place.rename(old / "old")
        part.rename(place)
        shutil.rmtree(old, ignore_errors=True)
    else:
        part.rename(place)
    with suppress(OSError):
        sync_folder(place.parent)


def _load(place: Path) -> Index:
    try:
        return load_index(place)
    except (OSError, ValueError, KeyError) as error:
        raise InputError(
            f"the index {place} is damaged ({error}); delete that folder to build it anew"
        ) from error


@contextmanager
def _one_builder(place: Path) -> Iterator[None]:
    """Wait while another process builds the same index; clear away what killed ones left. Raises OSError."""
    lock = place.with_name(f".{place.name}.lock")
    with lock.open("a") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            log.info("waiting for another process that builds the index %s", place)
            fcntl.flock(file, fcntl.LOCK_EX)
        except OSError:
            # Some network file systems have no locks: two may build at once, and the last one's stays.
            yield
            return
        for left in place.parent.glob(f".{place.name}.*.part"):
            shutil.rmtree(left, ignore_errors=True)
        yield
        # Whoever waits for it, or makes a new one, finds the index first.
        lock.unlink(missing_ok=True)
