"""The conductor: every query a coroutine, no call waiting for another query's."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import asdict, dataclass

from rearank_cli.errors import RearankError
from rearank_cli.methods import Ask, Shuffle, consistent, find_method, shuffle_for
from rearank_cli.records import Query, Ranking, Reading, Status, Window
from rearank_cli.reranking.options import Arrangement
from rearank_cli.reranking.slots import Slots
from rearank_cli.reranking.stopping import Stop
from rearank_cli.reranking.tally import Tally
from rearank_cli.reranking.topics import Topic
from rearank_cli.traces import Asker, Call, digest

log = logging.getLogger("rearank")

# Queries begun in one turn of the event loop: the engine answers the first while the last are set up.
_BEGIN_TOGETHER = 16

Settle = Callable[[Call], Awaitable[Reading]]
"""Awaits the reading of a call."""


@dataclass
class _Expected:
    """About how many calls of a query are still to come."""

    calls: int


async def order_topics(
    topics: Sequence[Topic],
    arrangement: Arrangement,
    asker: Asker,
    settle: Settle,
    tally: Tally,
    *,
    seed: int,
) -> dict[str, Ranking]:
    """Order the candidates of every topic: query_id -> its ranking.

    What a method asks of a window is settled as a call; what it shuffles is a function of the seed and
    the query. The first RearankError ends all.
    """
    expected = {
        count: await expected_calls(arrangement, count)
        for count in sorted({len(topic.candidates) for topic in topics})
    }

    def expected_of(topic: Topic) -> int:
        return 0 if topic.query is None else expected[len(topic.candidates)]

    tally.queries_left += len(topics)
    tally.calls_left += sum(map(expected_of, topics))

    async def order(topic: Topic) -> Ranking:
        ranking = Ranking([passage.doc_id for passage in topic.candidates])
        if topic.query is not None:
            left = _Expected(expected_of(topic))
            ask = _asking(topic, topic.query, asker, settle, tally, left)
            shuffle = shuffle_for(seed, topic.query_id)
            ranking = await _arranged(ranking.doc_ids, ask, arrangement, shuffle)
            # Those that its answers have made needless.
            tally.calls_left -= left.calls
        tally.queries_left -= 1
        tally.queries += 1
        return ranking

    tasks = {}
    try:
        async with asyncio.TaskGroup() as group:
            for number, topic in enumerate(topics, 1):
                tasks[topic.query_id] = group.create_task(order(topic))
                if number % _BEGIN_TOGETHER == 0:
                    await asyncio.sleep(0)
    except BaseExceptionGroup as problems:
        # When an engine dies every query fails of the one cause: it is told once.
        known, unknown = problems.split(RearankError)
        raise (unknown or known or problems).exceptions[0] from None
    return {query_id: task.result() for query_id, task in tasks.items()}


async def expected_calls(arrangement: Arrangement, count: int) -> int:
    """How many calls it takes to order so many documents, where answers agree with the first stage."""
    places = {str(number): number for number in range(count)}
    calls = 0

    async def agree(window: Window) -> Reading:
        nonlocal calls
        calls += 1
        shown = [places[doc_id] for doc_id in window.doc_ids]
        return Reading(Status.OK, sorted(range(len(shown)), key=shown.__getitem__))

    await _arranged(list(places), agree, arrangement, shuffle_for(0, ""))
    return calls


async def _arranged(doc_ids: list[str], ask: Ask, arrangement: Arrangement, shuffle: Shuffle) -> Ranking:
    """The ranking to which a method comes by asking."""
    method = find_method(arrangement.method)
    parts = {**asdict(arrangement), "shuffle": shuffle}
    ask = consistent(ask, arrangement.permutations, shuffle)
    return await method.run(doc_ids, ask, **{name: parts[name] for name in method.takes})


def _asking(topic: Topic, query: Query, asker: Asker, settle: Settle, tally: Tally, left: _Expected) -> Ask:
    passages = {passage.doc_id: passage for passage in topic.candidates}
    # Once for each text, however many windows show it.
    digests: dict[str, str] = {}

    def digest_of(doc_id: str) -> str:
        if doc_id not in digests:
            digests[doc_id] = digest(passages[doc_id].title, passages[doc_id].text)
        return digests[doc_id]

    async def ask(window: Window) -> Reading:
        shown = tuple(passages[doc_id] for doc_id in window.doc_ids)
        call = Call(
            asker.key(query.query_id, window),
            digest(query.text, *map(digest_of, window.doc_ids)),
            query,
            window,
            shown,
            topic.candidates,
            calls_left=max(left.calls, 1),
        )
        reading = await settle(call)
        tally.add_call(reading)
        if left.calls:
            left.calls -= 1
            tally.calls_left -= 1
        return reading

    return ask


async def until_stopped(work: Awaitable[dict[str, Ranking]], slots: Slots, stop: Stop) -> dict[str, Ranking]:
    """Await the work. When a stop is asked for, let the requests in flight end, and raise its error."""
    task = asyncio.ensure_future(work)
    asked = asyncio.ensure_future(stop.wait())
    try:
        await asyncio.wait([task, asked], return_when=asyncio.FIRST_COMPLETED)
        if not task.done():
            await stop.wait_until_due(slots.idle, task)
        if task.done():
            return task.result()
        raise stop.error()
    finally:
        asked.cancel()
        if not task.done():
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
