from collections import Counter
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rearank_cli.methods import Ask, consistent, shuffle_for
from rearank_cli.records import Reading, Status, Window
from tests.methods.judges import Judge, arbitrary, failing, numbers, perfect, quick, shuffled

SEEDS = st.integers(0, 1 << 30)
READ = Reading(Status.OK, [])


class Answered:
    """Asks a judge, and keeps what it was asked."""

    def __init__(self, judge: Judge) -> None:
        self.judge = judge
        self.windows: list[Window] = []

    async def __call__(self, window: Window) -> Reading:
        self.windows.append(window)
        return self.judge(window)


def asking(judge: Judge, permutations: int = 5) -> tuple[Ask, Answered]:
    answered = Answered(judge)
    return consistent(answered, permutations, shuffle_for(3, "q")), answered


def in_turn(*judges: Judge) -> Judge:
    return lambda window: judges[window.sample % len(judges)](window)


@quick
@given(st.integers(1, 20), SEEDS)
async def test_answers_that_agree_are_the_reading_of_the_window_as_it_stands(n, seed):
    ask, _ = asking(perfect)
    window = Window(tuple(shuffled(n, seed)), 3, 3 + n)
    reading = await ask(window)
    assert reading.order == perfect(window).order
    assert (reading.status, reading.listed, reading.forced) == (Status.OK, None, False)


async def test_every_permutation_is_a_sample_of_its_own_and_keeps_the_place_of_the_window():
    ask, answered = asking(perfect, 4)
    await ask(Window(tuple(numbers(20)), 30, 50, sample=2))
    assert [window.sample for window in answered.windows] == [8, 9, 10, 11]
    assert {(window.start, window.end) for window in answered.windows} == {(30, 50)}
    orders = [window.doc_ids for window in answered.windows]
    assert all(sorted(order) == sorted(numbers(20)) for order in orders)
    assert len({*orders, tuple(numbers(20))}) == 5


async def test_one_permutation_is_the_window_itself():
    ask, answered = asking(perfect, 1)
    await ask(Window(("1", "0"), 0, 2))
    assert answered.windows == [Window(("1", "0"), 0, 2)]


async def test_a_judge_that_likes_the_first_place_is_heard_and_cancels_out():
    """It puts whatever stands first to the top; the rest it orders right."""

    def judge(window: Window) -> Reading:
        order = [0, *(place for place in perfect(window).order if place)]
        return Reading(Status.OK, order)

    ask, _ = asking(judge, 9)
    reading = await ask(Window(tuple(shuffled(20, 1))))
    assert reading.arrange(shuffled(20, 1)) == numbers(20)


async def test_the_majority_decides():
    def reverse(window: Window) -> Reading:
        return Reading(Status.OK, perfect(window).order[::-1])

    ask, _ = asking(in_turn(perfect, reverse, perfect, reverse, perfect))
    assert (await ask(Window(("2", "0", "1")))).order == [1, 2, 0]
    ask, _ = asking(in_turn(perfect, reverse), 4)
    assert (await ask(Window(("2", "0", "1")))).order == [0, 1, 2], "a draw keeps the window's order"


@pytest.mark.parametrize(
    ("readings", "status"),
    [
        ((perfect, perfect), Status.OK),
        ((perfect, failing), Status.REPAIRED),
        ((failing, perfect), Status.REPAIRED),
        ((perfect, lambda window: replace(perfect(window), status=Status.REPAIRED)), Status.REPAIRED),
        ((lambda window: replace(failing(window), status=Status.TRUNCATED), failing), Status.TRUNCATED),
    ],
)
async def test_the_status_is_ok_where_all_answers_were(readings, status):
    ask, _ = asking(in_turn(*readings), 2)
    reading = await ask(Window(("1", "0")))
    assert reading.status is status
    assert reading.order == ([1, 0] if reading.answered else [0, 1])


async def test_answers_that_failed_have_no_vote():
    ask, _ = asking(in_turn(failing, failing, failing, failing, perfect))
    assert (await ask(Window(tuple(shuffled(20, 2))))).arrange(shuffled(20, 2)) == numbers(20)


async def test_choices_are_votes():
    """A choice says that the others are worse, and nothing of these."""

    def choosing(best: str) -> Judge:
        def judge(window: Window) -> Reading:
            chosen = window.doc_ids.index(best)
            rest = [place for place in range(len(window.doc_ids)) if place != chosen]
            return Reading(Status.OK, [chosen, *rest], listed=1)

        return judge

    ask, _ = asking(in_turn(*map(choosing, ["7", "9", "7", "9", "7"])))
    reading = await ask(Window(tuple(numbers(20))))
    assert reading.arrange(numbers(20)) == ["7", "9", *(one for one in numbers(20) if one not in "79")]
    assert reading.listed == 2


async def test_scores_are_means_over_the_answers_that_gave_one():
    def scored(*scores: float | None) -> Judge:
        return lambda window: replace(
            perfect(window), scores=[scores[int(doc_id)] for doc_id in window.doc_ids]
        )

    def cut_off(window: Window) -> Reading:
        return replace(failing(window), scores=[9.0] * 3)

    ask, _ = asking(in_turn(scored(1.0, None, None), scored(0.0, 0.5, None), cut_off), 3)
    assert (await ask(Window(("0", "1", "2")))).scores == [0.5, 0.5, None]
    ask, _ = asking(perfect)
    assert (await ask(Window(("0", "1", "2")))).scores is None


async def test_reasons_of_all_answers_are_kept():
    ask, _ = asking(lambda window: replace(perfect(window), reasoning=f"sample {window.sample}"), 2)
    assert (await ask(Window(("0", "1")))).reasoning == "sample 0\n\nsample 1"


async def test_a_forced_answer_counts_and_says_so():
    def forced(window: Window) -> Reading:
        return replace(perfect(window), status=Status.TRUNCATED, forced=True)

    ask, _ = asking(in_turn(forced, failing), 2)
    reading = await ask(Window(("1", "0")))
    assert (reading.order, reading.forced, reading.status) == ([1, 0], True, Status.REPAIRED)


@quick
@given(st.integers(1, 12), st.integers(2, 6), SEEDS)
async def test_whatever_is_answered_the_reading_is_a_permutation(n, permutations, seed):
    ask, answered = asking(arbitrary(seed), permutations)
    reading = await ask(Window(tuple(numbers(n))))
    assert sorted(reading.order) == list(range(n))
    assert Counter(window.sample for window in answered.windows) == Counter(range(permutations))
