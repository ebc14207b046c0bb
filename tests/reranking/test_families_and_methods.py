"""Options that choose families, methods, adapters and scores, and what becomes of them."""

import json
import logging
from itertools import pairwise
from pathlib import Path

import pytest

from rearank_cli.engines import Verdict
from rearank_cli.errors import UsageError
from rearank_cli.reranking.options import RerankOptions, recipe_for
from rearank_cli.reranking.results import model_scored
from rearank_cli.trec import read_run
from tests.reranking.collection import numbered, write_collection
from tests.reranking.engines import BestLast, Scripted


class Scoring:
    """Finds a document the better, the higher its number; of `d003` it knows nothing."""

    async def judge(self, query, passages, candidates):
        scores = [int(passage.doc_id[1:]) / 10 for passage in passages]
        order = sorted(range(len(passages)), key=lambda position: -scores[position])
        return Verdict(order, "by number", scores)


@pytest.fixture
def six(tmp_path: Path):
    return write_collection(tmp_path, {"q1": numbered(6)})


def scores_written(path: Path) -> list[tuple[str, float]]:
    return [(line.split()[2], float(line.split()[4])) for line in path.read_text().splitlines()]


def test_the_models_scores_are_written_and_the_tail_stays_below_them(six):
    six.rerank(Scoring(), family="erank", depth=4, scores="model", output=six.output)
    written = scores_written(six.output)
    assert [doc_id for doc_id, _ in written] == ["d003", "d002", "d001", "d000", "d004", "d005"]
    assert [round(score, 3) for _, score in written] == [3, 2, 1, 0, 0, 0]
    assert all(above > below for (_, above), (_, below) in pairwise(written))
    again = read_run(six.output)
    assert [document.doc_id for document in again["q1"]] == [doc_id for doc_id, _ in written]


def test_scores_of_the_model_are_kept_and_only_ties_are_parted():
    scored = model_scored(["a", "b", "c", "d"], {"a": 10.0, "b": 7.5, "c": 7.5})
    values = [score for _, score in scored]
    assert values[:2] == [10.0, 7.5]
    assert 7.5 > values[2] > values[3] > 7.499
    # What has no score and stands first is above all that have one.
    first = list(model_scored(["x", "a"], {"a": 0.9}))
    assert first[0].score > first[1].score == 0.9


def test_a_method_without_scores_has_none_to_write(six):
    with pytest.raises(UsageError, match="--scores model: method sliding orders without scores"):
        six.rerank(BestLast(), scores="model")


@pytest.mark.parametrize(
    ("family", "method", "fitting"),
    [
        ("rank-r1", "sliding", "setwise-heapsort, setwise-bubblesort"),
        ("erank", "setwise-heapsort", "pointwise"),
        ("rearank", "pointwise", "sliding, full, topdown, blitz, tourrank, setwise-heapsort"),
        ("iranker", "groupwise", "exclusion"),
    ],
)
def test_a_method_that_cannot_read_the_answers_is_refused_with_those_that_can(six, family, method, fitting):
    with pytest.raises(UsageError, match=f"--method {method} cannot work with family {family}.*{fitting}"):
        six.rerank(BestLast(), family=family, method=method)


def test_a_window_larger_than_an_alphabet_is_refused(six):
    with pytest.raises(UsageError, match="--window is 30, and family first can name at most 26"):
        six.rerank(BestLast(), family="first", window=30, depth=100)
    with pytest.raises(UsageError, match="--depth is 100, and family first can name at most 26"):
        six.rerank(BestLast(), family="first", method="full")


def test_a_comparison_needs_two_and_a_heap_three(six):
    with pytest.raises(UsageError, match="method blitz compares at least 2 passages"):
        six.rerank(BestLast(), method="blitz", window=1)
    with pytest.raises(UsageError, match="method setwise-heapsort compares at least 3 passages"):
        six.rerank(BestLast(), method="setwise-heapsort", window=2)


def test_an_option_that_the_method_does_not_have_is_told(six, caplog):
    with caplog.at_level(logging.WARNING):
        six.rerank(BestLast(), method="full", step=3, window=5)
    assert [record.getMessage() for record in caplog.records] == [
        "--step means nothing to method full",
        "--window means nothing to method full",
    ]


def test_a_listed_adapter_is_loaded_onto_its_base_whatever_family_reads_it():
    for family in (None, "rearank"):
        options = RerankOptions(model="ielabgroup/Rank-R1-7B-v0.1", family=family, revision="abc")
        wanted = recipe_for(options).wanted(options)
        assert (wanted.model, wanted.adapter) == ("Qwen/Qwen2.5-7B-Instruct", "ielabgroup/Rank-R1-7B-v0.1")
        assert (wanted.revision, wanted.adapter_revision) == (None, "abc")


def test_an_adapter_brings_its_family_and_one_that_is_not_listed_needs_one():
    listed = RerankOptions(model="Qwen/Qwen3-32B", adapter="ielabgroup/Rank-R1-32B-v0.2")
    assert recipe_for(listed).family.name == "rank-r1-v0.2"
    with pytest.raises(UsageError, match=r"no family lists the adapter '\./mine'; say .* with --family"):
        recipe_for(RerankOptions(model="Qwen/Qwen3-32B", adapter="./mine"))
    with pytest.raises(UsageError, match=r"family rank-r1-v0\.2 has no setting thinking"):
        recipe_for(
            RerankOptions(
                model="Qwen/Qwen3-32B",
                adapter="ielabgroup/Rank-R1-32B-v0.2",
                settings={"thinking": "off"},
            )
        )
    with pytest.raises(UsageError, match="is an adapter itself"):
        recipe_for(RerankOptions(model="ielabgroup/Rank-R1-7B-v0.1", adapter="./mine"))


def test_a_dataset_brings_its_authors_settings_and_the_users_win(caplog):
    options = RerankOptions(model="liuwenhan/reasonrank-7B", dataset="beir/nfcorpus/test")
    with caplog.at_level(logging.INFO):
        assert recipe_for(options).family.settings["cut"] == "100 tokens"
    assert "family reasonrank, as its authors ran it on beir/nfcorpus/test: cut=100 tokens" in caplog.text
    own = RerankOptions(
        model="liuwenhan/reasonrank-7B", dataset="beir/nfcorpus/test", settings={"cut": "50 tokens"}
    )
    assert recipe_for(own).family.settings["cut"] == "50 tokens"


def test_permutations_ask_about_each_window_in_other_orders(six):
    engine = Scripted()
    assert six.rerank(engine, permutations=3, traces=six.traces) == {"q1": numbered(6)[::-1]}
    assert len(engine.windows) == 3
    assert len({frozenset(window) for window in engine.windows}) == 1
    assert sorted(call["sample"] for call in six.calls()) == [0, 1, 2]
    with pytest.raises(UsageError, match="--permutations: family erank gives the score of a single passage"):
        six.rerank(Scoring(), family="erank", permutations=2)


@pytest.mark.parametrize(
    "options",
    [
        {"method": "topdown", "window": 3, "top": 2},
        {"method": "blitz", "window": 3, "top": 2},
        {"method": "tourrank", "window": 3, "passes": 2},
        {"method": "setwise-heapsort", "window": 3, "top": 2},
        {"family": "grouprank", "window": 3},
        {"passes": 2, "window": 4, "step": 2},
        {"permutations": 3},
    ],
    ids=json.dumps,
)
def test_every_method_is_replayed_from_its_traces(six, options):
    """Whatever was shuffled is shuffled the same way, and what was not listed is known."""
    first = six.rerank(Scoring(), traces=six.traces, seed=5, **options)
    family = {"family": options["family"]} if "family" in options else {}
    assert six.rerank("replay", traces=six.traces, **family) == first
    lines = six.traces.read_bytes()
    resumed = six.rerank(Scoring(), traces=six.traces, seed=5, resume=True, **options)
    assert resumed == first
    # Nothing was asked again: there is one more attempt, and no call.
    added = six.traces.read_bytes()[len(lines) :].splitlines()
    assert [json.loads(line)["type"] for line in added] == ["attempt"]
