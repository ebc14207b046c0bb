"""The pace of a job: how fast it went of late, and how long the rest will take."""

from collections import deque
from typing import NamedTuple

from rearank_cli.reranking.tally import Tally

# What is of late, in seconds; where calls take long, as much longer as it takes to see so many of them.
_RECENT = 60.0
_ENOUGH = 10
# With fewer calls than this nothing can be said of the rest.
_FEWEST = 3


class _Seen(NamedTuple):
    """What a tally said at a moment, of this attempt alone."""

    at: float
    calls: int
    prompt_tokens: int
    completion_tokens: int
    seconds: float


class Pace:
    """Remembers what a tally said, from the moment `at` when nothing was done, in seconds of any clock.

    Calls that were taken from traces took no time, and say nothing of how long others will take.
    """

    def __init__(self, at: float) -> None:
        self._seen = deque([_Seen(at, 0, 0, 0, 0.0)])
        self._now = self._seen[0]
        self._calls_left = 0

    def note(self, at: float, tally: Tally) -> None:
        """Look at the tally again."""
        asked = tally.calls - tally.reused
        self._now = _Seen(at, asked, tally.prompt_tokens, tally.completion_tokens, tally.seconds)
        self._calls_left = tally.calls_left
        if self._now[1:] != self._seen[-1][1:]:
            self._seen.append(self._now)
        while len(self._seen) > 1 and self._is_enough_since(self._seen[1]):
            self._seen.popleft()

    def _is_enough_since(self, seen: _Seen) -> bool:
        return self._now.at - seen.at >= _RECENT and self._now.calls - seen.calls >= _ENOUGH

    @property
    def prompt_tokens(self) -> float:
        """Tokens in, per second."""
        return self._per_second(self._now.prompt_tokens - self._seen[0].prompt_tokens)

    @property
    def completion_tokens(self) -> float:
        """Tokens out, per second."""
        return self._per_second(self._now.completion_tokens - self._seen[0].completion_tokens)

    def _per_second(self, count: float) -> float:
        took = self._now.at - self._seen[0].at
        return count / took if took > 0 else 0.0

    def left(self, in_flight: int) -> float | None:
        """About how many seconds are left, with so many requests in flight; None where that is not known."""
        calls = self._now.calls - self._seen[0].calls
        if calls < _FEWEST:
            return None
        took = self._now.at - self._seen[0].at
        if in_flight:
            # Towards the end few queries are left, each waiting for one answer after another: the same
            # calls take longer then than they did when many were asked at once.
            took = max(took, (self._now.seconds - self._seen[0].seconds) / in_flight)
        return self._calls_left * took / calls
