"""The library ir_datasets: imported late, kept quiet, preparing a dataset in one process at a time."""

import functools
import logging
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from rearank_cli.corpus.locks import lock
from rearank_cli.errors import InputError

log = logging.getLogger("rearank")


@functools.cache
def ir_datasets() -> Any:
    """The module. Its import makes a folder: IR_DATASETS_HOME, or ~/.ir_datasets.

    Raises InputError where that cannot be made.
    """
    if not sys.stderr.isatty():
        # tqdm reads this when it is imported.
        os.environ.setdefault("TQDM_DISABLE", "1")
    try:
        import ir_datasets as library
    except (OSError, RuntimeError) as error:
        raise InputError(
            f"ir_datasets cannot make its folder ({error}); "
            "set IR_DATASETS_HOME to a folder that can be written"
        ) from error
    if log.getEffectiveLevel() >= logging.INFO:
        # logger() before setLevel(): its first call sets the level itself.
        library.log.easy().logger().setLevel(logging.ERROR)
    return library


@contextmanager
def one_process_at_a_time() -> Iterator[None]:
    """Wait while another process prepares a dataset."""
    home = Path(ir_datasets().util.home_path())
    try:
        file = (home / "rearank.lock").open("a")
    except OSError:
        # A shared folder that only its owner can write: nothing is built there by us.
        yield
        return
    with file:
        if not lock(file, f"prepares a dataset in {home}"):
            log.info("%s cannot be locked; do not prepare one dataset twice at once", home)
        yield
