"""verl itself: its own loader, dataset and reward managers take what is written for them."""

import asyncio
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from rearank_cli.training import verl_reward
from tests.training.conftest import TEXTS, Train

pytest.importorskip("verl", reason="verl is not installed")
pytest.importorskip("hydra", reason="hydra is not installed")


@pytest.fixture
def data(train: Train, bees: Path) -> Path:
    assert train("data", "run.trec", *TEXTS, "--draws", "3", "--size", "8").status == 0
    return bees / "train.parquet"


@pytest.fixture
def config(train: Train, data: Path, bees: Path) -> Any:
    """verl's configuration, composed by Hydra as its own program does."""
    from hydra import compose, initialize_config_dir

    assert train("config", "verl", "--data", data, "--recipe", "rearank").status == 0
    with initialize_config_dir(str(bees / "training"), version_base=None):
        return compose("verl")


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    from tests.tiny_model import make_tiny_model

    return make_tiny_model(tmp_path_factory.mktemp("tiny"))


def ideal(row: dict[str, Any]) -> str:
    listed = " > ".join(f"[{position + 1}]" for position in row["new_rank"])
    return f"<think> so </think><answer>{listed}</answer>"


def test_the_configuration_is_accepted(config):
    from verl.trainer.ppo.utils import need_critic, need_reference_policy
    from verl.utils.config import validate_config

    validate_config(config, need_reference_policy(config), need_critic(config))
    assert config.algorithm.adv_estimator == "grpo"
    assert config.actor_rollout_ref.actor.optim.lr == 1e-6
    assert config.actor_rollout_ref.rollout.n == 32
    # All else is verl's own.
    assert config.critic.ppo_epochs == config.actor_rollout_ref.actor.ppo_epochs


@pytest.mark.parametrize("recipe", ["rearank", "reasonrank"])
def test_the_reward_is_loaded_from_the_configuration(recipe, train, data, bees):
    from hydra import compose, initialize_config_dir
    from verl.trainer.ppo.reward import get_custom_reward_fn

    assert train("config", "verl", "--data", data, "--recipe", recipe).status == 0
    row = pq.read_table(data).to_pylist()[0]
    with initialize_config_dir(str(bees / "training"), version_base=None):
        function = get_custom_reward_fn(compose("verl"))
        told = {"data_source": row["data_source"], "ground_truth": row["reward_model"]["ground_truth"],
                "extra_info": row["extra_info"]}  # fmt: skip
        parts = function(solution_str=ideal(row), **told)
        assert parts["score"] == pytest.approx({"rearank": 1.0, "reasonrank": 1.3}[recipe])
        if recipe == "rearank":
            option = "reward.custom_reward_function.reward_kwargs.gain=ndcg"
            function = get_custom_reward_fn(compose("verl", overrides=[f"+{option}"]))
            best = row["best_metrics"]["NDCG@10"]
            assert function(solution_str=ideal(row), **told)["ndcg"] == pytest.approx(best)


def test_rows_and_rewards_go_through_verls_dataset_and_manager(config, data, model):
    import torch
    from omegaconf import OmegaConf
    from transformers import AutoTokenizer
    from verl import DataProto
    from verl.trainer.ppo.reward import load_reward_manager
    from verl.utils.dataset.rl_dataset import RLHFDataset, collate_fn

    tokenizer = AutoTokenizer.from_pretrained(model)
    config.data.filter_overlong_prompts_workers = 1
    dataset = RLHFDataset([str(data)], tokenizer, OmegaConf.create(config.data))
    rows = pq.read_table(data).to_pylist()
    assert len(dataset) == len(rows)
    batch = collate_fn([dataset[number] for number in range(3)])
    assert [dict(turn) for turn in batch["raw_prompt"][0]] == rows[0]["prompt"]
    answers = [ideal(rows[0]), ideal(rows[1]), "nothing"]
    responses = [tokenizer(answer)["input_ids"] for answer in answers]
    longest = max(map(len, responses))
    padded = [ids + [tokenizer.pad_token_id] * (longest - len(ids)) for ids in responses]
    mask = [[1] * (1 + len(ids)) + [0] * (longest - len(ids)) for ids in responses]
    tensors = {
        "prompts": torch.zeros((3, 1), dtype=torch.long),
        "responses": torch.tensor(padded),
        "attention_mask": torch.tensor(mask),
    }
    others = {key: value for key, value in batch.items() if not isinstance(value, torch.Tensor)}
    told = DataProto.from_dict(tensors=tensors, non_tensors=others)

    async def rewarded() -> list[dict[str, Any]]:
        manager = load_reward_manager(config, tokenizer)
        return await asyncio.gather(*(manager.run_single(told[place : place + 1]) for place in range(3)))

    results = asyncio.run(rewarded())
    assert [result["reward_score"] for result in results] == pytest.approx([1.0, 1.0, 0.0])
    parts = {"score", "ndcg", "response_format", "ranking_format"}
    assert all(set(result["reward_extra_info"]) == parts for result in results)


def test_the_batch_form_goes_through_the_older_manager(data, model):
    import numpy as np
    import torch
    from transformers import AutoTokenizer
    from verl import DataProto
    from verl.workers.reward_manager import BatchRewardManager

    tokenizer = AutoTokenizer.from_pretrained(model)
    rows = pq.read_table(data).to_pylist()[:2]
    responses = torch.tensor([tokenizer("nothing")["input_ids"]] * 2)
    columns = {key: np.array([row[key] for row in rows], dtype=object)
               for key in ("data_source", "reward_model", "extra_info")}  # fmt: skip
    ones = torch.ones((2, 1 + responses.shape[1]), dtype=torch.long)
    tensors = {
        "prompts": torch.zeros((2, 1), dtype=torch.long),
        "responses": responses,
        "attention_mask": ones,
    }
    told = DataProto.from_dict(tensors=tensors, non_tensors=columns)
    manager = BatchRewardManager(tokenizer, 0, verl_reward.compute_scores)
    result = manager(told, return_dict=True)
    assert result["reward_tensor"].sum() == 0
    assert result["reward_extra_info"]["ndcg"] == [0, 0]
