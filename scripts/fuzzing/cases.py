"""Cases: each is tried in bounded time, and what came of it is counted."""

import logging
import signal
import traceback
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple


class WrongError(Exception):
    """Something that must not be."""


class HangError(BaseException):
    """A case that took too long. Not an Exception: nothing below may take it for a bad input."""


def expect(condition: object, problem: str) -> None:
    """Raise WrongError unless a condition holds."""
    if not condition:
        raise WrongError(problem)


class Kind(NamedTuple):
    """Something to fuzz: how many cases in full, and for a taste; and how many seconds one may take."""

    check: Callable[[int], str]
    full: int
    short: int
    seconds: float = 10


class Failure(NamedTuple):
    case: int
    problem: str


class Outcome(NamedTuple):
    """What came of some cases: how often each result, and the failures."""

    results: Counter[str]
    failures: list[Failure]


def try_cases(kind: Kind, first: int, count: int) -> Outcome:
    """Try the cases from `first` on, in this process."""
    logging.getLogger("rearank").setLevel(logging.CRITICAL)
    results: Counter[str] = Counter()
    failures = []
    for case in range(first, first + count):
        try:
            with _time_limit(kind.seconds):
                results[kind.check(case)] += 1
        except WrongError as error:
            failures.append(Failure(case, str(error)))
        except (Exception, HangError) as error:  # noqa: BLE001  # that is what is looked for
            # What was interrupted stands above the function that gave up.
            place = traceback.extract_tb(error.__traceback__)[-2 if isinstance(error, HangError) else -1]
            problem = f"{type(error).__name__}: {error} ({Path(place.filename).name}:{place.lineno})"
            failures.append(Failure(case, problem))
    return Outcome(results, failures)


@contextmanager
def _time_limit(seconds: float) -> Iterator[None]:
    def give_up(*_: object) -> None:
        raise HangError(f"not done after {seconds} seconds")

    before = signal.signal(signal.SIGALRM, give_up)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
