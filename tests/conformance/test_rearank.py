"""The reference implementation of REARANK: where we do the same, to the byte, and where better on purpose.

`conformance/rearank.json` was computed by running the reference. Its defects, and why they are none
of ours, are in `facts/rearank.md`, section 6.
"""

import json
from pathlib import Path
from typing import Any

import pytest

from rearank_cli.errors import UsageError
from rearank_cli.families import family_for, load_family
from rearank_cli.methods.sliding import sliding
from rearank_cli.records import Completion, Passage, Reading, Status, Window

REARANK = load_family("rearank")
RANKGPT = load_family("rankgpt")


@pytest.fixture(scope="module")
def cases(shared: Path) -> dict[str, list[dict[str, Any]]]:
    return json.loads((shared / "conformance" / "rearank.json").read_text(encoding="utf-8"))


@pytest.mark.parametrize(
    ("family", "messages"),
    [(REARANK, "messages"), (RANKGPT, "messages_no_thinking")],
    ids=["rearank", "rankgpt"],
)
def test_prompts_are_the_reference_s_byte_for_byte(cases, family, messages):
    for case in cases["prompts"]:
        passages = [Passage(**passage) for passage in case["passages"]]
        prompt = family.prompt(case["query"], passages)
        assert prompt.messages == case[messages]
        assert prompt.text is None
        assert prompt.append == ""
        assert list(prompt.doc_ids) == [passage.doc_id for passage in passages]


def test_answers_are_read_as_the_reference_reads_them(cases):
    for case in cases["parses"]:
        reading = REARANK.read(Completion(case["response"]), case["passages"])
        assert reading.order == case["order"], case
        assert reading.answered


async def test_sliding_windows_give_the_order_of_the_reference(cases):
    for case in cases["sliding"]:

        def key(doc_id: str, seed: int = case["seed"]) -> int:
            return (7919 * int(doc_id) + seed) % 1009

        ranking = [str(i) for i in range(case["candidates"])]
        order = (await sliding(ranking, judge_by(key), window=case["window"], step=case["step"])).doc_ids
        assert order == [str(i) for i in case["order"]]


def judge_by(key):
    """A judge that sorts each window by a key of its documents, and keeps what it was asked."""

    async def ask(window: Window) -> Reading:
        ask.windows.append((window.start, window.end))
        order = sorted(range(len(window.doc_ids)), key=lambda position: key(window.doc_ids[position]))
        return Reading(Status.OK, order)

    ask.windows = []
    return ask


# From here on: what the reference does, and we do not.


@pytest.mark.parametrize(("n", "last_of_the_reference"), [(95, (5, 25)), (99, (9, 29)), (57, (7, 27))])
async def test_the_head_is_ranked_where_the_reference_stops_before_it(n, last_of_the_reference):
    """Its loop ends when the next window would begin before rank 1; what is above stays as it was."""
    best_last = judge_by(lambda doc_id: -int(doc_id))
    order = (await sliding([str(i) for i in range(n)], best_last, window=20, step=10)).doc_ids
    assert last_of_the_reference in best_last.windows
    assert best_last.windows[-1] == (0, 20)
    assert order[:10] == [str(i) for i in range(n - 1, n - 11, -1)]


@pytest.mark.parametrize("n", [1, 7, 15, 19])
async def test_a_list_shorter_than_the_window_is_one_window_where_the_reference_has_none(n):
    best_last = judge_by(lambda doc_id: -int(doc_id))
    order = (await sliding([str(i) for i in range(n)], best_last, window=20, step=10)).doc_ids
    assert best_last.windows == [(0, n)]
    assert order == [str(i) for i in range(n - 1, -1, -1)]


def assert_kept(completion: Completion, status: Status, family=REARANK, n: int = 5) -> Reading:
    """No ranking was read: the window keeps its order, and the call is counted."""
    reading = family.read(completion, n)
    assert (reading.order, reading.status) == (list(range(n)), status)
    assert not reading.answered
    return reading


@pytest.mark.parametrize("finish_reason", ["length", "stop"])
def test_digits_of_unfinished_thought_are_no_ranking(finish_reason):
    """The reference reads `<think>a [2] b 5` as the order 2, 5, 1, 3, 4."""
    status = Status.TRUNCATED if finish_reason == "length" else Status.UNREADABLE
    reading = assert_kept(Completion("<think>a [2] b 5", finish_reason), status)
    assert reading.reasoning == "a [2] b 5"


def test_an_answer_that_is_quoted_in_unfinished_thought_is_no_ranking():
    """The reference takes the first answer tags wherever they stand."""
    thought = "<think>The output must look like <answer> [2] > [1] </answer>, so"
    assert_kept(Completion(thought, "length"), Status.TRUNCATED)
    quoted = Completion(f"{thought} ...</think><answer>[3]</answer>")
    assert REARANK.read(quoted, 5).order == [2, 0, 1, 3, 4]


def test_digits_of_a_thought_that_was_opened_again_are_no_ranking():
    again = "<think>first</think> <think> or rather <answer>[2] > [1]</answer>"
    assert_kept(Completion(again, "length"), Status.TRUNCATED)
    assert_kept(Completion(again, "stop"), Status.UNREADABLE)


@pytest.mark.parametrize("text", ["ERROR::batch_failed 3", "ERROR::reduce_length 20 > 5", "Error code: 429"])
@pytest.mark.parametrize("finish_reason", ["error", "abort"])
def test_the_text_of_an_error_is_no_ranking(text, finish_reason):
    assert_kept(Completion(text, finish_reason, error=text), Status.FAILED)
    assert_kept(Completion(text), Status.UNREADABLE)


@pytest.mark.parametrize(
    "answer", ["<answer> [3] > [3] > [1", "<answer>[2] > [1] > [4] > [5] > [3]", "<answer>", "[3] > [1"]
)
def test_an_answer_cut_off_by_the_token_limit_is_no_ranking(answer):
    """The last number may be cut in two: `[12]` to `[1`."""
    assert_kept(Completion(f"<think>ok</think>{answer}", "length"), Status.TRUNCATED)


@pytest.mark.parametrize(
    ("answer", "order"),
    [("<answer>[2] > [1]", [1, 0, 2, 3, 4]), ("[2] > [1]", [1, 0, 2, 3, 4])],
)
def test_an_open_answer_that_the_model_ended_itself_is_a_ranking(answer, order):
    assert REARANK.read(Completion(f"<think>ok</think>{answer}"), 5).order == order


def test_a_closed_answer_is_a_ranking_though_the_tokens_ran_out_behind_it():
    text = "<think>ok</think><answer>[2] > [1]</answer> I hope that"
    assert REARANK.read(Completion(text, "length"), 5).order == [1, 0, 2, 3, 4]


@pytest.mark.parametrize(
    "prose",
    [
        "Passage [3] is best, then [1].",
        "<think>20 percent of 5</think> I would put 3 first.",
        "I'm sorry, I can't rank these 5 passages.",
        "1. The first passage\n2. The second passage",
    ],
)
@pytest.mark.parametrize("family", [REARANK, RANKGPT], ids=["rearank", "rankgpt"])
def test_digits_in_prose_are_no_ranking(family, prose):
    assert_kept(Completion(prose), Status.UNREADABLE, family)


def test_lists_that_repair_filled_are_told_from_whole_ones():
    """The reference repairs too, but counts nothing."""

    def status(answer: str, n: int = 3) -> Status:
        return REARANK.read(Completion(f"<answer>{answer}</answer>"), n).status

    assert status("[3] > [1] > [2]") is Status.OK
    for answer in ("[3] > [1]", "[3] > [1] > [2] > [3]", "[3] > [1] > [2] > [4]", "[0] > [3] > [1] > [2]"):
        assert status(answer) is Status.REPAIRED
    assert status("[3] > [1] > [2] > [" + "9" * 5000 + "]") is Status.REPAIRED


def test_the_prompt_is_chosen_by_the_family_and_never_by_a_part_of_a_path():
    """With the reference a local copy, `/models/Rearank-7B`, silently gets RankGPT's prompt."""
    assert family_for("/models/Rearank-7B", "rearank").name == "rearank"
    for path in ("/models/Rearank-7B", "/models/le723z/Rearank-7B", "/models/le723z/Qwen2.5-7B-Instruct"):
        with pytest.raises(UsageError, match="--family"):
            family_for(path)


def test_every_window_has_its_own_count_and_numbers():
    """A short list in the reference's batch is asked to rank the 0 passages above."""
    prompt = REARANK.prompt("q", [Passage("d1", "a"), Passage("d2", "b"), Passage("d3", "c")])
    assert "Rank the 3 passages above" in prompt.messages[1]["content"]
    assert [message["content"] for message in prompt.messages[3:-1:2]] == ["[1] a", "[2] b", "[3] c"]
