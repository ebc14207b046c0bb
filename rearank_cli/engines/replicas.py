"""Several engines that answer as one: each an actor of a Ray cluster.

Prompts, tokens, the journal and resuming stay with this process; a replica only answers.
"""

import asyncio
import contextlib
import logging
import socket
from collections import Counter
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, NamedTuple, cast

from rearank_cli.engines.cluster import Cluster, check_ray
from rearank_cli.engines.engine import Engine, Judge, Verdict
from rearank_cli.engines.lexical import LexicalJudge
from rearank_cli.engines.logfile import own_log
from rearank_cli.engines.models import Wanted, adapter_of, load_card
from rearank_cli.engines.tokenizer import Tokenizer
from rearank_cli.errors import EngineError, UsageError
from rearank_cli.records import Completion, Passage, Prompt, Query, Sampling

log = logging.getLogger("rearank")

__all__ = ["check_ray", "start_replicas"]

# Far more than any engine runs at once: it is the engine that lets requests wait.
_CALLS_AT_ONCE = 16384
# A call that was on so many replicas when they died is taken for the cause. Two can be chance: a cluster
# takes machines away, and each of them has many calls.
_DEADLY = 3
# Seconds.
_TO_FIND_A_PLACE = 120.0
_TO_CLOSE = 20.0
_TO_RECOVER = 30
# The engine arguments whose product is the number of devices of one engine.
_PARALLEL = ("tensor_parallel_size", "pipeline_parallel_size", "data_parallel_size")


async def start_replicas(
    name: str, wanted: Wanted, count: int, address: str | None, mark: str
) -> Engine | Judge:
    """So many engines of that name in the Ray cluster at an address, or in one on this machine.

    The mark is that of the processes that are started now. Raises EngineError where Ray or an engine
    cannot start, or where there is no room for them all; UsageError for an argument that vLLM does
    not have.
    """
    check_ray()
    resource, each = await asyncio.to_thread(_devices, name, wanted)
    tokenizer = None
    if name != "lexical":
        tokenizer, _ = await asyncio.to_thread(load_card, wanted)
    log_file = None
    try:
        with own_log() as log_file:
            cluster = await Cluster.join(address, mark)
            pool = _Pool(cluster)
            try:
                cluster.check_room(count, resource, each)
                cards = await pool.start(name, wanted, count, {resource: each})
            except BaseException:
                await pool.close()
                raise
    finally:
        if log_file:
            log_file.unlink(missing_ok=True)
    return ReplicatedEngine(name, pool, tokenizer, cards) if tokenizer else ReplicatedJudge(name, pool)


class ReplicatedEngine:
    """Replicas that answer prompts."""

    def __init__(self, name: str, pool: "_Pool", tokenizer: Tokenizer, cards: Sequence["_Card"]) -> None:
        self._pool = pool
        self.name = name
        self.tokenizer = tokenizer
        self.context = min((card.context for card in cards if card.context), default=None)
        self.capacity = sum(card.capacity for card in cards)
        self.version = cards[0].version

    async def complete(self, prompt: Prompt, sampling: Sampling) -> Completion:
        """One answer, of whichever replica. Raises EngineError once all are lost."""
        if prompt.token_ids is None:
            prompt = await asyncio.to_thread(self.tokenizer.tokenize, prompt)
        # The tokens are all that an engine needs.
        sent = replace(prompt, turns=(), raw=(), append="", chat_args=())
        about = (prompt.query_id, prompt.doc_ids)
        try:
            return cast("Completion", await self._pool.ask("complete", about, sent, sampling))
        except _DeadlyCallError as error:
            return Completion("", finish_reason="error", error=str(error))

    @property
    def is_worn(self) -> bool:
        """Whether replicas were lost: what is left does for this job, and is not kept for others."""
        return self._pool.is_worn

    async def close(self) -> None:
        """End all replicas, and leave the cluster."""
        await self._pool.close()


class ReplicatedJudge:
    """Replicas that judge windows."""

    def __init__(self, name: str, pool: "_Pool") -> None:
        self._pool = pool
        self.name = name

    async def judge(
        self, query: Query, passages: Sequence[Passage], candidates: Sequence[Passage]
    ) -> Verdict:
        """The verdict of whichever replica. Raises EngineError once all are lost."""
        about = (query.query_id, tuple(passage.doc_id for passage in passages))
        return cast("Verdict", await self._pool.ask("judge", about, query, passages, candidates))

    @property
    def is_worn(self) -> bool:
        """Whether replicas were lost: what is left does for this job, and is not kept for others."""
        return self._pool.is_worn

    async def close(self) -> None:
        """End all replicas, and leave the cluster."""
        await self._pool.close()


class _Card(NamedTuple):
    """What a replica's engine says of itself."""

    context: int | None
    capacity: int
    version: str | None


class EngineActor:
    """One engine, in a process of its own."""

    def __init__(self, name: str, wanted: Wanted) -> None:
        self._name = name
        self._wanted = wanted
        self._engine: Any = None

    async def host(self) -> str:
        """The machine that it found a place on."""
        return socket.gethostname()

    async def start(self) -> _Card:
        """Load the engine."""
        self._engine = engine = await _start(self._name, self._wanted)
        known = [getattr(engine, field, None) for field in _Card._fields]
        return _Card._make(known)

    async def ask(self, method: str, *arguments: Any) -> Any:
        """What the engine says."""
        return await getattr(self._engine, method)(*arguments)

    async def close(self) -> None:
        """End the engine."""
        if close := getattr(self._engine, "close", None):
            await close()


async def _start(name: str, wanted: Wanted) -> Engine | Judge:
    """The engine of one replica.

    Not by `start_engine`, which marks what it starts as its own: what a replica starts must carry the
    mark of the process that started Ray, so that the next attempt finds it if that one is killed.
    """
    if name == "lexical":
        return LexicalJudge()
    from rearank_cli.engines.vllm import VllmEngine

    return await VllmEngine.start(wanted, adapter_of(wanted))


class _LostError(Exception):
    """A replica will not answer any more."""


class _DeadlyCallError(Exception):
    """A call that no replica should be asked any more."""


@dataclass(eq=False)
class _Replica:
    """The near end of an actor."""

    actor: Any
    number: int
    host: str = ""
    in_flight: int = 0
    # Until it is known whether it is dying.
    doubt: asyncio.Future[None] | None = None

    async def call(self, method: str, *arguments: Any) -> Any:
        """What a method of the actor returns or raises; _LostError where it, or its engine, is dead."""
        import ray

        try:
            answer = getattr(self.actor, method).remote(*arguments)
            try:
                return await answer
            except asyncio.CancelledError:
                # Until the actor is told, its engine goes on with a request that no one waits for.
                ray.cancel(answer)
                raise
        except ray.exceptions.RayTaskError as error:
            if isinstance(error.cause, EngineError):
                raise _LostError(str(error.cause)) from error
            raise error.cause if isinstance(error.cause, Exception) else error from None
        except ray.exceptions.TaskCancelledError as error:
            raise RuntimeError("the replica cancelled the request") from error
        except ray.exceptions.RayError as error:
            log.debug("replica %d: %s", self.number, error)
            raise _LostError("its process or its machine died") from error

    def kill(self) -> None:
        """End the actor's process, whatever it is doing."""
        import ray

        with contextlib.suppress(Exception):  # it is dead, or its cluster is
            ray.kill(self.actor)


class _Pool:
    """The replicas that are left; each call goes to the one with the fewest."""

    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster
        self._living: list[_Replica] = []
        self._wanted = 0
        # How many replicas died with a call in their hands.
        self._deaths: Counter[Hashable] = Counter()
        self._last_words = ""

    @property
    def is_worn(self) -> bool:
        """Whether a replica was lost."""
        return len(self._living) < self._wanted

    async def start(self, name: str, wanted: Wanted, count: int, devices: Mapping[str, int]) -> list[_Card]:
        """Start the actors, each on devices of its own, spread over the machines of the cluster."""
        import ray

        options = {
            "num_cpus": devices.get("CPU", 0),
            "num_gpus": devices.get("GPU", 0),
            "max_restarts": 0,
            "max_task_retries": 0,
            "max_concurrency": _CALLS_AT_ONCE,
            "scheduling_strategy": "SPREAD",
        }
        actor = ray.remote(**options)(EngineActor)
        self._wanted = count
        self._living = [_Replica(actor.remote(name, wanted), number + 1) for number in range(count)]
        places = [asyncio.ensure_future(self._of(one, one.call("host"))) for one in self._living]
        found, pending = await asyncio.wait(places, timeout=_TO_FIND_A_PLACE)
        for place in pending:
            place.cancel()
        if pending:
            raise EngineError(
                f"{len(found)} of {count} replicas found a place within {_TO_FIND_A_PLACE:g} s: "
                "the Ray cluster is busy with something else"
            )
        for one, place in zip(self._living, places, strict=True):
            one.host = place.result()
        starting = (self._of(one, one.call("start")) for one in self._living)
        cards: list[_Card] = await asyncio.gather(*starting)
        return cards

    async def _of(self, replica: _Replica, answer: Any) -> Any:
        try:
            return await answer
        except _LostError as error:
            raise EngineError(f"{self._name(replica)} could not start: {error}") from error

    async def ask(self, method: str, about: Hashable, *arguments: Any) -> Any:
        """The answer of some replica; where one is lost, that of another.

        Raises EngineError when none is left, and _DeadlyCallError for a call that `about` tells from
        others and that was on three replicas when they died. If it is what killed them it would kill all
        of them, so it is not tried on a fourth, nor when it is asked again.
        """
        given_up_by = set()
        while self._living:
            if self._deaths[about] >= _DEADLY:
                raise _DeadlyCallError(f"{_DEADLY} replicas died while they answered this")
            replica = min(self._living, key=lambda one: (one.doubt is not None, one.in_flight))
            if replica.doubt:
                # All are in doubt. Shielded: the others that wait for it go on when one gives up.
                await asyncio.shield(replica.doubt)
                continue
            replica.in_flight += 1
            try:
                answer = await replica.call("ask", method, *arguments)
            except _LostError as error:
                self._deaths[about] += 1
                self._lose(replica, str(error))
                continue
            finally:
                replica.in_flight -= 1
            if not _is_of_the_dying(answer) or replica in given_up_by:
                return answer
            # Another replica is asked, and this one examined.
            given_up_by.add(replica)
            if not replica.doubt:
                replica.doubt = asyncio.ensure_future(self._examine(replica, method, *arguments))
        raise EngineError(f"all {self._wanted} replicas are lost; the last one: {self._last_words}")

    async def _examine(self, replica: _Replica, method: str, prompt: Prompt, *_: Any) -> None:
        """Find out whether a replica that gave a request up is dying: then it gives up all, for seconds."""
        little = replace(prompt, token_ids=(prompt.token_ids or ())[:1])
        try:
            for _second in range(_TO_RECOVER):
                answer = await replica.call("ask", method, little, Sampling(max_tokens=1))
                if not _is_of_the_dying(answer):
                    return
                await asyncio.sleep(1)
            self._lose(replica, "it gives up whatever it is asked")
        except _LostError as error:
            self._lose(replica, str(error))
        except Exception:
            # Refused, which the dead do not.
            log.debug("replica %d could not be examined", replica.number, exc_info=True)
        finally:
            replica.doubt = None

    def _lose(self, replica: _Replica, why: str) -> None:
        if replica not in self._living:
            return
        self._living.remove(replica)
        self._last_words = why
        # An actor outlives its engine.
        replica.kill()
        log.warning("%s is lost: %s; left: %d", self._name(replica), why, len(self._living))

    def _name(self, replica: _Replica) -> str:
        return f"replica {replica.number} of {self._wanted}" + (f" on {replica.host}" if replica.host else "")

    async def close(self) -> None:
        """End the engines, the actors, and Ray, in this order."""
        leaving, self._living = self._living, []
        for one in leaving:
            if one.doubt:
                one.doubt.cancel()
        closing = [asyncio.ensure_future(one.call("close")) for one in leaving if one.host]
        if closing:
            _, pending = await asyncio.wait(closing, timeout=_TO_CLOSE)
            for late in pending:
                late.cancel()
            await asyncio.gather(*closing, return_exceptions=True)
        for one in leaving:
            one.kill()
        await self._cluster.leave()


def _is_of_the_dying(answer: Any) -> bool:
    """Whether a dying engine may have said this, as if all were well.

    It aborts what it has, and no one but this process aborts requests, none that it still waits for; it
    turns down what it is asked from then on, and unlike one that is well it does not say why.
    """
    reason = getattr(answer, "finish_reason", None)
    return reason == "abort" or (reason == "error" and not answer.error)


def _devices(name: str, wanted: Wanted) -> tuple[str, int]:
    """What one replica takes of its machine, in Ray's words, and how many of these."""
    if name == "lexical":
        return "CPU", 0
    from rearank_cli.engines.installation import on_cpu

    if on_cpu():
        return "CPU", 1
    given = {
        key.replace("-", "_"): value
        for arguments in (wanted.family_args, wanted.engine_args)
        for key, value in arguments.items()
    }
    devices = 1
    for argument in _PARALLEL:
        text = given.get(argument, "1")
        if not text.isdecimal():
            raise UsageError(f"--engine-arg {argument}={text}: it is a number of devices")
        devices *= int(text)
    return "GPU", devices
