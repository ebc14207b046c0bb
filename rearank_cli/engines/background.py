"""Work that takes minutes, awaited while signals are heard."""

import asyncio
import contextlib
import threading
from collections.abc import Callable
from typing import TypeVar

Result = TypeVar("Result")

_LOOK_AGAIN = 0.2


async def in_background(work: Callable[[], Result], *, given_up: Callable[[], None] | None = None) -> Result:
    """Await a function in a thread that does not keep the process from ending.

    Where the wait is cancelled the thread goes on; `given_up` is called again and again then until it
    ends, for it may only now start a process.
    """
    loop = asyncio.get_running_loop()
    done = asyncio.Event()
    # Taken out again when it is there: a traceback that a library keeps would keep an engine alive,
    # and its finaliser would fail when the interpreter is half gone.
    outcome: list[Result] = []
    failure: list[BaseException] = []

    def run() -> None:
        try:
            outcome.append(work())
        except BaseException as error:  # noqa: BLE001  # it is raised where the thread is awaited
            failure.append(error)
        with contextlib.suppress(RuntimeError):  # the loop is gone when no one waits any more
            loop.call_soon_threadsafe(done.set)

    threading.Thread(target=run, name="background", daemon=True).start()
    try:
        await done.wait()
    except asyncio.CancelledError:
        while given_up and not done.is_set():
            await asyncio.to_thread(given_up)
            await asyncio.sleep(_LOOK_AGAIN)
        raise
    if failure:
        raise failure.pop()
    return outcome.pop()
