"""How much is done for an answer: asking again, finishing by force, and going on from what is known."""

import re

import pytest

from rearank_cli.records import Completion, Prompt
from tests.reranking.collection import Collection, numbered
from tests.reranking.engines import REARANK, Scripted, best_last, unchanged

FIVE = numbered(5)
BEST = FIVE[::-1]
UNREADABLE = Completion("<think>[4] [2]</think>They are all good.")
FAILED = Completion("", "abort")
TRUNCATED = Completion("<think>Passage [2] is better than passage [5], but", "length")


class Scenes:
    """Answers the first request, the second, ... each by a function of the prompt or with a completion."""

    def __init__(self, *answers):
        self.answers = list(answers)
        self.prompts: list[Prompt] = []
        self.samplings = []

    async def complete(self, prompt, sampling):
        self.prompts.append(prompt)
        self.samplings.append(sampling)
        answer = self.answers.pop(0)
        return answer(prompt) if callable(answer) else answer


def forced(order):
    """What a model writes that is held to the pattern of an answer."""

    def answer(prompt):
        return Completion(" " + " > ".join(f"[{position + 1}]" for position in order) + " </answer>")

    return answer


@pytest.fixture
def one_window(collect) -> Collection:
    return collect({"q1": FIVE})


@pytest.mark.parametrize(
    ("answers", "options", "requests", "statuses"),
    [
        ([FAILED, best_last], {}, 2, ["failed", "ok"]),
        ([FAILED, FAILED], {}, 2, ["failed", "failed"]),
        ([FAILED, FAILED, best_last], {"retries": 2}, 3, ["failed", "failed", "ok"]),
        ([FAILED], {"retries": 0}, 1, ["failed"]),
        # A greedy model would only repeat itself.
        ([UNREADABLE], {}, 1, ["unreadable"]),
        ([UNREADABLE, best_last], {"temperature": 0.6}, 2, ["unreadable", "ok"]),
        ([UNREADABLE, best_last], {"temperature": 0.6, "retries": 3}, 2, ["unreadable", "ok"]),
        ([best_last], {}, 1, ["ok"]),
        ([TRUNCATED], {"no_forced_finish": True}, 1, ["truncated"]),
        ([TRUNCATED, forced([4, 3, 2, 1, 0])], {}, 2, ["truncated", "truncated"]),
        ([FAILED, TRUNCATED, forced([4, 3, 2, 1, 0])], {}, 3, ["failed", "truncated", "truncated"]),
        ([TRUNCATED, FAILED, FAILED], {}, 3, ["truncated", "failed", "failed"]),
        ([TRUNCATED, FAILED, forced([4, 3, 2, 1, 0])], {}, 3, ["truncated", "failed", "truncated"]),
        ([TRUNCATED, Completion("no list")], {}, 2, ["truncated", "truncated"]),
    ],
)  # fmt: skip
def test_requests_of_a_call(one_window, answers, options, requests, statuses):
    engine = Scenes(*answers)
    after = one_window.rerank(engine, traces=one_window.traces, **options)
    calls = one_window.calls()
    assert [call["status"] for call in calls] == statuses
    assert len(engine.prompts) == requests
    assert len({call["key"] for call in calls}) == 1
    last_is_an_answer = callable(answers[-1])
    assert after == {"q1": BEST if last_is_an_answer else FIVE}


def test_tries_are_numbered_and_drawn_anew(one_window):
    engine = Scenes(UNREADABLE, UNREADABLE, best_last)
    one_window.rerank(engine, traces=one_window.traces, temperature=0.6, retries=2)
    assert [call["try"] for call in one_window.calls()] == [0, 1, 2]
    assert len({sampling.seed for sampling in engine.samplings}) == 3


def test_a_forced_finish_closes_the_thought_and_asks_for_a_list(one_window):
    engine = Scenes(TRUNCATED, forced([2, 2, 0, 1, 3]))
    after = one_window.rerank(engine, traces=one_window.traces)
    # Repeated identifiers are repaired as ever.
    assert after == {"q1": ["d002", "d000", "d001", "d003", "d004"]}
    first, finish = engine.prompts
    assert finish.append == "<think>\nPassage [2] is better than passage [5], but\n</think>\n\n<answer>"
    assert finish.messages == first.messages
    pattern = engine.samplings[1].pattern
    assert engine.samplings[0].pattern is None
    assert re.fullmatch(pattern, " [1] > [2] > [3] > [4] > [5] </answer>")
    for wrong in (" [1] > [2] </answer>", " [1] > [2] > [3] > [4] > [6] </answer>", " [1], [2]", ""):
        assert not re.fullmatch(pattern, wrong)
    call = one_window.calls()[1]
    assert (call["forced"], call["status"], call["try"]) == (True, "truncated", 0)
    assert call["reasoning"] == "Passage [2] is better than passage [5], but"


def test_a_part_of_an_answer_is_dropped_before_the_finish(one_window):
    cut_off = Completion("<think>because</think>\n<answer> [3] > [1", "length")
    engine = Scenes(cut_off, forced([4, 3, 2, 1, 0]))
    assert one_window.rerank(engine) == {"q1": BEST}
    assert engine.prompts[1].append == "<think>\nbecause\n</think>\n\n<answer>"


def test_a_forced_order_does_not_count_as_unanswered(one_window, warned):
    one_window.rerank(Scenes(TRUNCATED, forced([0, 1, 2, 3, 4])))
    assert warned() == []
    one_window.rerank(Scenes(TRUNCATED, FAILED), retries=0)
    assert "1 of 1 calls ended without an answer" in warned()[0]


@pytest.mark.parametrize(
    ("left", "options", "answers", "expected"),
    [
        # What is answered is not asked again ...
        ([best_last], {}, [], BEST),
        ([UNREADABLE], {}, [], FIVE),
        ([TRUNCATED, forced([4, 3, 2, 1, 0])], {}, [], BEST),
        ([TRUNCATED], {"no_forced_finish": True}, [], FIVE),
        # ... what failed is, and a finish that never came.
        ([FAILED, FAILED], {}, [best_last], BEST),
        ([TRUNCATED, FAILED], {"retries": 0}, [forced([4, 3, 2, 1, 0])], BEST),
        # A finish that came without an order in it is no answer, now or later.
        ([TRUNCATED, Completion("no list")], {}, [], FIVE),
    ],
)
def test_resuming_asks_what_is_left(one_window, left, options, answers, expected):
    one_window.rerank(Scenes(*left), traces=one_window.traces, output=one_window.output, **options)
    engine = Scenes(*answers)
    files = {"traces": one_window.traces, "output": one_window.output}
    assert one_window.rerank(engine, resume=True, **files, **options) == {"q1": expected}
    assert len(engine.prompts) == len(answers)


def test_a_truncated_call_is_finished_when_a_later_attempt_asks_for_it(one_window):
    """A crash between an answer that ran out of tokens and its finish loses neither."""
    one_window.rerank(Scenes(TRUNCATED), traces=one_window.traces, no_forced_finish=True)
    engine = Scenes(forced([4, 3, 2, 1, 0]))
    assert one_window.rerank(engine, traces=one_window.traces, resume=True) == {"q1": BEST}
    assert engine.prompts[0].append.startswith("<think>\nPassage [2] is better")


def test_another_seed_asks_again_only_where_answers_are_drawn(one_window):
    one_window.rerank(Scripted(), traces=one_window.traces)
    greedy = Scripted()
    one_window.rerank(greedy, traces=one_window.traces, resume=True, seed=7)
    assert greedy.asked == []
    drawn = Scripted(unchanged)
    one_window.rerank(drawn, traces=one_window.traces, resume=True, seed=7, temperature=0.5)
    one_window.rerank(drawn, traces=one_window.traces, resume=True, seed=8, temperature=0.5)
    assert len(drawn.asked) == 2


def test_a_request_that_takes_too_long_has_failed(one_window):
    import asyncio

    class Asleep:
        async def complete(self, prompt, sampling):
            await asyncio.sleep(60)

    assert one_window.rerank(Asleep(), traces=one_window.traces, timeout=0.05, retries=1) == {"q1": FIVE}
    assert [call["error"] for call in one_window.calls()] == ["no answer within 0.05 seconds"] * 2


@pytest.mark.parametrize("n", [1, 2, 9, 10, 20, 100])
def test_what_begins_an_answer_and_what_the_pattern_allows_are_an_answer(n):
    order = list(range(n))[::-1]
    begun = REARANK.begin_answer("<think>so far")
    rest = REARANK.write(order).text.partition("<answer>")[2]
    assert re.fullmatch(REARANK.finish_for(REARANK.sampling, n).pattern, rest)
    reading = REARANK.read(Completion(begun + rest), n)
    assert reading.order == order
    assert reading.reasoning == "so far"
