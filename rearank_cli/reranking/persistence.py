"""How much is done for an answer: asking again, finishing by force, and remembering what was answered."""

from collections.abc import Sequence
from dataclasses import dataclass

from rearank_cli.records import Reading, Status
from rearank_cli.reranking.requests import Requester
from rearank_cli.traces import Call, PastRequest


@dataclass(frozen=True)
class Persistence:
    """A failed request is asked again, at most `retries` times, and so is one whose answer was
    unreadable, where answers are drawn at random: a greedy one would only repeat itself. An answer
    that ran out of tokens is finished by force, once, if `forced_finish`; so is an unreadable one
    where the family's authors do that.
    """

    retries: int = 1
    forced_finish: bool = True

    async def settle(self, call: Call, past: Sequence[PastRequest], requester: Requester) -> Reading:
        """The reading of a call, from what earlier attempts left of it and what is still to be asked."""
        tries = [request for request in past if not request.forced]
        if tries:
            reading, response, attempt = tries[-1].reading, tries[-1].response, tries[-1].attempt
        else:
            request = await requester.ask(call, 0)
            reading, response, attempt = request.reading, request.completion.text, 0
        while attempt < self.retries and _is_worth_another(reading, requester):
            attempt += 1
            request = await requester.ask(call, attempt)
            reading, response = request.reading, request.completion.text
        unfinished = reading.status is Status.TRUNCATED or (
            reading.status is Status.UNREADABLE and requester.finishes_unreadable
        )
        if unfinished and self.forced_finish and requester.can_finish:
            return await self._finish(call, past, reading.status, response, requester) or reading
        return reading

    async def _finish(
        self,
        call: Call,
        past: Sequence[PastRequest],
        status: Status,
        response: str,
        requester: Requester,
    ) -> Reading | None:
        """What the model answered when it was made to; None where every such request failed."""
        finished = [request.reading for request in past if request.forced]
        attempt = 0
        while not finished and attempt <= self.retries:
            request = await requester.finish(call, status, response, attempt)
            if request.reading.status is not Status.FAILED:
                finished.append(request.reading)
            attempt += 1
        return finished[-1] if finished else None

    def remembered(self, past: Sequence[PastRequest]) -> Reading | None:
        """The reading of a call as earlier attempts left it; None where they have no answer to it."""
        wanted = [request for request in past if self.forced_finish or not request.forced]
        finishes = [request for request in wanted if request.forced]
        latest = finishes or wanted
        return latest[-1].reading if latest else None


def _is_worth_another(reading: Reading, requester: Requester) -> bool:
    if reading.status is Status.UNREADABLE:
        return not requester.repeats_itself
    return reading.status is Status.FAILED
