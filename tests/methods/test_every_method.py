"""What every method promises, whatever its way of asking."""

import asyncio
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rearank_cli.errors import EngineError
from rearank_cli.methods import METHODS, consistent, shuffle_for
from rearank_cli.records import Reading, Window
from tests.methods.judges import (
    Judge,
    arbitrary,
    at_times,
    failing,
    indifferent,
    listing,
    noisy,
    numbers,
    perfect,
    quick,
    run,
    scoring,
    shuffled,
)

every_method = pytest.mark.parametrize("name", METHODS)
SIZES = st.integers(0, 60)
SEEDS = st.integers(0, 1 << 30)

# Lists of these lengths are where windows begin to be too large, too small, or not to fit.
LENGTHS = [0, 1, 19, 20, 21, 25, 95, 100]


@st.composite
def options(draw):
    window = draw(st.integers(2, 25))
    return {
        "window": window,
        "step": draw(st.integers(1, window)),
        "top": draw(st.integers(1, 70)),
        "passes": draw(st.integers(1, 3)),
        "shuffle": shuffle_for(draw(SEEDS), "a query"),
    }


def right(name: str) -> Judge:
    """A judge that never errs, in the manner that the method asks for."""
    return scoring if name in ("pointwise", "groupwise") else perfect


@every_method
@quick
@given(SIZES, options(), SEEDS)
async def test_any_judge_gives_a_permutation(name, n, taken, seed):
    judge = at_times(seed, failing, arbitrary(seed), rate=0.2)
    outcome = await run(name, shuffled(n, seed), judge, **taken)
    assert len({(window.doc_ids, window.sample) for window in outcome.windows}) == outcome.calls


@every_method
@pytest.mark.parametrize("n", LENGTHS)
async def test_lengths_at_which_windows_begin_to_fit(name, n):
    outcome = await run(name, shuffled(n, 1), right(name))
    assert bool(outcome.calls) == (n > 1 or (n == 1 and name in ASKED_ABOUT_ONE))
    await run(name, shuffled(n, 1), right(name), top=n + 5)


ASKED_ABOUT_ONE = {"sliding": 1, "full": 1, "blitz": 1, "pointwise": 1, "groupwise": 2}


@every_method
async def test_a_single_document_is_asked_about_where_there_is_something_to_ask(name):
    outcome = await run(name, ["0"], right(name))
    assert outcome.calls == ASKED_ABOUT_ONE.get(name, 0)


@every_method
@quick
@given(SIZES, options(), SEEDS)
async def test_no_answer_at_all_leaves_the_order_as_it_was(name, n, taken, seed):
    before = shuffled(n, seed)
    assert (await run(name, before, failing, **taken)).order == before


@every_method
@quick
@given(SIZES, options(), SEEDS)
async def test_a_judge_to_which_all_are_equal_leaves_the_order_as_it_was(name, n, taken, seed):
    before = shuffled(n, seed)
    assert (await run(name, before, indifferent, **taken)).order == before


@every_method
@quick
@given(st.integers(0, 40), options(), SEEDS)
async def test_the_order_does_not_depend_on_which_answer_came_first(name, n, taken, seed):
    judge = at_times(seed, failing, arbitrary(seed), rate=0.2)
    at_once = await run(name, shuffled(n, seed), judge, **taken)
    one_by_one = await run(name, shuffled(n, seed), judge, late=Random(seed), **taken)
    assert one_by_one.ranking == at_once.ranking
    assert set(one_by_one.windows) == set(at_once.windows)


@every_method
@quick
@given(st.integers(0, 30), SEEDS)
async def test_the_least_window_is_enough(name, n, seed):
    taken = {"window": METHODS[name].least_window, "step": 1}
    await run(name, shuffled(n, seed), arbitrary(seed), **taken)


@every_method
@pytest.mark.parametrize("number", [0, 3])
async def test_a_call_that_fails_does_not_stop_the_others(name, number):
    answered = -1

    def judge(window: Window) -> Reading:
        nonlocal answered
        answered += 1
        return failing(window) if answered == number else right(name)(window)

    before = noisy(100, 3)
    outcome = await run(name, before, judge)
    assert outcome.calls > number or name == "full"
    if name != "full":
        better = sum(int(doc_id) < 10 for doc_id in outcome.order[:10])
        assert better >= sum(int(doc_id) < 10 for doc_id in before[:10])
        assert outcome.order != before


@every_method
@quick
@given(st.integers(0, 40), options(), SEEDS)
async def test_what_was_listed_is_above_what_was_not(name, n, taken, seed):
    """A list that names half of the window, or none of it, is as good as it says and no better."""
    judge = at_times(seed, listing(lambda window: len(window.doc_ids) // 2, right(name)), failing)
    await run(name, shuffled(n, seed), judge, **taken)


@every_method
async def test_another_seed_asks_in_another_order_and_the_same_seed_in_the_same(name):
    first, again, other = [
        await run(name, numbers(60), right(name), shuffle=shuffle_for(seed, "q")) for seed in (1, 1, 2)
    ]
    assert first.windows == again.windows
    assert (first.windows != other.windows) == ("shuffle" in METHODS[name].takes)


@every_method
async def test_an_error_of_asking_is_raised_as_it_is_and_nothing_goes_on(name):
    """An engine's death must reach the command as one error, not as a group of them."""

    async def ask(window: Window) -> Reading:
        asked.append(window)
        if len(asked) == 4:
            raise EngineError("the engine died")
        await asyncio.sleep(0)
        return right(name)(window)

    asked: list[Window] = []
    method = METHODS[name]
    usual = {"window": 5, "step": 2, "top": 10, "passes": method.passes, "shuffle": shuffle_for(1, "q")}
    taken = {option: value for option, value in usual.items() if option in method.takes}
    if name == "full":
        asked = [Window(())] * 3
    with pytest.raises(EngineError, match="the engine died"):
        await method.run(numbers(60), ask, **taken)
    calls = len(asked)
    await asyncio.sleep(0)
    assert len(asked) == calls
    assert asyncio.all_tasks() == {asyncio.current_task()}


@every_method
async def test_every_window_may_be_asked_about_in_several_permutations(name):
    def through(ask):
        return consistent(ask, 3, shuffle_for(1, "q"))

    judge = right(name)
    alone = await run(name, noisy(60, 1), judge)
    thrice = await run(name, noisy(60, 1), judge, through=through)
    assert thrice.order == alone.order
    assert thrice.cost == (3 * alone.calls, alone.chain, 3 * alone.documents)


@every_method
async def test_a_method_documents_its_source_and_what_it_takes(name):
    told = METHODS[name].run.__doc__
    assert "20" in told.split("\n\n")[0]  # the year of the paper
    for promise in ("Calls: ", "Longest chain: ", "Documents read: ", "Given a judge that never errs"):
        assert promise in told.replace("\n    ", " ")


@every_method
def test_a_method_takes_by_keyword_what_it_says_it_takes(name):
    code = METHODS[name].run.__code__
    keywords = code.co_varnames[code.co_argcount : code.co_argcount + code.co_kwonlyargcount]
    assert set(keywords) == METHODS[name].takes
    assert METHODS[name].name == name
