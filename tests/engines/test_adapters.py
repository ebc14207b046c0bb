"""Adapters are checked before vLLM starts: a wrong one would end the engine, and not the request."""

import json
from pathlib import Path

import pytest

from rearank_cli.engines.models import check_model, find_adapter
from rearank_cli.errors import EngineError


def adapter(folder: Path, config: object = None, weights: str | None = "adapter_model.safetensors") -> Path:
    if config is not None:
        text = config if isinstance(config, str) else json.dumps(config)
        (folder / "adapter_config.json").write_text(text)
    if weights:
        (folder / weights).write_bytes(b"")
    return folder


@pytest.mark.parametrize(
    ("config", "room"),
    [({"r": 16}, 16), ({"r": 24}, 32), ({"r": 8, "rank_pattern": {"q_proj": 40}}, 64), ({"r": 1}, 8)],
)
def test_vllm_is_given_room_for_the_adapters_rank(tmp_path, config, room):
    found = find_adapter(str(adapter(tmp_path, config)))
    assert (found.path, found.rank) == (tmp_path, room)


@pytest.mark.parametrize(
    ("config", "weights", "said"),
    [
        (None, "adapter_model.safetensors", "has no adapter_config.json"),
        ({"r": 16}, None, "has no weights"),
        ("{", "adapter_model.bin", "no configuration of a LoRA adapter"),
        ({"peft_type": "IA3"}, "adapter_model.bin", "no configuration of a LoRA adapter"),
        ([1], "adapter_model.bin", "no configuration of a LoRA adapter"),
        ({"r": 1024}, "adapter_model.bin", "has rank 1024, and vLLM takes up to 512"),
    ],
)
def test_what_is_no_adapter_is_one_sentence(tmp_path, config, weights, said):
    with pytest.raises(EngineError, match=said):
        find_adapter(str(adapter(tmp_path, config, weights)))


def test_a_name_that_is_nowhere_is_one_sentence():
    with pytest.raises(EngineError, match="the adapter nobody/nothing is neither a folder nor in the"):
        find_adapter("nobody/nothing")


def test_an_adapter_given_as_the_model_is_told_apart(tmp_path):
    with pytest.raises(
        EngineError, match="is an adapter: give its base model with -m, and it with --adapter"
    ):
        check_model(str(adapter(tmp_path, {"r": 16})), None)
