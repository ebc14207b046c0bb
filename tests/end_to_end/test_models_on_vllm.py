"""What models of a family need of vLLM: adapters on their base, limits, real log-probabilities."""

import json
from pathlib import Path

import orjson
import pytest

from tests.end_to_end.conftest import Command

pytestmark = pytest.mark.vllm

EAGER = ["--engine-arg", "enforce_eager=true"]


def make_adapter(folder: Path, model: Path) -> Path:
    """A LoRA adapter of rank 8 with random weights, as PEFT saves it."""
    import torch
    from safetensors.torch import save_file

    config = json.loads((model / "config.json").read_text())
    hidden, heads = config["hidden_size"], config["num_attention_heads"]
    torch.manual_seed(1)
    weights = {}
    for layer in range(config["num_hidden_layers"]):
        name = f"base_model.model.model.layers.{layer}.self_attn.q_proj"
        weights[f"{name}.lora_A.weight"] = torch.randn(8, hidden)
        weights[f"{name}.lora_B.weight"] = torch.randn(hidden // heads * heads, 8)
    folder.mkdir()
    save_file(weights, folder / "adapter_model.safetensors")
    (folder / "adapter_config.json").write_text(
        json.dumps(
            {"peft_type": "LORA", "r": 8, "lora_alpha": 16, "target_modules": ["q_proj"], "bias": "none"}
        )
    )
    return folder


def responses(path: Path) -> dict[tuple[str, ...], str]:
    """What was answered about each window, but for what was made to finish."""
    calls = [orjson.loads(line) for line in path.open("rb")][1:]
    return {tuple(call["doc_ids"]): call["response"] for call in calls if not call["forced"]}


def test_an_adapter_answers_otherwise_than_its_base(
    rearank: Command, bees: Path, tiny_model: Path, tmp_path: Path
) -> None:
    adapter = make_adapter(tmp_path / "adapter", tiny_model)
    options = ["--engine", "vllm", "-m", tiny_model, "--family", "rank-r1", "--max-tokens", "20", *EAGER]
    few = ["--limit", "2", "--depth", "12", "--window", "12", "--top", "1"]
    base = rearank("rerank", "run.trec", *options, *few, "-o", "base.trec", cwd=bees)
    assert base.returncode == 0, base.stderr
    adapted = rearank("rerank", "run.trec", *options, *few, "--adapter", adapter, "-o", "lora.trec", cwd=bees)
    assert adapted.returncode == 0, adapted.stderr
    of_base, of_adapter = responses(bees / "base.jsonl"), responses(bees / "lora.jsonl")
    assert of_base.keys() == of_adapter.keys()
    assert of_base.keys()
    assert all(of_base[window] != of_adapter[window] for window in of_base)
    attempt = orjson.loads((bees / "lora.jsonl").read_bytes().splitlines()[0])
    assert (attempt["model"], attempt["adapter"]) == (str(tiny_model), str(adapter))
    # Another adapter is another model: its answers are not mixed with these.
    other = rearank("rerank", "run.trec", *options, *few, "-o", "lora.trec", "--resume", cwd=bees)
    assert other.returncode == 2, other.stderr
    assert "adapter" in other.stderr


def test_an_adapter_that_is_not_there_is_told_before_vllm_starts(
    rearank: Command, bees: Path, tiny_model: Path
) -> None:
    options = ["--engine", "vllm", "-m", tiny_model, "--family", "rank-r1"]
    done = rearank("rerank", "run.trec", *options, "--adapter", "./nothing", cwd=bees)
    assert done.returncode == 4, done.stderr
    assert "the adapter ./nothing is neither a folder nor" in done.stderr
    assert len(done.stderr.splitlines()) == 1


@pytest.mark.parametrize("family", ["first", "rank1"])
def test_what_a_family_needs_of_vllm_is_given_to_it(
    rearank: Command, bees: Path, tiny_model: Path, family: str
) -> None:
    """More log-probabilities than vLLM allows by itself; a context and a precision of another model."""
    options = ["--engine", "vllm", "-m", tiny_model, "--family", family, *EAGER]
    few = ["--limit", "2", "--max-tokens", "1" if family == "first" else "20", "--depth", "6"]
    done = rearank("rerank", "run.trec", *options, *few, "-o", "new.trec", cwd=bees)
    calls = [orjson.loads(line) for line in (bees / "new.jsonl").open("rb")][1:]
    if family == "first":
        # Random weights know letters no better than other tokens: few are among the likeliest thirty.
        assert done.returncode in (0, 5), done.stderr
        assert len(calls) == 2
        assert {call["status"] for call in calls} <= {"ok", "repaired", "unreadable"}
        return
    assert done.returncode == 0, done.stderr
    # Noise has no answer, so each thought is closed and one of the two words is drawn, as its authors do.
    finishes = [call for call in calls if call["forced"]]
    assert len(finishes) == len(calls) / 2 == 12
    assert {call["response"] for call in finishes} <= {" true", " false"}
    assert all(0 < call["scores"][0] < 1 for call in finishes)
    assert len({call["scores"][0] for call in finishes}) > 1
