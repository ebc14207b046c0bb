"""A signal while a job runs in this process: heard, and the host's own handlers given back."""

import os
import signal

import pytest

from rearank_cli.errors import StoppedByUserError, TerminatedError
from tests.reranking.collection import numbered


class NeverWaits:
    """A judge that does all its work without awaiting anything, and sends a signal on its way."""

    def __init__(self, number):
        self.number = number
        self.calls = 0

    async def judge(self, query, passages, candidates):
        self.calls += 1
        if self.calls == 3:
            os.kill(os.getpid(), self.number)
        return list(range(len(passages))), ""


@pytest.mark.parametrize(
    ("number", "error"), [(signal.SIGINT, StoppedByUserError), (signal.SIGTERM, TerminatedError)]
)
def test_a_judge_that_never_waits_hears_a_signal(collect, number, error):
    # A script in the background starts processes that are deaf to Ctrl-C.
    before = signal.signal(number, signal.default_int_handler)
    try:
        _hears(collect, number, error)
    finally:
        signal.signal(number, before)


def _hears(collect, number, error):
    collection = collect({f"q{i}": numbered(20) for i in range(20)})
    judge = NeverWaits(number)
    with pytest.raises(error):
        collection.rerank(judge, window=2, step=1, in_flight=1, traces=collection.traces)
    assert judge.calls < 30
    # What was answered has its line.
    assert len(collection.calls()) == judge.calls


def test_the_hosts_own_handlers_are_given_back(two_queries):
    def own(number, frame):
        raise AssertionError("not called")

    before = {
        signal.SIGTERM: signal.signal(signal.SIGTERM, own),
        signal.SIGHUP: signal.signal(signal.SIGHUP, signal.SIG_IGN),
    }
    try:
        two_queries.rerank(NeverWaits(0))
        assert signal.getsignal(signal.SIGTERM) is own
        assert signal.getsignal(signal.SIGHUP) is signal.SIG_IGN
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
