"""The tally of a run: what its calls came to, counted as they are settled."""

from collections import Counter
from dataclasses import dataclass, field, fields

from rearank_cli.records import Reading, Status
from rearank_cli.traces import Request
from rearank_cli.words import counted


@dataclass
class Tally:
    """What the calls of a run came to, and the requests that were made for them in this attempt.

    `calls_left` is about how many are still to come. Calls that were `reused` have the reading that an
    earlier attempt left of them. `errors` are those of requests that failed, each with how often.
    `seconds` is what the requests took, as if one came after another.
    """

    queries: int = 0
    queries_left: int = 0
    calls_left: int = 0
    statuses: Counter[Status] = field(default_factory=Counter)
    forced: int = 0
    unanswered: int = 0
    reused: int = 0
    requests: int = 0
    errors: Counter[str] = field(default_factory=Counter)
    prompt_tokens: int = 0
    cached_tokens: int = 0
    completion_tokens: int = 0
    cut_passages: int = 0
    seconds: float = 0.0

    def __add__(self, other: "Tally") -> "Tally":
        """Both together, as they are now."""
        return Tally(*(getattr(self, each.name) + getattr(other, each.name) for each in fields(self)))

    @property
    def calls(self) -> int:
        return self.statuses.total()

    @property
    def outcomes(self) -> str:
        """The calls by status, in words; empty where there are none yet."""
        statuses = ", ".join(f"{count:,} {status}" for status, count in self.statuses.most_common())
        forced = f", of these {self.forced:,} made to finish" if self.forced else ""
        return f"{statuses}{forced}"

    @property
    def summary(self) -> str:
        """The calls by status, and how many of them were not asked anew, in words."""
        if not self.calls:
            return "no calls"
        reused = "all" if self.reused == self.calls else f"{self.reused:,}"
        from_traces = f", {reused} from the traces" if self.reused else ""
        return f"{counted(self.calls, 'call')} ({self.outcomes}){from_traces}"

    def work(self, seconds: float) -> str:
        """The requests and their tokens, in so many seconds, in words; tokens only where any were told of."""
        requests = counted(self.requests, "request")
        if not self.prompt_tokens and not self.completion_tokens:
            return f"{requests}, {seconds:,.1f} s"
        cached = f" ({self.cached_tokens:,} of them cached)" if self.cached_tokens else ""
        tokens = f"{self.prompt_tokens:,} tokens in{cached}, {self.completion_tokens:,} out"
        pace = (
            f"{self.prompt_tokens / seconds:,.0f} in and {self.completion_tokens / seconds:,.0f} out a second"
        )
        return f"{requests}, {tokens}, {seconds:,.1f} s: {pace}"

    @property
    def trouble(self) -> str:
        """What most of the failed requests failed of, in words; empty where none did."""
        if not self.errors:
            return ""
        ((error, count),) = self.errors.most_common(1)
        others = self.errors.total() - count
        more = f" ({others:,} of something else)" if others else ""
        return f"{counted(self.errors.total(), 'request')} failed{more}: {error}"

    def add_call(self, reading: Reading) -> None:
        self.statuses[reading.status] += 1
        self.forced += reading.forced
        self.unanswered += not reading.answered

    def add_request(self, request: Request) -> None:
        completion = request.completion
        self.requests += 1
        if completion.error:
            self.errors[completion.error] += 1
        self.prompt_tokens += completion.prompt_tokens or 0
        self.cached_tokens += completion.cached_tokens or 0
        self.completion_tokens += completion.completion_tokens or 0
        self.cut_passages += request.cut_passages
        self.seconds += request.seconds
