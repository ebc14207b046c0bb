"""What runs are called beside each other."""

from collections.abc import Sequence
from pathlib import Path


def name_runs(paths: Sequence[str]) -> list[str]:
    """A name for each run file: its file name, with as much of its path as tells it from the others.

    A file that is there again is called `name (2)`.
    """
    different = {Path(path) for path in paths}
    names: list[str] = []
    for path in map(Path, paths):
        name = again = _shortest(path, different - {path})
        count = 1
        while again in names:
            count += 1
            again = f"{name} ({count})"
        names.append(again)
    return names


def _shortest(path: Path, others: set[Path]) -> str:
    for length in range(1, len(path.parts)):
        tail = path.parts[-length:]
        if all(other.parts[-length:] != tail for other in others):
            return str(Path(*tail))
    return str(path)
