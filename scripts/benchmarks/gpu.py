"""A model of Qwen2.5-7B's size with made-up weights, prompts and answers as long as REARANK's.

Where there is no GPU: the tiny model, shorter, which compares the policies and says nothing of a GPU.
"""

import argparse
import asyncio
import json
import sys
import tempfile
from pathlib import Path
from typing import Any

from rearank_cli.records import Sampling
from scripts.benchmarks import policies, texts
from scripts.benchmarks.collection import make_topics
from scripts.benchmarks.engine import MeasuredEngine, log_normal, running, tiny_engine
from scripts.benchmarks.schedule import compare, options_for

# https://huggingface.co/Qwen/Qwen2.5-7B-Instruct/blob/main/config.json
_QWEN_7B = {
    "architectures": ["Qwen2ForCausalLM"],
    "model_type": "qwen2",
    "hidden_size": 3584,
    "intermediate_size": 18944,
    "num_hidden_layers": 28,
    "num_attention_heads": 28,
    "num_key_value_heads": 4,
    "vocab_size": 152064,
    "max_position_embeddings": 32768,
    "rope_theta": 1000000.0,
    "rms_norm_eps": 1e-06,
    "hidden_act": "silu",
    "tie_word_embeddings": False,
    "torch_dtype": "bfloat16",
    "bos_token_id": 0,
    "eos_token_id": 2,
}
# Words of a passage that make a prompt of 3,500 tokens, and of 600 with the tiny tokenizer.
_WORDS, _FEW_WORDS = 100, 25
_LONGEST = 2048

_OTHERS: dict[str, tuple[policies.Policy, str]] = {
    "32 in flight (RankLLM 0.26)": (policies.in_flight_32, "more than 1"),
    "one barrier per window step": (policies.barrier, "more than 1"),
    "groups of 16, barriers (REARANK's scripts)": (policies.groups_of_16, "more than 1"),
}


class _Untold(MeasuredEngine):
    """Made-up weights name tokens that the tokenizer does not know: the answers are not spelled out."""

    def _sampling_params(self, sampling: Sampling) -> Any:
        params = super()._sampling_params(sampling)
        params.detokenize = False
        return params


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--queries", type=int, default=43)
    parser.add_argument("--rounds", type=int, default=1)
    parser.add_argument("--tokens", type=float, default=850, help="mean length of an answer")
    parser.add_argument("--skip", action="append", default=[], help="leave out policies of this name")


def _make_model(folder: Path) -> None:
    texts.make_tokenizer(folder)
    (folder / "config.json").write_text(json.dumps(_QWEN_7B))


def run(arguments: argparse.Namespace) -> list[dict[str, object]]:
    return asyncio.run(_run(arguments))


async def _run(arguments: argparse.Namespace) -> list[dict[str, object]]:
    import torch

    others = {
        name: policy for name, policy in _OTHERS.items() if not any(word in name for word in arguments.skip)
    }
    if not torch.cuda.is_available():
        print("no GPU here: the tiny model, 600 tokens in and some 110 out", file=sys.stderr)
        topics = make_topics(arguments.queries, 50, _FEW_WORDS, real=True)
        async with tiny_engine() as engine:
            engine.length_of = log_normal(113)
            options = options_for("rankzephyr", 10, 5, 50)
            return await compare(engine, topics, options, others, arguments.rounds)
    topics = make_topics(arguments.queries, 100, _WORDS)
    with tempfile.TemporaryDirectory() as folder:
        _make_model(Path(folder))
        args = {"load_format": "dummy", "max_model_len": "16384", "max_num_seqs": "512"}
        async with running(Path(folder), args, _Untold) as engine:
            engine.length_of = log_normal(arguments.tokens, _LONGEST)
            options = options_for("rearank", 20, 10, 100)
            return await compare(engine, topics, options, others, arguments.rounds)
