import pytest

from tests.methods.judges import numbers, perfect, run, shuffled


@pytest.mark.parametrize("n", [1, 20, 100])
async def test_one_window_holds_all(n):
    outcome = await run("full", shuffled(n, 2), perfect)
    assert outcome.order == numbers(n)
    assert outcome.cost == (1, 1, n)
    assert (outcome.windows[0].start, outcome.windows[0].end) == (0, n)
