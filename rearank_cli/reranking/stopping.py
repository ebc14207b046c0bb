"""How a job is asked to stop, by a signal, and how long it may take about it."""

import asyncio
import contextlib
import signal
import threading
from collections.abc import Iterator
from contextvars import ContextVar
from typing import Any

from rearank_cli.errors import RearankError, StoppedByUserError, TerminatedError


class Stop:
    """A wish to stop: at first politely, the requests in flight may end; then at once.

    Belongs to the event loop that is running when it is made.
    """

    def __init__(self, grace: float) -> None:
        self.grace = grace
        self._signal: int | None = None
        self._asked = asyncio.Event()
        self._at_once = asyncio.Event()

    @property
    def asked(self) -> bool:
        """Whether nothing new may be begun."""
        return self._asked.is_set()

    def ask(self, number: int) -> None:
        """Receive a signal; a second one means at once."""
        if self.asked:
            self._at_once.set()
        self._signal = self._signal or number
        self._asked.set()

    async def wait(self) -> None:
        """Wait for the first signal."""
        await self._asked.wait()

    async def wait_until_due(self, idle: asyncio.Event, work: asyncio.Future[Any]) -> None:
        """After the first signal: until nothing is in flight or all is done, or it has to end at once."""
        waiting = [asyncio.ensure_future(event.wait()) for event in (idle, self._at_once)]
        await asyncio.wait([*waiting, work], timeout=self.grace, return_when=asyncio.FIRST_COMPLETED)
        for future in waiting:
            future.cancel()

    def error(self) -> RearankError:
        """What the signal means for the exit status."""
        return (
            StoppedByUserError("interrupted")
            if self._signal == signal.SIGINT
            else TerminatedError("terminated")
        )


class Remote:
    """Asks the job of another thread to stop."""

    def __init__(self) -> None:
        # A second Ctrl-C may come while the first one is being passed on, in the same thread.
        self._lock = threading.RLock()
        self._asked: list[int] = []
        self._job: tuple[asyncio.AbstractEventLoop, Stop] | None = None

    @contextlib.contextmanager
    def controls(self, stop: Stop) -> Iterator[None]:
        """Pass on what is asked, and what was asked already, to the job of the event loop that is running."""
        with self._lock:
            self._job = asyncio.get_running_loop(), stop
            earlier, self._asked = self._asked, []
        for number in earlier:
            stop.ask(number)
        try:
            yield
        finally:
            with self._lock:
                self._job = None

    @property
    def was_not_heard(self) -> bool:
        """Whether something was asked that no job has been told: there is none, or none any more."""
        return bool(self._asked)

    def ask(self, number: int) -> None:
        """Send a signal, from any thread."""
        with self._lock:
            if self._job is None:
                self._asked.append(number)
            else:
                loop, stop = self._job
                loop.call_soon_threadsafe(stop.ask, number)


REMOTE: ContextVar[Remote | None] = ContextVar("REMOTE", default=None)
"""What can stop the job that is begun in this context, where it is not in the main thread."""


@contextlib.contextmanager
def listening(stop: Stop) -> Iterator[None]:
    """Have SIGINT, SIGTERM and SIGHUP ask for a stop, instead of ending the process there and then.

    Elsewhere than in the main thread, as in a notebook, signals stay with whoever has them; who began
    the job there can ask.
    """
    if threading.current_thread() is not threading.main_thread():
        remote = REMOTE.get()
        with remote.controls(stop) if remote else contextlib.nullcontext():
            yield
        return
    loop = asyncio.get_running_loop()
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)}
    # What is ignored stays so: that is what nohup asks for.
    heard = [number for number, handler in before.items() if handler is not signal.SIG_IGN]
    for number in heard:
        loop.add_signal_handler(number, stop.ask, number)
    try:
        yield
    finally:
        for number in heard:
            loop.remove_signal_handler(number)
            signal.signal(number, before[number])
