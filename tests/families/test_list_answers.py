"""Answers that are lists: read without ever inventing a ranking, and written so that they are read back."""

import re
import string

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from rearank_cli.families import load_family
from rearank_cli.records import Completion, Status

FAMILIES = [load_family("rearank"), load_family("rankgpt")]
REARANK, RANKGPT = FAMILIES
RANKZEPHYR, RANK_K, CORANKING = map(load_family, ("rankzephyr", "rank-k", "coranking-order"))

FRAGMENTS = st.sampled_from(
    [
        "<think>", "</think>", "<answer>", "</answer>", "<think", "answer>", "[", "]", " > ", ">", ",",
        ";", "=", " ", "\n", ".", "[1]", "[2]", "3", "20", "0", "00", "-1", "1.5", "²", "①", "½", "٣", "१२",
        "9" * 30, "<answer>[2] > [1]", "[2] > [1]",
        "1" * 5000, "Passage", " percent", "\x00", "\ud800", "\u2028", "[] > []", "😀", "９",
    ]
)  # fmt: skip
TEXTS = st.lists(FRAGMENTS | st.text(max_size=3), max_size=12).map("".join)
FINISH_REASONS = st.sampled_from(["stop", "length", "abort", "error", "tool_calls", "content_filter", ""])
COMPLETIONS = st.builds(Completion, TEXTS, FINISH_REASONS, st.none() | TEXTS)
LENGTHS = st.integers(0, 25)


@given(st.sampled_from(FAMILIES), COMPLETIONS, LENGTHS)
def test_any_answer_is_a_permutation_and_the_window_s_own_order_unless_answered(family, completion, n):
    reading = family.read(completion, n)
    assert sorted(reading.order) == list(range(n))
    if not reading.answered:
        assert reading.order == list(range(n))
    assert reading.scores is None


@given(st.sampled_from(FAMILIES), TEXTS, LENGTHS)
def test_only_an_answer_that_ended_is_one(family, text, n):
    assert family.read(Completion(text, "abort"), n).status is Status.FAILED
    assert family.read(Completion(text, "error"), n).status is Status.FAILED
    cut_off = family.read(Completion(text, "length"), n)
    assert cut_off.status in (Status.TRUNCATED, Status.UNREADABLE) or "</answer>" in text


@given(
    st.sampled_from(FAMILIES),
    TEXTS.filter(lambda text: "<answer>" not in text),
    TEXTS.filter(lambda text: "</think>" not in text),
    LENGTHS,
)
@example(REARANK, "<think>a</think> ", "<answer>[2] > [1]</answer>", 2)
def test_nothing_in_a_thought_that_is_still_open_is_a_ranking(family, before, thought, n):
    for finish_reason in ("stop", "length"):
        reading = family.read(Completion(f"{before} or <think>{thought}", finish_reason), n)
        assert not reading.answered


@given(st.sampled_from(FAMILIES), TEXTS, LENGTHS)
def test_nothing_in_closed_thought_is_a_ranking(family, thought, n):
    reading = family.read(Completion(f"{thought}</think>"), n)
    assert reading.status is Status.UNREADABLE


@given(st.sampled_from(FAMILIES), TEXTS, st.integers(1, 25).flatmap(lambda n: st.permutations(range(n))))
@example(REARANK, "<answer>[1]</answer></think><think>[2]", [1, 0])
def test_an_order_that_is_written_is_read_back_whatever_was_thought(family, reasoning, order):
    reading = family.read(family.write(order, reasoning), len(order))
    assert reading.order == list(order)
    assert reading.status is Status.OK
    assert reading.reasoning == (reasoning.strip() if family is REARANK else "")


def test_orders_are_written_as_the_models_write_them():
    assert (
        REARANK.write([1, 0], "because").text == "<think>\nbecause\n</think>\n\n<answer> [2] > [1] </answer>"
    )
    assert RANKGPT.write([1, 0], "because").text == "[2] > [1]"


@pytest.mark.parametrize("separator", [" > ", ">", ", ", ",", " ", "\n", "; ", " = "])
@pytest.mark.parametrize("identifier", ["[{}]", "{}"])
@pytest.mark.parametrize("end", ["", ".", "\n", " . \n"])
def test_a_bare_list_is_read_in_any_of_its_spellings(separator, identifier, end):
    text = "\n" + separator.join(identifier.format(number) for number in (3, 1, 2)) + end
    for family in FAMILIES:
        assert family.read(Completion(text), 3).order == [2, 0, 1]


@pytest.mark.parametrize(
    ("answer", "order"),
    [
        ("[٣] > [١]", [2, 0, 1]),  # Arabic digits are numbers
        ("[3²] > [1]", [0, 1, 2]),  # a superscript is none, and spoils its number as in the reference
        ("[99999999999999999999] > [2]", [1, 0, 2]),
        ("[-2] > [1]", [1, 0, 2]),
        ("rank: 3/1/2", [2, 0, 1]),
    ],
)
def test_numbers_between_answer_tags_are_read_as_the_reference_reads_them(answer, order):
    assert REARANK.read(Completion(f"<answer>{answer}</answer>"), 3).order == order


def test_thought_that_a_server_returned_apart_is_the_reasoning():
    reading = REARANK.read(Completion("<answer>[2] > [1]</answer>", reasoning="because"), 2)
    assert (reading.order, reading.reasoning) == ([1, 0], "because")


def test_thought_is_reasoning_also_where_the_prompt_opened_it():
    reading = REARANK.read(Completion("because</think><answer>[2] > [1]</answer>"), 2)
    assert (reading.order, reading.reasoning) == ([1, 0], "because")


def test_unfinished_thought_is_kept_as_reasoning():
    assert REARANK.read(Completion("<think>[1] is", "length"), 2).reasoning == "[1] is"
    assert REARANK.read(Completion("<think>a</think><think>b", "length"), 2).reasoning == "a\nb"


def test_an_answer_with_no_identifier_of_the_window_is_unreadable():
    for answer in ("", "none", "[0]", "[4] > [5]", "²"):
        assert REARANK.read(Completion(f"<answer>{answer}</answer>"), 3).status is Status.UNREADABLE


@given(
    st.lists(st.integers(1, 9), min_size=1, max_size=9),
    st.sampled_from([*string.ascii_letters, "?", "%", ":"]),
)
def test_one_letter_more_and_a_bare_list_is_prose(identifiers, letter):
    text = " > ".join(f"[{identifier}]" for identifier in identifiers)
    assert RANKGPT.read(Completion(text), 9).answered
    for prose in (letter + text, text + letter, text + letter + text):
        assert RANKGPT.read(Completion(prose), 9).status is Status.UNREADABLE


@given(st.sampled_from(FAMILIES), TEXTS, st.integers(1, 25), st.data())
def test_an_answer_that_is_finished_by_force_is_read_whatever_was_there_before(family, text, n, data):
    pattern = family.finish_for(family.sampling, n).pattern
    rest = data.draw(st.from_regex(pattern, fullmatch=True))
    reading = family.read(Completion(family.begin_answer(text) + rest), n)
    assert reading.answered
    identifiers = [int(number) - 1 for number in re.findall("[0-9]+", rest)]
    assert reading.order[: len(set(identifiers))] == list(dict.fromkeys(identifiers))


@given(st.sampled_from(FAMILIES), st.integers(1, 25).flatmap(lambda n: st.permutations(range(n))))
def test_every_order_of_the_window_can_be_the_forced_answer(family, order):
    written = family.write(order).text
    beginning = family.begin_answer("")
    rest = written.removeprefix(beginning)
    assert beginning + rest == written
    assert re.fullmatch(family.finish_for(family.sampling, len(order)).pattern, rest)


@pytest.mark.parametrize(
    "text", ["[③] > [①] > [②]", "③ > ① > ②", "[³] > [¹] > [²]", "<think>a</think>[③] > [1] > [②]"]
)
def test_digits_in_circles_and_above_the_line_are_digits_where_the_family_says_so(text):
    assert RANKZEPHYR.read(Completion(text), 3).order == [2, 0, 1]
    assert RANKGPT.read(Completion(text), 3).status is Status.UNREADABLE


def test_the_adjuster_of_orders_writes_them_without_a_sign_between():
    assert CORANKING.write([1, 2, 0]).text == "[2] [3] [1]"
    assert CORANKING.read(Completion("[2] [3] [1]"), 3).order == [1, 2, 0]


@pytest.mark.parametrize(
    ("line", "order", "scores", "status"),
    [
        ("[3] > [1] > [2]", [2, 0, 1], [1 / 2, 1 / 3, 1], Status.OK),
        ("[3] > [2] = [1]", [2, 1, 0], [1 / 2, 1 / 2, 1], Status.OK),
        ("[2]=[1]>[3]", [1, 0, 2], [1, 1, 1 / 2], Status.OK),
        ("[1] = [2] = [3]", [0, 1, 2], [1, 1, 1], Status.OK),
        ("[3] > [1]", [2, 0, 1], [1 / 2, None, 1], Status.REPAIRED),
        # What stands behind the first repetition is not read, as by the authors.
        ("[3] > [3] > [1] > [2]", [2, 0, 1], [None, None, 1], Status.REPAIRED),
        ("[3] > [2] = [3] > [1]", [2, 1, 0], [None, 1 / 2, 1], Status.REPAIRED),
        # Out of range; the authors take [0] for the last passage.
        ("[0] > [4] > [2]", [1, 0, 2], [None, 1, None], Status.REPAIRED),
    ],
)
def test_passages_can_be_equal_in_the_order_they_are_named(line, order, scores, status):
    reading = RANK_K.read(Completion(f"<think>\n[1] or [2]?\n</think>\n\n{line}"), 3)
    assert (reading.order, reading.scores, reading.status) == (order, scores, status)
    assert reading.stated == [position for position in order if scores[position] is not None]


def test_only_the_last_line_is_the_list_where_passages_can_be_equal():
    text = "</think>I compared them:\n[1] > [2]\nSo the ranking is\n[2] = [3] > [1]\n"
    reading = RANK_K.read(Completion(text), 3, "<think>\n")
    assert (reading.order, reading.status) == ([1, 2, 0], Status.OK)
    for unread in ("</think>[2] > [1]\nI hope that helps.", "</think>Ranking: [2] > [1]", "", "</think>"):
        assert RANK_K.read(Completion(unread), 3, "<think>\n").status is Status.UNREADABLE
    assert RANK_K.read(Completion(text, "length"), 3, "<think>\n").status is Status.TRUNCATED


@given(st.permutations(range(12)), st.lists(st.integers(0, 3), min_size=12, max_size=12))
def test_ties_that_are_written_are_read_back(order, steps):
    scores, score = [0.0] * 12, 1.0
    for position, step in zip(order, steps, strict=True):
        score -= step / 100
        scores[position] = score
    reading = RANK_K.read(RANK_K.write(order, scores=scores), 12)
    assert (reading.order, reading.status) == (list(order), Status.OK)
    for a in range(12):
        for b in range(12):
            assert (reading.scores[a] > reading.scores[b]) == (scores[a] > scores[b])
