from hypothesis import given
from hypothesis import strategies as st

from rearank_cli.records import Reading, Status, Window
from tests.methods.judges import failing, numbers, perfect, quick, run, shuffled

SIZES = st.integers(0, 40)
SEEDS = st.integers(0, 1 << 30)


def naming_the_worst(window: Window) -> Reading:
    worst = perfect(window).order[-1]
    rest = [place for place in range(len(window.doc_ids)) if place != worst]
    return Reading(Status.OK, [*rest, worst])


@quick
@given(SIZES, SEEDS)
async def test_the_worst_goes_until_one_is_left(n, seed):
    outcome = await run("exclusion", shuffled(n, seed), naming_the_worst)
    assert outcome.order == numbers(n)
    calls = max(0, n - 1)
    assert outcome.cost == (calls, calls, n * (n + 1) // 2 - 1 if n else 0)
    assert [len(window.doc_ids) for window in outcome.windows] == list(range(n, 1, -1))


async def test_a_hundred_documents_take_as_many_calls_less_one():
    assert (await run("exclusion", shuffled(100, 1), naming_the_worst)).cost == (99, 99, 5049)


async def test_without_an_answer_the_last_by_first_stage_rank_goes():
    def judge(window: Window) -> Reading:
        return failing(window) if len(window.doc_ids) == 4 else naming_the_worst(window)

    outcome = await run("exclusion", ["4", "3", "1", "2", "0"], judge)
    assert outcome.order == ["1", "2", "3", "0", "4"]
