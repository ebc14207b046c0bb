"""Where indexes are kept: built once, whole or not there, whoever else builds them at the same time."""

import hashlib
import json
import logging
import os
import re
import shutil
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict
from pathlib import Path
from typing import IO, TYPE_CHECKING

from rearank_cli.corpus.index import Index, IndexRecipe, build_index, load_index, recipe_of
from rearank_cli.corpus.locks import lock
from rearank_cli.errors import InputError, OutputError, UsageError
from rearank_cli.trec.outputs import sync_folder

if TYPE_CHECKING:
    from rearank_cli.corpus import Corpus

log = logging.getLogger("rearank")


def open_index(corpus: "Corpus", k1: float, b: float, folder: Path | None = None) -> Index:
    """The index of a corpus: the one that is kept, or a new one, kept for the next time.

    It is kept in `folder`, or in a folder of its own in the user's cache; where it cannot be kept
    after all, in memory. Raises InputError for documents that cannot be had, UsageError where
    `folder` cannot be taken, OutputError where nothing can be written there.
    """
    recipe = IndexRecipe(corpus.identity(), k1, b)
    if folder and recipe.source is None:
        raise UsageError(
            f"the index of {corpus.name} cannot be kept in {folder}, as only documents in a file can be "
            "known again; save them to one, or leave out --index"
        )
    place = Path(os.path.realpath(folder)) if folder else _own_place(recipe)
    if place is None:
        log.info("indexing %s in memory", corpus.name)
        return build_index(corpus.documents(), recipe, corpus.name)
    if recipe_of(place) == recipe:
        log.debug("the index of %s is in %s", corpus.name, place)
        return _load(place)
    return _build(corpus, recipe, place, ours=folder is None)


def _own_place(recipe: IndexRecipe) -> Path | None:
    """The folder of an index in the user's cache; None for a pipe's, and where there is no home."""
    if recipe.source is None:
        return None
    root = Path(os.environ.get("XDG_CACHE_HOME", ""))
    if not root.is_absolute():  # as the specification has it: also where it is empty
        try:
            root = Path.home() / ".cache"
        except RuntimeError:
            return None
    key = hashlib.sha256(json.dumps(asdict(recipe)).encode()).hexdigest()[:16]
    return root / "rearank" / "bm25" / key


def _check_free(place: Path, recipe: IndexRecipe) -> None:
    """Raise UsageError for a folder that is not ours to replace. Raises OSError."""
    kept = recipe_of(place)
    if kept is not None:
        raise UsageError(
            f"{place} holds an index of {kept.source} with k1 {kept.k1:g} and b {kept.b:g}, "
            f"not of {recipe.source} with k1 {recipe.k1:g} and b {recipe.b:g}; "
            "name another folder with --index, or delete that one"
        )
    # The index takes the place of the folder, so that it is there as a whole or not at all.
    if os.path.ismount(place):
        raise UsageError(
            f"{place} is a mount point, which cannot be replaced; name a folder in it with --index"
        )
    if place.exists() and place.samefile(os.curdir):
        raise UsageError(
            f"{place} is the current folder, which cannot be replaced; name a folder in it with --index"
        )
    if place.exists() and (not place.is_dir() or any(place.iterdir())):
        raise UsageError(
            f"{place} is no whole index of rearank; name another folder with --index, or delete it"
        )


def _build(corpus: "Corpus", recipe: IndexRecipe, place: Path, *, ours: bool) -> Index:
    """Build an index and keep it; in memory alone where that fails.

    A place that is not `ours` is never replaced, and nothing is built where it cannot be written.
    """
    index = None
    try:
        if not ours:
            _check_free(place, recipe)
        place.parent.mkdir(parents=True, exist_ok=True)
        with _one_builder(place):
            # While we waited, another process may have built this index, or another one.
            if recipe_of(place) == recipe:
                return _load(place)
            if not ours:
                _check_free(place, recipe)
            # Beside its place, from where it can be moved there at once.
            part = _beside(place)
            part.mkdir()
            try:
                log.info("indexing %s into %s", corpus.name, place)
                index = build_index(corpus.documents(), recipe, corpus.name)
                index.save(part, recipe)
                _move(part, place, replaces=ours)
            finally:
                shutil.rmtree(part, ignore_errors=True)
    except OSError as error:
        # numpy does not say why it wrote less than it should.
        why = error.strerror or f"{error}; is the disk full?"
        if index is None and not ours:
            raise OutputError(f"the index {place} cannot be written: {why}; name another folder") from error
        log.warning(
            "the index cannot be kept in %s (%s): it is in memory, and will be built again the next time; "
            "name %s folder with --index",
            place,
            why,
            "a" if ours else "another",
        )
        if index is None:
            index = build_index(corpus.documents(), recipe, corpus.name)
    return index


def _move(part: Path, place: Path, *, replaces: bool) -> None:
    """Give a finished folder its name, which an empty folder may have. Raises OSError.

    Whatever else is there makes way where the new one `replaces` it.
    """
    if replaces and place.exists():
        old = _beside(place)
        place.rename(old)
        part.rename(place)
        shutil.rmtree(old, ignore_errors=True)
    else:
        part.rename(place)
    with suppress(OSError):
        sync_folder(place.parent)


def _beside(place: Path) -> Path:
    """A new name for what is on its way to this place, or from it."""
    return place.with_name(f".{place.name}.{uuid.uuid4().hex[:8]}.part")


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
    path = place.with_name(f".{place.name}.lock")
    while True:
        with path.open("a") as file:
            if not lock(file, f"builds the index {place}"):
                # Two may build at once: in the cache the last one's stays, elsewhere the first one's.
                yield
                return
            if not _is_at(file, path):
                continue  # Who held it has removed it: the lock is now another file.
            try:
                _clear(place)
                yield
            finally:
                # Only its holder may, or two would hold two files of this name.
                with suppress(OSError):
                    path.unlink()
            return


def _is_at(file: IO[str], path: Path) -> bool:
    """Whether an open file is still the one of this name."""
    try:
        return os.path.samestat(os.fstat(file.fileno()), path.stat())
    except FileNotFoundError:
        return False


def _clear(place: Path) -> None:
    """Delete what killed processes left of this index; an index beside it may have a longer name."""
    left = re.compile(re.escape(f".{place.name}.") + r"[^.]+\.part")
    for path in place.parent.iterdir():
        if left.fullmatch(path.name):
            shutil.rmtree(path, ignore_errors=True)
