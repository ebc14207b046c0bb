"""Answers that score passages: what is read of them, and the arithmetic of their probabilities."""

import math
from math import log

import pytest

from rearank_cli.families import load_family
from rearank_cli.records import Completion, Reading, Status, Token

ERANK, TFRANK, RANK1, QWEN3, FIRST, GROUPRANK = map(
    load_family, ("erank", "tfrank", "rank1", "qwen3-reranker", "first", "grouprank")
)
TFRANK_LABEL, TFRANK_YESNO = (load_family("tfrank", {"score": part}) for part in ("label", "yesno"))
TFRANK_THINKING = load_family("tfrank", {"thinking": "on"})


def spelled(*texts: str | Token) -> tuple[Token, ...]:
    """Tokens that were certain, and those given as they are."""
    return tuple(text if isinstance(text, Token) else Token(text, 0.0) for text in texts)


def completion(*texts: str | Token, finish_reason: str = "stop") -> Completion:
    tokens = spelled(*texts)
    return Completion("".join(token.text for token in tokens), finish_reason, tokens=tokens)


def score(reading: Reading) -> float:
    assert reading.status is Status.OK
    assert reading.order == [0]
    assert reading.scores is not None
    assert reading.scores[0] is not None
    return reading.scores[0]


# ERank: s x Pr(s)


def test_an_integer_counts_by_its_probability():
    answer = completion(
        "<think>", "a 9?", "</think>", "<", "answer", ">", Token("7", log(0.6)), "</", "answer", ">"
    )
    assert score(ERANK.read(answer, 1)) == pytest.approx(7 * 0.6)
    assert ERANK.read(answer, 1).reasoning == "a 9?"


def test_the_probability_of_ten_is_that_of_both_its_tokens():
    answer = completion("</think><answer>", Token("1", log(0.5)), Token("0", log(0.8)), "</answer>")
    assert score(ERANK.read(answer, 1, "<think>\n")) == pytest.approx(10 * 0.5 * 0.8)


def test_blanks_around_an_integer_are_no_part_of_its_probability():
    answer = completion(
        "</think><answer>", Token(" ", log(0.1)), Token("4", log(0.5)), Token("\n", log(0.1)), "</answer>"
    )
    assert score(ERANK.read(answer, 1)) == pytest.approx(4 * 0.5)


def test_characters_of_several_tokens_in_a_thought_do_not_move_the_answer():
    """Tokens that are parts of a character are not spelled as in the text, before the answer."""
    tokens = spelled("<think>", "�", "�", "", "</think>", "<answer>", Token("3", log(0.5)), "</answer>")
    answer = Completion("<think>🙂</think><answer>3</answer>", tokens=tokens)
    assert score(ERANK.read(answer, 1)) == pytest.approx(3 * 0.5)


def test_zero_is_zero_and_without_probabilities_the_integer_stands_alone():
    assert score(ERANK.read(completion("<answer>", Token("0", log(0.9)), "</answer>"), 1)) == 0
    assert score(ERANK.read(Completion("<think>x</think><answer>8</answer>"), 1)) == 8


@pytest.mark.parametrize(
    ("text", "finish_reason", "status"),
    [
        ("<think>x</think><answer>7</answer>", "stop", Status.OK),
        ("<think>x</think>7", "stop", Status.OK),
        ("<think>x</think><answer>7", "stop", Status.OK),
        ("<think>x</think><answer>7", "length", Status.TRUNCATED),
        ("<think>x</think><answer>1", "length", Status.TRUNCATED),
        ("<think>x", "length", Status.TRUNCATED),
        ("<think>x <answer>7</answer>", "length", Status.TRUNCATED),
        ("<think>x <answer>7</answer>", "stop", Status.UNREADABLE),
        ("<think>x</think><answer>11</answer>", "stop", Status.UNREADABLE),
        ("<think>x</think><answer>-1</answer>", "stop", Status.UNREADABLE),
        ("<think>x</think><answer>7.5</answer>", "stop", Status.UNREADABLE),
        ("<think>x</think><answer>٧</answer>", "stop", Status.UNREADABLE),
        ("<think>x</think><answer></answer>", "stop", Status.UNREADABLE),
        ("<think>x</think>I would say 7.", "stop", Status.UNREADABLE),
        ("7", "abort", Status.FAILED),
    ],
)
def test_an_integer_is_read_from_its_tags_or_alone(text, finish_reason, status):
    assert ERANK.read(Completion(text, finish_reason), 1).status is status


def test_a_forced_integer_has_a_probability_too():
    sampling = ERANK.finish_for(ERANK.sampling, 1)
    assert sampling.logprobs == ERANK.sampling.logprobs
    begun = ERANK.begin_answer("<think>not done")
    reading = ERANK.read(completion(Token("6", log(0.7)), "</answer>"), 1, begun)
    assert score(reading) == pytest.approx(6 * 0.7)


# TFRank: (grade / 4 + p(yes)) / 2


def graded(
    word: dict[str, float], digit: dict[str, float], said: str = "yes(3)", lowest: float = -9.0
) -> Completion:
    first, grade = said[:-3], said[-2]
    return completion(
        Token(first, word.get(first, 0.0), word, lowest),
        "(",
        Token(grade, digit.get(grade, 0.0), digit, lowest),
        ")",
    )


GRADES = {str(grade): log(share) for grade, share in enumerate((0.1, 0.1, 0.2, 0.5, 0.1))}


def test_a_grade_and_a_yes_are_weighed_by_their_probabilities():
    answer = graded({"yes": log(0.6), "no": log(0.2)}, GRADES)
    grade, relevant = 0.1 + 2 * 0.2 + 3 * 0.5 + 4 * 0.1, 0.75
    assert score(TFRANK.read(answer, 1)) == pytest.approx((grade / 4 + relevant) / 2)
    assert score(TFRANK_LABEL.read(answer, 1)) == pytest.approx(grade / 4)
    assert score(TFRANK_YESNO.read(answer, 1)) == pytest.approx(relevant)


def test_digits_that_are_not_among_the_likeliest_are_ten_below_the_least_of_them():
    answer = graded({"yes": 0.0, "no": 0.0}, {"3": log(0.9), "2": log(0.05)}, lowest=-5.0)
    unseen = math.exp(-15)
    weights = [unseen, unseen, 0.05, 0.9, unseen]
    grade = sum(number * weight for number, weight in enumerate(weights)) / sum(weights)
    assert score(TFRANK_LABEL.read(answer, 1)) == pytest.approx(grade / 4)


def test_so_is_a_word_that_is_not():
    answer = graded({"no": log(0.99)}, GRADES, "no(0)", lowest=-5.0)
    assert score(TFRANK_YESNO.read(answer, 1)) == pytest.approx(math.exp(-15) / (math.exp(-15) + 0.99))


def test_the_first_spelling_that_is_found_counts():
    answer = graded({"Yes": log(0.3), "YES": log(0.6), "NO": log(0.1), "No": log(0.3)}, GRADES, "Yes(3)")
    assert score(TFRANK_YESNO.read(answer, 1)) == pytest.approx(0.5)


def test_without_probabilities_the_words_stand_alone():
    assert score(TFRANK.read(Completion("yes(3)"), 1)) == (3 / 4 + 1) / 2
    assert score(TFRANK.read(Completion("no(1)"), 1)) == (1 / 4 + 0) / 2
    assert score(TFRANK_LABEL.read(Completion("no(1)"), 1)) == 1 / 4
    assert score(TFRANK_YESNO.read(Completion("no(1)"), 1)) == 0


@pytest.mark.parametrize(
    ("text", "finish_reason", "status"),
    [
        ("yes(3)", "stop", Status.OK),
        (" No ( 0 ).\n", "stop", Status.OK),
        ("<think>\n\n</think>\n\nyes(4)", "stop", Status.OK),
        ("yes(5)", "stop", Status.UNREADABLE),
        ("yes", "stop", Status.UNREADABLE),
        ("maybe(2)", "stop", Status.UNREADABLE),
        ("The answer is yes(3)", "stop", Status.UNREADABLE),
        ("<think>yes(3)", "stop", Status.UNREADABLE),
        ("yes(3)", "length", Status.TRUNCATED),
        ("yes(", "length", Status.TRUNCATED),
        ("", "error", Status.FAILED),
    ],
)
def test_a_grade_is_the_whole_answer(text, finish_reason, status):
    assert TFRANK.read(Completion(text, finish_reason), 1).status is status


def test_the_probabilities_are_those_behind_the_thought():
    thought = spelled("<think>", "yes", "(", "1", ")", "</think>", "\n\n")
    answer = graded({"yes": log(0.5), "no": log(0.5)}, GRADES)
    whole = Completion("<think>yes(1)</think>\n\nyes(3)", tokens=(*thought, *answer.tokens))
    assert score(TFRANK_THINKING.read(whole, 1)) == pytest.approx(score(TFRANK.read(answer, 1)))


# Rank1 and Qwen3-Reranker: p(yes) / (p(yes) + p(no))


def judged(
    true: float | None, false: float | None, said: str = " true", thought: str = "because."
) -> Completion:
    watched = {word: log(share) for word, share in ((" true", true), (" false", false)) if share is not None}
    return completion(thought, "</think>", Token(said, watched.get(said, -0.1), watched))


@pytest.mark.parametrize("finish_reason", ["stop", "length"])
def test_true_is_weighed_against_false_at_the_last_token(finish_reason):
    answer = judged(0.6, 0.2)
    reading = RANK1.read(Completion(answer.text, finish_reason, tokens=answer.tokens), 1)
    assert score(reading) == pytest.approx(0.75)
    assert reading.reasoning == "because."
    assert score(RANK1.read(judged(0.01, 0.98, " false"), 1)) == pytest.approx(0.01 / 0.99)


def test_a_model_that_left_one_word_out_is_made_to_weigh_both():
    assert RANK1.finishes_unreadable
    for answer in (judged(0.9, None), judged(None, 0.9, " false")):
        assert RANK1.read(answer, 1).status is Status.UNREADABLE
    sampling = RANK1.finish_for(RANK1.sampling, 1)
    assert (sampling.max_tokens, sampling.only_watched, sampling.stop) == (1, True, ())
    begun = "<think>" + RANK1.begin_answer("One sentence. Another one! And a ha")
    assert begun == "<think>\nOne sentence. Another one!\n</think>"
    forced = completion(
        Token(" false", log(0.7), {" true": log(0.3), " false": log(0.7)}), finish_reason="length"
    )
    assert score(RANK1.read(forced, 1, begun)) == pytest.approx(0.3)


@pytest.mark.parametrize(
    ("thought", "closed"),
    [
        ("no sentence at all", "\nno sentence at all\n</think>"),
        ("Is it 3.5? I", "\nIs it 3.5?\n</think>"),
        ("It is.\n\n", "\nIt is.\n</think>"),
        ("It is.</think> maybe", "\nIt is.\n</think>"),
        ("", "\n\n</think>"),
    ],
)
def test_a_thought_ends_after_its_last_whole_sentence(thought, closed):
    assert RANK1.begin_answer(thought) == closed


@pytest.mark.parametrize(
    ("text", "finish_reason", "status"),
    [
        ("So it is.</think> true", "stop", Status.OK),
        ("</think> false", "stop", Status.OK),
        ("So it is", "length", Status.TRUNCATED),
        ("So it is</think>", "length", Status.TRUNCATED),
        ("It is true", "stop", Status.UNREADABLE),
        (" true", "length", Status.TRUNCATED),
        ("So.</think> maybe", "stop", Status.UNREADABLE),
        ("So.</think><answer>maybe</answer>", "stop", Status.UNREADABLE),
        ("</think> true", "abort", Status.FAILED),
    ],
)
def test_a_word_is_no_answer_before_the_thought_has_ended(text, finish_reason, status):
    reading = RANK1.read(Completion(text, finish_reason), 1)
    assert reading.status is status
    if status is Status.OK:
        assert reading.scores == [float("true" in text)]


def test_a_model_that_answers_at_once_is_allowed_two_words_only():
    sampling = QWEN3.sampling_for(QWEN3.sampling, 1)
    assert (sampling.watch, sampling.only_watched, sampling.max_tokens) == (("yes", "no"), True, 1)
    answer = completion(Token("no", log(0.8), {"yes": log(0.2), "no": log(0.8)}), finish_reason="length")
    assert score(QWEN3.read(answer, 1)) == pytest.approx(0.2)


def test_impossible_words_are_no_error():
    nothing = completion(Token("no", -math.inf, {"yes": -math.inf, "no": -math.inf}), finish_reason="length")
    assert score(QWEN3.read(nothing, 1)) == 0.5
    sure = completion(Token("yes", 0.0, {"yes": 0.0, "no": -1e6}), finish_reason="length")
    assert score(QWEN3.read(sure, 1)) == 1


# FIRST: letters by their log-probabilities


def lettered(watched: dict[str, float]) -> Completion:
    return completion(Token("B", -0.1, watched), finish_reason="length")


def test_letters_stand_for_passages():
    reading = FIRST.read(lettered({"A": -2.0, "B": -0.1, "C": -1.0}), 3)
    assert (reading.order, reading.status, reading.listed) == ([1, 2, 0], Status.OK, 3)
    assert FIRST.sampling_for(FIRST.sampling, 3).watch == ("A", "B", "C")


def test_letters_that_are_not_among_the_likeliest_come_last_in_the_window_s_order():
    reading = FIRST.read(lettered({"D": -0.5, "B": -0.1, "Z": -0.01}), 5)
    assert (reading.order, reading.status) == ([1, 3, 0, 2, 4], Status.REPAIRED)
    assert reading.stated == [1, 3]


def test_no_letter_is_no_order():
    for answer in (lettered({}), lettered({"Z": -0.1}), Completion("B", "length")):
        reading = FIRST.read(answer, 3)
        assert (reading.order, reading.status) == ([0, 1, 2], Status.UNREADABLE)
    assert FIRST.read(Completion("", "error"), 3).status is Status.FAILED
    assert FIRST.most_passages == 26


# GroupRank: JSON


@pytest.mark.parametrize(
    ("answer", "scores", "status"),
    [
        ('\n```json\n{"[1]": 5, "[2]": 3, "[3]": 8}\n```\n', [0.5, 0.3, 0.8], Status.OK),
        ('```\n{"1": 5, "2": 3, "3": 8}\n```', [0.5, 0.3, 0.8], Status.OK),
        ('{"[1]": 5, "[2]": 3.5, "[3]": 10}', [0.5, 0.35, 1], Status.OK),
        ('{"[1]]": 5, "[2]": 3, "[3]": 0}', [0.5, 0.3, 0], Status.OK),
        ('Draft: {"[1]": 1}. Final: {"[1]": 5, "[2]": 3, "[3]": 8}', [0.5, 0.3, 0.8], Status.OK),
        ('{"[1]": 5, "[3]": 8}', [0.5, None, 0.8], Status.REPAIRED),
        ('{"[1]": 5, "[2]": 3, "[3]": 8, "[4]": 9}', [0.5, 0.3, 0.8], Status.REPAIRED),
        ('{"[1]": 5, "[2]": 11, "[3]": -1}', [0.5, None, None], Status.REPAIRED),
        ('{"[1]": 5, "[2]": "3", "[3]": true}', [0.5, None, None], Status.REPAIRED),
        ('{"[1]": NaN, "[2]": Infinity, "[3]": 2}', [None, None, 0.2], Status.REPAIRED),
        ('{"[1]": 5, "[2]": 3,}', None, Status.UNREADABLE),
        ('{"[4]": 5}', None, Status.UNREADABLE),
        ("[5, 3, 8]", None, Status.UNREADABLE),
        ("", None, Status.UNREADABLE),
    ],
)
def test_scores_are_tenths_and_what_was_not_scored_has_none(answer, scores, status):
    reading = GROUPRANK.read(Completion(f"<reason>\nwhy\n</reason>\n<answer>{answer}</answer>"), 3)
    assert (reading.scores, reading.status, reading.reasoning) == (scores, status, "why")


def test_scores_give_an_order_in_which_a_passage_without_one_comes_last():
    answer = '<answer>{"[1]": 3, "[3]": 8, "[4]": 3}</answer>'
    reading = GROUPRANK.read(Completion(answer), 4)
    assert (reading.order, reading.stated) == ([2, 0, 3, 1], [2, 0, 3])


@pytest.mark.parametrize(
    ("text", "finish_reason", "status"),
    [
        ('<reason>a</reason>{"[1]": 5}', "stop", Status.OK),
        ('<reason>a</reason>```json\n{"[1]": 5}\n```', "stop", Status.OK),
        ('<reason>a</reason><answer>{"[1]": 5}', "stop", Status.OK),
        ('<reason>a</reason><answer>{"[1]": 5}', "length", Status.TRUNCATED),
        ('<reason>a</reason>My scores: {"[1]": 5}', "stop", Status.UNREADABLE),
        ('<reason>a <answer>{"[1]": 5}</answer>', "length", Status.TRUNCATED),
        ('<think>a <answer>{"[1]": 5}</answer>', "length", Status.TRUNCATED),
        (
            '<think>a <answer>{"[1]": 9}</answer></think><reason>b</reason><answer>{"[1]": 5}</answer>',
            "stop",
            Status.OK,
        ),
        ("", "abort", Status.FAILED),
    ],
)
def test_scores_in_thought_and_prose_are_none(text, finish_reason, status):
    reading = GROUPRANK.read(Completion(text, finish_reason), 1)
    assert reading.status is status
    assert reading.scores == ([0.5] if status is Status.OK else None)


def test_a_group_s_answer_is_forced_after_whatever_thought_was_open():
    assert GROUPRANK.begin_answer("<reason>a") == "<reason>\na\n</reason>\n\n<answer>"
    assert GROUPRANK.begin_answer("a <reason>", "<think>\n") == "a <reason>\n</think>\n\n<answer>"
