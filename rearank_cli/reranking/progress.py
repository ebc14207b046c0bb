"""Progress: how far a job has come, for whoever wants to look at it now and then."""

import asyncio
import contextlib
import logging
import time
from collections.abc import AsyncIterator, Awaitable
from dataclasses import dataclass
from typing import Protocol, TypeVar

from rearank_cli.reranking.pace import Pace
from rearank_cli.reranking.slots import Slots
from rearank_cli.reranking.stopping import Stop
from rearank_cli.reranking.tally import Tally
from rearank_cli.words import counted, duration

log = logging.getLogger("rearank")

Result = TypeVar("Result")

LOADING = "loading the model"
REACHING = "reaching the server"
FETCHING = "fetching texts"
CLOSING = "closing the engine"


@dataclass(frozen=True)
class Progress:
    """How far a job has come at one moment.

    `busy_with` is what is done before anything can be asked, and after all is: nothing while the `runs`,
    each with its name, are reranked. `about` says that answers decide how many calls there are.
    `seconds` are those since this part of the job began. Tokens in and out are per second, of late, as
    `seconds_left` goes by the pace of late; None is not known.
    """

    busy_with: tuple[str, ...]
    runs: tuple[tuple[str, Tally], ...] = ()
    about: bool = False
    stopping: bool = False
    in_flight: int = 0
    seconds: float = 0.0
    tokens_in: float = 0.0
    tokens_out: float = 0.0
    seconds_left: float | None = None

    @property
    def total(self) -> Tally:
        """The runs together."""
        return sum((tally for _, tally in self.runs), Tally())

    def calls_of(self, tally: Tally) -> str:
        """`180 of about 387 calls`."""
        about = "about " if self.about and tally.calls_left else ""
        return f"{tally.calls:,} of {about}{counted(tally.calls + tally.calls_left, 'call')}"

    @property
    def speed(self) -> str:
        """`3,120 tokens/s in, 410 out`; empty where nobody tells of tokens."""
        if not self.tokens_in and not self.tokens_out:
            return ""
        return f"{self.tokens_in:,.0f} tokens/s in, {self.tokens_out:,.0f} out"

    @property
    def time(self) -> str:
        """`5 min 00 s gone, about 4 min 10 s left`."""
        if self.seconds_left is None:
            return f"{duration(self.seconds)} gone, time left not known yet"
        return f"{duration(self.seconds)} gone, about {duration(self.seconds_left)} left"

    @property
    def sentence(self) -> str:
        """All of it in one line."""
        if self.busy_with:
            return f"still {' and '.join(self.busy_with)}, after {duration(self.seconds)}"
        total = self.total
        whose = self.runs[0][0] if len(self.runs) == 1 else counted(len(self.runs), "run")
        queries = f"{total.queries:,} of {counted(total.queries + total.queries_left, 'query', 'queries')}"
        calls = self.calls_of(total)
        if total.calls:
            calls += f" ({total.outcomes})"
        return ", ".join(filter(None, [f"{whose}: {queries}", calls, self.speed, self.time]))


class Observer(Protocol):
    """Is shown the progress of a job, every so many seconds, by the event loop that the job runs in."""

    @property
    def every(self) -> float: ...

    def look(self, progress: Progress) -> None: ...

    def leave(self) -> None:
        """Look no more: the job is over, or nearly, well or badly. What it says next is not progress."""


class EachMinute:
    """Says how far a job has come in one line a minute, as any other message."""

    every = 60.0

    def look(self, progress: Progress) -> None:
        log.info("%s", progress.sentence)

    def leave(self) -> None:
        pass


class Course:
    """What a job is at, from which its progress is told; nothing is computed until someone looks."""

    def __init__(self, stop: Stop, *, about: bool) -> None:
        self._stop = stop
        self._about = about
        self._busy_with: list[str] = []
        self._began = time.monotonic()
        self._runs: list[tuple[str, Tally]] = []
        self._slots: Slots | None = None
        self._pace = Pace(self._began)

    async def busy(self, what: str, work: Awaitable[Result]) -> Result:
        """Await a part of what comes before all requests, or after them."""
        if not self._busy_with:
            self._began = time.monotonic()
        self._busy_with.append(what)
        try:
            return await work
        finally:
            self._busy_with.remove(what)

    def begin(self, slots: Slots) -> None:
        """All is prepared: from now on the slots are given to requests."""
        self._slots = slots
        self._began = time.monotonic()
        self._pace = Pace(self._began)

    def tally(self, name: str) -> Tally:
        """The tally of a run that is begun now."""
        tally = Tally()
        self._runs.append((name, tally))
        return tally

    def now(self) -> Progress:
        """How far it has come."""
        at = time.monotonic()
        counted_yet = any(tally.queries or tally.queries_left for _, tally in self._runs)
        if self._slots is None or not counted_yet or self._busy_with:
            busy_with = tuple(self._busy_with) or ("getting ready",)
            return Progress(busy_with, stopping=self._stop.asked, seconds=at - self._began)
        runs = tuple((name, tally + Tally()) for name, tally in self._runs)
        self._pace.note(at, sum((tally for _, tally in runs), Tally()))
        return Progress(
            (),
            runs,
            about=self._about,
            stopping=self._stop.asked,
            in_flight=self._slots.taken,
            seconds=at - self._began,
            tokens_in=self._pace.prompt_tokens,
            tokens_out=self._pace.completion_tokens,
            seconds_left=self._pace.left(self._slots.taken),
        )

    @contextlib.asynccontextmanager
    async def observed(self, observer: Observer) -> AsyncIterator[None]:
        """Meanwhile, have the observer look now and then, until it fails: that harms nothing."""
        looking = asyncio.ensure_future(self._be_looked_at(observer))
        try:
            yield
        finally:
            looking.cancel()
            await asyncio.gather(looking, return_exceptions=True)
            observer.leave()

    async def _be_looked_at(self, observer: Observer) -> None:
        while True:
            await asyncio.sleep(observer.every)
            try:
                observer.look(self.now())
            except Exception:
                log.debug("progress is not shown any more", exc_info=True)
                return
