"""Rewards: equal to the papers' own, and sane where those are not."""

import copy
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from rearank_cli.training.rewards import average_overlap, best_order, ndcg, rearank_reward, reasonrank_reward

Task = tuple[list[str], dict[str, int], list[int]]


def answer(order: list[int], thought: str = "so") -> str:
    listed = " > ".join(f"[{position + 1}]" for position in order)
    return f"<think>{thought}</think>\n<answer> {listed} </answer>"


@st.composite
def tasks(draw: st.DrawFn) -> Task:
    """A list, its judgments (also of documents that were not shown), and an order of it."""
    n = draw(st.integers(2, 20))
    doc_ids = [f"d{number}" for number in range(n)]
    judged = st.dictionaries(st.sampled_from([*doc_ids, "x1", "x2"]), st.integers(-1, 3))
    return doc_ids, draw(judged), draw(st.permutations(range(n)))


def test_they_are_those_of_the_references(shared: Path) -> None:
    cases = json.loads((shared / "conformance" / "rewards.json").read_text())
    assert len(cases) >= 30
    for case in cases:
        given_before = copy.deepcopy(case)
        ours = rearank_reward(case["response"], case["doc_ids"], case["qrels"])
        assert ours == pytest.approx(case["rearank"], abs=1e-4), case
        reward = reasonrank_reward(case["response"], case["doc_ids"], case["teacher"], case["relevant"])
        assert reward == pytest.approx(case["reasonrank"], abs=1e-4), case
        assert case == given_before


@given(tasks())
def test_no_order_is_rewarded_more_than_the_ideal_one(
    task: Task,
) -> None:
    doc_ids, qrels, order = task
    ideal = best_order(doc_ids, qrels)
    most = rearank_reward(answer(ideal), doc_ids, qrels)["score"]
    assert rearank_reward(answer(order), doc_ids, qrels)["score"] <= most + 1e-9
    relevant = [doc_id for doc_id in doc_ids if qrels.get(doc_id, 0) > 0]
    teacher = [position + 1 for position in best_order(doc_ids, dict.fromkeys(relevant, 1))]
    most = reasonrank_reward(answer([number - 1 for number in teacher]), doc_ids, teacher, relevant)
    assert reasonrank_reward(answer(order), doc_ids, teacher, relevant) <= most + 1e-9


@given(tasks())
def test_the_ideal_order_gains_all_there_is_to_gain(
    task: Task,
) -> None:
    doc_ids, qrels, _ = task
    ideal = best_order(doc_ids, qrels)
    ranked = [doc_ids[position] for position in ideal]
    assume(ndcg(ranked, qrels) > ndcg(doc_ids, qrels))
    assert rearank_reward(answer(ideal), doc_ids, qrels)["ndcg"] == pytest.approx(1)
    assert rearank_reward(answer(list(range(len(doc_ids)))), doc_ids, qrels)["ndcg"] == pytest.approx(0)


@given(tasks(), st.sampled_from(["{} so", " {}", "<answer>{}"]))
def test_of_two_answers_with_the_same_order_the_well_formed_one_is_rewarded_more(
    task: Task, spoilt: str
) -> None:
    doc_ids, qrels, order = task
    listed = " > ".join(f"[{position + 1}]" for position in order)
    well = f"<think>so</think><answer>{listed}</answer>"
    ill = spoilt.format(well)
    assert rearank_reward(ill, doc_ids, qrels)["ndcg"] == rearank_reward(well, doc_ids, qrels)["ndcg"]
    assert rearank_reward(ill, doc_ids, qrels)["score"] < rearank_reward(well, doc_ids, qrels)["score"]
    teacher = [position + 1 for position in order]
    assert reasonrank_reward(listed, doc_ids, teacher, ["d0"]) == -1
    assert reasonrank_reward(well.replace("[1]", "[1] > [1]"), doc_ids, teacher, ["d0"]) == 0
    assert reasonrank_reward(well, doc_ids, teacher, ["d0"]) > 0


@pytest.mark.parametrize(
    ("options", "reward"),
    [
        ({}, -2.0),  # (0.5 - 0.6309...) / (...): see below
        ({"clip": True}, 0.0),
        ({"gain": "ndcg"}, 0.5),
        ({"gain": "difference"}, 0.5 - 1 / 1.5849625),
    ],
)
def test_the_gain_can_be_had_as_in_the_papers_ablations(options: dict[str, Any], reward: float) -> None:
    doc_ids, qrels = ["a", "b", "c"], {"b": 1}
    got = rearank_reward(answer([2, 0, 1]), doc_ids, qrels, **options)["ndcg"]
    if not options:
        initial, reached = 1 / 1.5849625, 0.5
        reward = (reached - initial) / (1 - initial)
    assert got == pytest.approx(reward, abs=1e-6)


@pytest.mark.parametrize(
    ("listed", "published", "complete"),
    [
        ("[1] > [2] > [3]", 1, 1),
        ("[3]", 1, 0),
        ("[1] > [1] > [2]", 1, 0),
        ("1, 2, 3", 0, 0),
        ("so [1] > [2] > [3]", 1, 0),
    ],
)
def test_a_single_identifier_is_a_well_formed_ranking_unless_it_has_to_be_complete(
    listed: str, published: int, complete: int
) -> None:
    response = f"<think>so</think><answer>{listed}</answer>"
    assert rearank_reward(response, ["a", "b", "c"], {"b": 1})["ranking_format"] == published
    assert rearank_reward(response, ["a", "b", "c"], {"b": 1}, complete=True)["ranking_format"] == complete


@given(st.permutations(range(8)), st.permutations(range(8)))
def test_overlap_is_the_mean_over_all_depths(one: list[int], other: list[int]) -> None:
    by_definition = sum(len({*one[:depth]} & {*other[:depth]}) / depth for depth in range(1, 9)) / 8
    assert average_overlap(one, other) == pytest.approx(by_definition)
    assert average_overlap(one, one) == 1


@pytest.mark.parametrize(
    "response", ["", "[99999999999999999999999]", "<answer>", "\ud800[1]", "①²", "<think>" * 2000]
)
def test_any_text_has_a_reward(response: str) -> None:
    assert set(rearank_reward(response, ["a", "b"], {"a": 1})) == {
        "score",
        "ndcg",
        "response_format",
        "ranking_format",
    }
    assert reasonrank_reward(response, ["a", "b"], [1, 2], ["a"]) == -1
