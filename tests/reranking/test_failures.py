"""One bad call harms one window, and none of them is silent."""

import pytest

from rearank_cli.errors import EngineError
from rearank_cli.records import Completion, Prompt
from tests.reranking.collection import numbered
from tests.reranking.engines import REARANK, BestLast, Scripted, best_last

NO_COMPLETION = "TypeError: the engine answered with NoneType, not with a Completion"
SIX = numbered(6)
# With window 4 and step 2, six documents are two windows: the lower, then the upper.
WINDOWS = {"window": 4, "step": 2}
# What is asked once is told here; asking again is Persistence's part.
ONCE = {"retries": 0, "no_forced_finish": True}


def fails_below(answer):
    """Answers the lower window of each query otherwise than the upper one."""

    def failing(prompt: Prompt) -> Completion:
        return answer(prompt) if "d005" in prompt.doc_ids else best_last(prompt)

    return failing


def crash(prompt: Prompt) -> Completion:
    raise ConnectionResetError("no line, [4] > [3] > [2] > [1]")


RANKING = REARANK.write([3, 2, 1, 0]).text


@pytest.mark.parametrize(
    ("answer", "status", "error"),
    [
        pytest.param(crash, "failed", "ConnectionResetError: no line, [4] > [3] > [2] > [1]", id="crash"),
        pytest.param(lambda _: Completion(RANKING, "error", error="no"), "failed", "no", id="error, ranking"),
        pytest.param(lambda _: Completion(RANKING, "abort"), "failed", None, id="aborted, ranking"),
        pytest.param(lambda _: Completion(""), "unreadable", None, id="nothing"),
        pytest.param(lambda _: Completion("\ud800"), "unreadable", None, id="no Unicode"),
        pytest.param(lambda _: None, "failed", NO_COMPLETION, id="None"),
        pytest.param(lambda _: Completion("Sorry, 4 are too many."), "unreadable", None, id="prose"),
        pytest.param(lambda _: Completion("<think>[4]", "length"), "truncated", None, id="out of tokens"),
    ],
)  # fmt: skip
def test_a_call_without_an_answer_harms_only_its_window(collect, answer, status, error):
    collection = collect({"q1": SIX})
    after = collection.rerank(Scripted(fails_below(answer)), traces=collection.traces, **WINDOWS, **ONCE)
    assert after == {"q1": ["d003", "d002", "d001", "d000", "d004", "d005"]}
    lower, upper = collection.calls()
    assert (lower["status"], lower["error"], lower["order"]) == (status, error, [0, 1, 2, 3])
    assert (upper["status"], upper["error"], upper["order"]) == ("ok", None, [3, 2, 1, 0])


def test_a_query_whose_every_call_fails_harms_no_other(two_queries):
    def answer(prompt: Prompt) -> Completion:
        return crash(prompt) if "text of q1" in prompt.messages[-1]["content"] else best_last(prompt)

    after = two_queries.rerank(Scripted(answer), traces=two_queries.traces, **ONCE)
    assert after == {"q1": numbered(7), "q2": numbered(7)[::-1]}
    assert [(call["query_id"], call["status"]) for call in two_queries.calls()] == [
        ("q1", "failed"),
        ("q2", "ok"),
    ]


def test_a_dead_engine_ends_the_job_and_leaves_no_output(two_queries):
    engine = Scripted()

    def answer(prompt: Prompt) -> Completion:
        if len(engine.asked) > 1:
            raise EngineError("the engine died of thirst")
        return best_last(prompt)

    engine.answer = answer
    with pytest.raises(EngineError, match=r"^the engine died of thirst$"):
        two_queries.rerank(engine, output=two_queries.output, traces=two_queries.traces, **WINDOWS)
    assert not two_queries.output.exists()
    assert sorted(path.name for path in two_queries.folder.iterdir()) == [
        "bm25.trec", "docs.jsonl", "queries.tsv", "traces.jsonl",
    ]  # fmt: skip
    assert two_queries.records()[0]["type"] == "attempt"


def test_an_earlier_output_survives_an_engine_that_dies(two_queries):
    two_queries.output.write_text("precious\n")

    def answer(prompt: Prompt) -> Completion:
        raise EngineError("died")

    with pytest.raises(EngineError):
        two_queries.rerank(Scripted(answer), output=two_queries.output, overwrite=True)
    assert two_queries.output.read_text() == "precious\n"


class Odd(BestLast):
    """A judge that answers with whatever it was given to answer."""

    def __init__(self, answer: object) -> None:
        super().__init__()
        self.answer = answer

    async def judge(self, query, passages, candidates):
        return self.answer


@pytest.mark.parametrize(
    ("answer", "status", "order"),
    [
        pytest.param(([2, 0, 1], "why"), "ok", [2, 0, 1], id="an order"),
        pytest.param(([2], "why"), "repaired", [2, 0, 1], id="a part of an order"),
        pytest.param(([2, 2, 9, -5], "why"), "repaired", [2, 0, 1], id="an order with errors"),
        pytest.param(([], "why"), "unreadable", [0, 1, 2], id="an empty order"),
        pytest.param(("cba", "why"), "failed", [0, 1, 2], id="no numbers"),
        pytest.param(None, "failed", [0, 1, 2], id="nothing"),
    ],
)
def test_a_judge_s_order_is_read_like_a_model_s(collect, answer, status, order):
    collection = collect({"q1": numbered(3)})
    after = collection.rerank(Odd(answer), traces=collection.traces, **ONCE)
    assert after == {"q1": [numbered(3)[position] for position in order]}
    [call] = collection.calls()
    assert (call["status"], call["order"]) == (status, order)


def test_a_judge_sees_the_query_the_window_and_all_candidates(collect):
    collection = collect({"q1": numbered(6)})
    judge = BestLast()
    collection.rerank(judge, depth=5, window=3, step=2)
    query, passages, candidates = judge.seen[0]
    assert query == ("q1", "text of q1")
    assert [passage.doc_id for passage in passages] == ["d002", "d003", "d004"]
    assert [passage.doc_id for passage in candidates] == numbered(5)
    assert (passages[0].title, passages[0].text) == ("Title d002", "Text of d002")
    assert passages[0].score == 100 - 3 / 8
