"""The Ray cluster that replicas live in: one that runs already, or one that this process starts and ends."""

import asyncio
import contextlib
import importlib
import logging
import os
import shutil
import signal
import socket
import tempfile
import threading
from concurrent.futures import Future
from importlib.util import find_spec
from typing import Any

from rearank_cli.engines.logfile import last_line
from rearank_cli.engines.processes import end_marked
from rearank_cli.errors import EngineError

log = logging.getLogger("rearank")

# Seconds. Ray itself tries for minutes to reach an address where there is nothing.
_TO_CONNECT = 10.0
_TO_JOIN = 120.0
_TO_LEAVE = 20.0
# Calls are small; by default Ray takes a third of the memory.
_OBJECT_STORE = 256 * 2**20
# Ray makes sockets some 60 characters further down, and the path of a socket has 107 at most.
_LONGEST_TEMPORARY = 30
_ENVIRONMENT = {
    "RAY_USAGE_STATS_ENABLED": "0",
    "RAY_IGNORE_UNHANDLED_ERRORS": "1",
    "RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "0",
}


def check_ray() -> None:
    """Raise EngineError where Ray is not installed."""
    if find_spec("ray") is None:
        raise EngineError("--replicas needs Ray, which is not installed: pip install 'rearank[ray]'")


class Cluster:
    """A connection to Ray. There is one in a process at most; one that was there already is left alone."""

    def __init__(self, address: str | None, mark: str) -> None:
        self._address = address
        self._mark = mark
        self._folder: str | None = None
        self._began: Future[None] = Future()
        self._ended: Future[None] = Future()
        self._leave = threading.Event()
        # Of these no one but the thread may decide.
        self._began.set_running_or_notify_cancel()
        self._ended.set_running_or_notify_cancel()

    @classmethod
    async def join(cls, address: str | None, mark: str) -> "Cluster":
        """Connect to the cluster at an address; start one on this machine where there is none.

        The mark is that of the processes that are started now. Raises EngineError where that cannot be.
        """
        for name, value in _ENVIRONMENT.items():
            os.environ.setdefault(name, value)
        ray = await asyncio.to_thread(importlib.import_module, "ray")
        cluster = cls(address, mark)
        if ray.is_initialized():
            cluster._began.set_result(None)
            cluster._ended.set_result(None)
            return cluster
        if address:
            await asyncio.to_thread(_reach, address)
        # Not a thread of a pool: the processes that Ray starts die with the thread that started them,
        # and one that waits for an address in vain must not keep this process from ending.
        threading.Thread(target=cluster._live, name="ray", daemon=True).start()
        try:
            await asyncio.wait_for(asyncio.wrap_future(cluster._began), _TO_JOIN)
        except asyncio.CancelledError:
            await cluster.leave()
            raise
        except Exception as error:
            await cluster.leave()
            where = f"the Ray cluster at {address} cannot be joined" if address else "Ray could not start"
            why = f"no answer within {_TO_JOIN:g} s" if isinstance(error, TimeoutError) else last_line(error)
            raise EngineError(f"{where}: {why}") from error
        _hear_again()
        return cluster

    def check_room(self, count: int, resource: str, each: int) -> None:
        """Raise EngineError where so many replicas with so many GPUs or CPUs each would wait for ever."""
        import ray

        alive = [node["Resources"].get(resource, 0.0) for node in ray.nodes() if node["Alive"]]
        # An engine's devices are those of one machine.
        room = sum(int(had // each) for had in alive) if each else count
        if room >= count:
            return
        where = f"the Ray cluster of {len(alive)} machines" if self._address else "this machine"
        raise EngineError(
            f"{count} replicas with {each} {resource} each are wanted, and {where} has "
            f"{sum(alive):g} {resource}: that is room for {room}"
        )

    async def leave(self) -> None:
        """Disconnect, and end what this process started."""
        _hear_again()
        self._leave.set()
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(asyncio.wrap_future(self._ended), _TO_LEAVE)
        # Whatever Ray did not end: a worker in the middle of its start, an engine whose actor was killed.
        await asyncio.to_thread(end_marked, self._mark)
        if self._folder:
            await asyncio.to_thread(shutil.rmtree, self._folder, ignore_errors=True)

    def _live(self) -> None:
        """Ray, from beginning to end. Elsewhere than in the main thread it sets no handler of Python's."""
        import ray

        try:
            if self._address:
                ray.init(self._address, **_QUIETLY)
            else:
                self._folder = tempfile.mkdtemp(prefix="rearank-ray-", dir=_short_folder())
                ray.init(
                    "local",
                    include_dashboard=False,
                    object_store_memory=_OBJECT_STORE,
                    # Of its own: /tmp/ray may be another user's.
                    _temp_dir=self._folder,
                    **_QUIETLY,
                )
            _hush()
            self._began.set_result(None)
            self._leave.wait()
        except BaseException as error:  # noqa: BLE001  # it is raised where the thread is awaited
            self._began.set_exception(error)
        try:
            ray.shutdown()
        except BaseException:  # what is left is ended all the same
            log.debug("Ray did not end well", exc_info=True)
        self._ended.set_result(None)


_QUIETLY = {"log_to_driver": False, "logging_level": logging.CRITICAL}


def _hush() -> None:
    """Keep notices of deaths from standard output, where results go: no setting of Ray's does."""
    if not log.isEnabledFor(logging.DEBUG):
        worker: Any = importlib.import_module("ray._private.worker")
        worker.print_to_stdstream = lambda *_, **__: None


def _hear_again() -> None:
    """Have SIGTERM handled as before Ray, which reports it as a crash and aborts three seconds later.

    Its handler is not Python's, so Python still knows its own.
    """
    if threading.current_thread() is not threading.main_thread():
        return
    if (handler := signal.getsignal(signal.SIGTERM)) is not None:
        signal.signal(signal.SIGTERM, handler)
        signal.siginterrupt(signal.SIGTERM, False)
        if signal.getsignal(signal.SIGALRM) is signal.SIG_DFL:  # else it is someone's alarm
            signal.alarm(0)


def _short_folder() -> str:
    usual = tempfile.gettempdir()
    return usual if len(usual) <= _LONGEST_TEMPORARY else "/tmp"  # noqa: S108  # a folder is made in it


def _reach(address: str) -> None:
    """Raise EngineError where nothing listens at an address."""
    if address == "auto":
        address = os.environ.get("RAY_ADDRESS") or address
    if address.startswith("ray://"):
        raise EngineError(
            f"{address} is an address for Ray's thin client: run rearank on a machine of the cluster, with "
            "--ray-address auto, or give the address of its head, HOST:6379"
        )
    host, colon, port = address.rpartition(":")
    if address == "auto":
        return
    if not (colon and port.isdecimal()):
        raise EngineError(f"'{address}' is no address of a Ray cluster: give auto, or HOST:PORT")
    try:
        socket.create_connection((host.strip("[]"), int(port)), _TO_CONNECT).close()
    except OSError as error:
        raise EngineError(f"there is no Ray cluster at {address}: {error.strerror or error}") from error
