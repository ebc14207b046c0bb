"""A lock that one process holds while others wait."""

import fcntl
import logging
from typing import IO, Any

log = logging.getLogger("rearank")


def lock(file: IO[Any], other: str) -> bool:
    """Lock an open file until it is closed, and say so where the `other` process has to be waited for.

    False where the file system has no locks, as some network file systems.
    """
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        log.info("waiting for another process that %s", other)
        fcntl.flock(file, fcntl.LOCK_EX)
    except OSError:
        return False
    return True
