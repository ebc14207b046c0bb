"""Answers that name the best or the worst passage."""

import pytest

from rearank_cli.families import load_family
from rearank_cli.records import Completion, Status

RANK_R1, SETWISE_SFT, IRANKER = map(load_family, ("rank-r1", "setwise-sft", "iranker"))


@pytest.mark.parametrize(
    ("text", "finish_reason", "status"),
    [
        ("<think>a</think> <answer>[3]</answer>", "stop", Status.OK),
        ("<think>a</think>\n<ANSWER> [3]\n</ANSWER>", "stop", Status.OK),
        ("<answer>[3]</answer>", "stop", Status.OK),
        ("<think>a</think>[3]", "stop", Status.OK),
        ("<think>a</think><answer>[3]", "stop", Status.OK),
        ("<think>a</think><answer>[3]</answer> and", "length", Status.OK),
        ("<think>a</think><answer>[3]", "length", Status.TRUNCATED),
        ("<think>a</think><answer>[1", "length", Status.TRUNCATED),
        ("<think>a [3]", "length", Status.TRUNCATED),
        ("<think>a <answer>[3]</answer>", "stop", Status.UNREADABLE),
        ("<think>a</think><answer>3</answer>", "stop", Status.UNREADABLE),
        ("<think>a</think><answer>[3] > [1]</answer>", "stop", Status.UNREADABLE),
        ("<think>a</think><answer>[6]</answer>", "stop", Status.UNREADABLE),
        ("<think>a</think><answer>[0]</answer>", "stop", Status.UNREADABLE),
        ("<think>a</think><answer></answer>", "stop", Status.UNREADABLE),
        ("<think>a</think>The third one, [3].", "stop", Status.UNREADABLE),
        ("<answer>[3]</answer>", "error", Status.FAILED),
    ],
)
def test_the_best_passage_is_exactly_one_label(text, finish_reason, status):
    reading = RANK_R1.read(Completion(text, finish_reason), 5)
    assert reading.status is status
    assert reading.order == ([2, 0, 1, 3, 4] if status is Status.OK else [0, 1, 2, 3, 4])
    assert reading.stated == ([2] if status is Status.OK else [])


def test_a_best_passage_is_written_with_and_without_thought():
    assert RANK_R1.write(choice=2, reasoning="a").text == "<think>\na\n</think>\n\n<answer>[3]</answer>"
    assert SETWISE_SFT.write([2, 0, 1], "a").text == "<answer>[3]</answer>"


@pytest.mark.parametrize(
    ("text", "status"),
    [
        (" so it goes\n</think>\n<answer> passage 2 </answer>", Status.OK),
        ("</think><answer>Passage 2</answer>", Status.OK),
        ("</think>passage 2", Status.OK),
        ("</think><answer>2</answer>", Status.UNREADABLE),
        ("</think><answer>passage 20</answer>", Status.UNREADABLE),
        ("</think><answer>the second passage</answer>", Status.UNREADABLE),
        # The prompt has opened the thought: this is part of it.
        ("<answer>passage 2</answer>", Status.UNREADABLE),
    ],
)
def test_the_worst_passage_goes_to_the_end(text, status):
    reading = IRANKER.read(Completion(text), 4)
    assert reading.status is status
    assert reading.order == ([0, 2, 3, 1] if status is Status.OK else [0, 1, 2, 3])


def test_a_worst_passage_is_the_last_of_an_order():
    assert IRANKER.gives == "worst"
    assert IRANKER.write([2, 0, 1], "a").text == "\na\n</think>\n\n<answer>passage 2</answer>"


@pytest.mark.parametrize(
    ("family", "begun", "text", "put"),
    [
        (RANK_R1, "", "<think>a", "<think>\na\n</think>\n\n<answer>"),
        (RANK_R1, "", "a", "<think>\na\n</think>\n\n<answer>"),
        (RANK_R1, "", "<think>a</think><answer>[1", "<think>\na\n</think>\n\n<answer>"),
        (RANK_R1, "<think>\n", "a", "a\n</think>\n\n<answer>"),
        (IRANKER, None, "a", "\na\n</think>\n\n<answer>"),
        (SETWISE_SFT, "", "<think>a", "<answer>"),
        # A chat template that opens a thought has it closed, also by a family that does without.
        (SETWISE_SFT, "<think>\n", "a", "a\n</think>\n\n<answer>"),
    ],
)
def test_a_thought_is_closed_before_an_answer_is_forced(family, begun, text, put):
    assert family.begin_answer(text, begun) == put


def test_thought_that_a_server_returned_apart_is_not_open_any_more():
    answer = Completion("<answer>[2]</answer>", reasoning="because")
    reading = RANK_R1.read(answer, 3, "<think>\n")
    assert (reading.order, reading.reasoning) == ([1, 0, 2], "because")
    assert not RANK_R1.read(Completion("<answer>[2]</answer>"), 3, "<think>\n").answered
