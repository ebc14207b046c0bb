"""The functions that trainers call, called as they call them."""

import copy
import json
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from typing import Any

import pytest

from rearank_cli.training import trl_reward, verl_reward
from rearank_cli.training.ground_truth import GroundTruth
from rearank_cli.training.rewards import rearank_reward, reasonrank_reward

DOC_IDS = ["a", "b", "c"]
TRUTH = GroundTruth.of("q1", DOC_IDS, {"b": 1, "c": 2, "z": 3})
GOOD = "<think>so</think><answer>[3] > [2] > [1]</answer>"
ANSWERS = [GOOD, "<think>so</think><answer>[3]</answer>", "[3] > [2] > [1]", "", "<answer>", "no [9]"]


def rewarded(answer: str, **options: Any) -> dict[str, float]:
    extra = {"index": 0, "num_turns": 1}
    before = copy.deepcopy(extra)
    told = {"data_source": "x", "solution_str": answer, "ground_truth": TRUTH.to_json(), "extra_info": extra}
    parts = verl_reward.compute_score(**told, **options)
    assert extra == before
    return parts


def test_a_ground_truth_reads_back():
    assert GroundTruth.from_json(TRUTH.to_json()) == TRUTH
    assert (TRUTH.teacher, TRUTH.relevant) == ([3, 2, 1], ["b", "c"])
    assert GroundTruth.of("q1", DOC_IDS, {"b": 1, "c": 2}, level=2).relevant == ["c"]


@pytest.mark.parametrize("text", ["{}", "[]", "", '{"doc_ids": []}', "null", '"a"'])
def test_another_ground_truth_is_refused(text):
    with pytest.raises(ValueError, match=r"no ground truth|Expecting value"):
        verl_reward.compute_score("x", GOOD, text)


@pytest.mark.parametrize("answer", ANSWERS)
def test_the_rewards_are_those_of_the_papers(answer):
    assert rewarded(answer) == rearank_reward(answer, DOC_IDS, TRUTH.qrels)
    theirs = rewarded(answer, reward="reasonrank")
    assert theirs["score"] == reasonrank_reward(answer, DOC_IDS, TRUTH.teacher, TRUTH.relevant)


def test_every_return_has_the_same_keys():
    for reward in ("rearank", "reasonrank"):
        assert len({frozenset(rewarded(answer, reward=reward)) for answer in ANSWERS}) == 1


def test_reasonranks_parts_make_its_reward():
    parts = rewarded(GOOD, reward="reasonrank")
    assert parts["score"] == pytest.approx(parts["ndcg"] + 0.2 * parts["recall"] + 0.1 * parts["overlap"])
    assert (parts["ndcg"], parts["recall"], parts["overlap"]) == (1, 1, 1)


@pytest.mark.parametrize(
    ("options", "score"),
    [
        ({"weights": {"ndcg": 1.0, "response_format": 0.0, "ranking_format": 0.0}}, 1.0),
        ({"weights": {"response_format": 0.5}}, 0.8 + 0.5 + 0.1),
        ({"reward": "reasonrank", "recall_weight": 0.0, "overlap_weight": 0.0}, 1.0),
        ({"reward": "reasonrank", "gain": "ndcg", "reward_router_address": None}, 1.3),
    ],
)
def test_options_come_as_keywords_among_others(options, score):
    assert rewarded(GOOD, **options)["score"] == pytest.approx(score)


def test_another_reward_is_refused():
    with pytest.raises(ValueError, match="it is one of rearank, reasonrank"):
        rewarded(GOOD, reward="rerank")


def test_threads_do_not_disturb_each_other():
    with ThreadPoolExecutor(8) as pool:
        parts = list(pool.map(rewarded, ANSWERS * 50))
    assert parts == [rewarded(answer) for answer in ANSWERS] * 50


def test_a_batch_is_its_answers_one_by_one():
    n = len(ANSWERS)
    batch = {
        "data_sources": ["x"] * n,
        "solution_strs": ANSWERS,
        "ground_truths": [TRUTH.to_json()] * n,
        "extra_infos": [{}] * n,
    }
    assert verl_reward.compute_scores(**batch, gain="ndcg") == [
        rewarded(answer, gain="ndcg") for answer in ANSWERS
    ]


def test_the_file_can_be_loaded_by_its_path():
    spec = spec_from_file_location("custom_module_1", Path(verl_reward.__file__))
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    assert module.compute_score("x", GOOD, TRUTH.to_json())["score"] == 1


def test_they_need_nothing_but_python():
    source = str(Path(verl_reward.__file__).parents[2])
    code = (
        f"import sys; sys.path.append({source!r}); import rearank_cli.training.verl_reward as one; "
        "import rearank_cli.training.trl_reward; print(one.compute_score('x', '', sys.argv[1])['score'])"
    )
    command = [sys.executable, "-I", "-S", "-c", code, TRUTH.to_json()]
    assert subprocess.run(command, capture_output=True, text=True, check=True).stdout == "0.0\n"


@pytest.mark.parametrize("conversational", [True, False])
def test_trl_has_a_number_for_each_completion_and_the_parts_in_its_log(conversational):
    logged = {}
    completions: list[Any] = ANSWERS
    if conversational:
        completions = [[{"role": "assistant", "content": answer}] for answer in ANSWERS]
    told = {
        "prompts": [[{"role": "user", "content": "?"}]] * len(ANSWERS),
        "completion_ids": [[1]] * len(ANSWERS),
        "trainer_state": None,
        "log_extra": None,
        "log_metric": logged.__setitem__,
    }
    truths = [TRUTH.to_json()] * len(ANSWERS)
    scores = trl_reward.rearank(completions=completions, ground_truth=truths, **told)
    assert scores == [rewarded(answer)["score"] for answer in ANSWERS]
    assert logged["reward_parts/response_format"] == pytest.approx(2 / 6)
    assert set(logged) == {f"reward_parts/{part}" for part in rewarded(GOOD)}
    # Rows that were written for verl.
    rows = [{"style": "rule", "ground_truth": truth} for truth in truths]
    assert trl_reward.rearank(completions=completions, reward_model=rows, **told) == scores


def test_trl_is_told_what_its_data_lacks():
    with pytest.raises(ValueError, match="rearank train data"):
        trl_reward.rearank(prompts=[], completions=[GOOD], completion_ids=[[1]])


def test_trls_functions_have_names_and_options():
    assert (trl_reward.rearank.__name__, trl_reward.reasonrank.__name__) == ("rearank", "reasonrank")
    function = trl_reward.reward_function("rearank", gain="difference")
    told = {"completions": [GOOD], "ground_truth": [json.dumps(json.loads(TRUTH.to_json()))]}
    assert function(**told) == [rewarded(GOOD, gain="difference")["score"]]
