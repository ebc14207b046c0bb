"""TRL itself: it takes the rows, the rewards and the settings that are written for it."""

import runpy
from pathlib import Path

import pytest

from tests.training.conftest import TEXTS, Train

pytest.importorskip("trl", reason="TRL is not installed")

TINY = {
    "use_cpu": True, "bf16": False, "use_vllm": False, "gradient_checkpointing": False,
    "num_generations": 4, "per_device_train_batch_size": 4, "gradient_accumulation_steps": 1,
    "steps_per_generation": 1, "max_completion_length": 24, "max_steps": 2, "save_strategy": "no",
}  # fmt: skip


@pytest.mark.parametrize("recipe", ["rearank", "reasonrank"])
def test_the_settings_are_accepted(recipe, train, bees):
    assert train("data", "run.trec", *TEXTS, "--draws", "2", "--size", "8").status == 0
    assert train("config", "trl", "--data", "train.parquet", "--recipe", recipe).status == 0
    script = runpy.run_path(str(bees / "training" / "train.py"))
    # What only a GPU can do is left out; all else is as it is written.
    settings = script["settings"](use_cpu=True, bf16=False, use_vllm=False)
    batch, rollouts = {"rearank": (128, 32), "reasonrank": (16, 8)}[recipe]
    # TRL counts one process here; there are eight.
    assert settings.generation_batch_size * 8 == batch * rollouts
    assert settings.beta == {"rearank": 0.01, "reasonrank": 0.001}[recipe]
    assert settings.num_generations == rollouts
    updates = settings.steps_per_generation // settings.gradient_accumulation_steps
    assert settings.max_steps == {"rearank": 160, "reasonrank": 200 * 2}[recipe]
    assert updates == {"rearank": 1, "reasonrank": 2}[recipe]


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    from tests.tiny_model import make_tiny_model

    return make_tiny_model(tmp_path_factory.mktemp("tiny"))


@pytest.mark.parametrize("rows", ["trl", "verl"])
def test_a_few_steps_are_trained_by_the_script(rows, train: Train, bees: Path, model: Path):
    import torch
    from transformers import AutoTokenizer
    from trl import GRPOTrainer

    small = ("--draws", "2", "--size", "4", "--set", "cut=5 words", "--format", rows)
    assert train("data", "run.trec", *TEXTS, *small).status == 0
    assert train("config", "trl", "--data", "train.parquet", "-m", model).status == 0
    script = runpy.run_path(str(bees / "training" / "train.py"))
    tokenizer = AutoTokenizer.from_pretrained(model)
    data = script["rows"](tokenizer)
    assert len(data) > 4
    trainer = GRPOTrainer(
        model=str(model),
        reward_funcs=[script["REWARD"]],
        args=script["settings"](**TINY),
        train_dataset=data,
        processing_class=tokenizer,
    )
    threads = torch.get_num_threads()
    # Several wait for each other in a loop, and take the time of whatever else runs here.
    torch.set_num_threads(1)
    try:
        trainer.train()
    finally:
        torch.set_num_threads(threads)
    logged = trainer.state.log_history[0]
    assert {"rewards/rearank/mean", "reward_parts/score", "reward_parts/ndcg"} <= set(logged)
    assert logged["rewards/rearank/mean"] == pytest.approx(logged["reward_parts/score"])
