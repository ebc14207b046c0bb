"""Every family and every method over NFCorpus, whose lists are of any length, with the lexical judge."""

from collections import Counter
from collections.abc import Callable, Sequence
from math import ceil
from pathlib import Path

import pytest

from rearank_cli import rerank
from rearank_cli.engines import LexicalJudge, Verdict
from rearank_cli.families import family_names
from rearank_cli.methods import METHODS
from rearank_cli.records import Passage, Query, Run
from rearank_cli.trec import read_run

pytestmark = pytest.mark.shared

DATASET = "beir/nfcorpus/test"
# A family for each method whose answers it can read.
FAMILIES = {
    "setwise-heapsort": "rank-r1",
    "setwise-bubblesort": "setwise-sft",
    "pointwise": "rank1",
    "groupwise": "grouprank",
    "exclusion": "iranker",
}


class Counted(LexicalJudge):
    """The lexical judge, with the calls and the documents of each query."""

    def __init__(self) -> None:
        self.calls: Counter[str] = Counter()
        self.most_shown = 0

    async def judge(
        self, query: Query, passages: Sequence[Passage], candidates: Sequence[Passage]
    ) -> Verdict:
        self.calls[query.query_id] += 1
        self.most_shown = max(self.most_shown, len(passages))
        return await super().judge(query, passages, candidates)


@pytest.fixture(scope="module")
def before(shared: Path, irds_home: Path) -> Run:
    run = read_run(shared / "data" / "runs" / "nfcorpus.bm25.trec.gz")
    lengths = {len(ranking) for ranking in run.values()}
    assert min(lengths) == 1
    assert len(lengths) > 20
    return run


def documents(run: Run) -> dict[str, list[str]]:
    return {query_id: sorted(document.doc_id for document in ranking) for query_id, ranking in run.items()}


@pytest.mark.parametrize("name", family_names())
def test_every_family_loses_and_invents_nothing(name: str, before: Run) -> None:
    judge = Counted()
    # A query of every length there is.
    of_length = {len(ranking): query_id for query_id, ranking in before.items()}
    few = Run({query_id: before[query_id] for query_id in of_length.values()})
    after = rerank(few, dataset=DATASET, family=name, engine=judge)
    assert documents(after) == documents(few)
    assert list(after) == list(few)
    assert judge.calls


def exactly(calls: Callable[[int], int]) -> Callable[[int, int], bool]:
    return lambda n, made: made == calls(n)


# Calls for a list of N documents, as each method's docstring has them: window 20, step 10, top 10.
CALLS: dict[str, Callable[[int, int], bool]] = {
    "sliding": exactly(lambda n: 1 + ceil(max(0, n - 20) / 10)),
    "full": exactly(lambda n: 1),
    "topdown": lambda n, made: made == (n > 1) if n <= 20 else made >= 1 + ceil((n - 20) / 19),
    "blitz": lambda n, made: made == 1 if n <= 20 else made >= ceil(n / 20) + 1,
    "tourrank": lambda n, made: made <= 13,
    "setwise-heapsort": lambda n, made: (n > 1) <= made <= ceil((n - 1) / 19) * 2 + 2 * 9,
    "setwise-bubblesort": exactly(
        lambda n: sum(ceil((n - first - 1) / 19) for first in range(min(10, n)) if n - first > 1)
    ),
    "pointwise": exactly(lambda n: n),
    "groupwise": exactly(lambda n: 2 * ceil(n / 20)),
    "exclusion": exactly(lambda n: min(n, 9) - 1),
}


@pytest.mark.parametrize("method", METHODS)
def test_every_method_loses_nothing_and_makes_the_calls_it_documents(method: str, before: Run) -> None:
    judge = Counted()
    family = FAMILIES.get(method, "rearank")
    after = rerank(before, dataset=DATASET, family=family, method=method, engine=judge)
    assert documents(after) == documents(before)
    wrong = {
        len(ranking): judge.calls[query_id]
        for query_id, ranking in before.items()
        if not CALLS[method](len(ranking), judge.calls[query_id])
    }
    assert not wrong
    assert judge.most_shown <= {"full": 100, "pointwise": 1, "exclusion": 9}.get(method, 20)
