"""The engine openai with a server of vLLM whose model's tokenizer is here: token ids go out and come back."""

import asyncio
import logging
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("openai", reason="the openai client is not installed")
pytest.importorskip("transformers", reason="transformers is not installed")

from rearank_cli.engines import Needs, Wanted
from rearank_cli.engines.openai.replies import spelled
from rearank_cli.engines.openai.server import Server
from rearank_cli.engines.tokenizer import Tokenizer
from rearank_cli.errors import EngineError
from rearank_cli.records import Completion, Prompt, Sampling, Span, Turn
from tests.engines.fake_server import Answer, FakeServer, Reply, models, refuses, writes
from tests.robustness.kinds_of_tokenizers import MADE

COMPLETIONS, MODELS, VERSION, TOKENIZE = "/v1/completions", "/v1/models", "/version", "/tokenize"


@pytest.fixture(scope="module")
def zephyr(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a SentencePiece tokenizer, in which A and " A" are two tokens."""
    folder = tmp_path_factory.mktemp("zephyr")
    tokenizer = MADE["zephyr"]().tokenizer
    tokenizer.add_special_tokens({"eos_token": "</s>"})
    tokenizer.save_pretrained(folder)
    return folder


def vllm(folder: Path, **more: Answer) -> dict[str, Answer]:
    """A server that has loaded a folder's model, and tokenizes as it does."""
    tokenizer = Tokenizer(MADE["zephyr"]().tokenizer)
    card = {"id": "m", "owned_by": "vllm", "root": str(folder), "max_model_len": 4096}
    return {
        MODELS: models(card),
        VERSION: lambda _: Reply({"version": "0.32.0"}),
        TOKENIZE: lambda body: Reply({"tokens": tokenizer.encode(body["prompt"])}),
        COMPLETIONS: more.get("completions", writes("x")),
    }


def ask(
    paths: Mapping[str, Answer], prompt: Prompt, sampling: Sampling, **wanted: Any
) -> tuple[Completion, Any]:
    async def work(url: str) -> Completion:
        server = await Server.start(Wanted("m", base_url=url, **wanted))
        try:
            return await server.complete(prompt, sampling)
        finally:
            await server.close()

    with FakeServer(paths).running() as fake:
        return asyncio.run(work(fake.url)), fake.asked[-1].body


def start(paths: Mapping[str, Answer], **wanted: Any) -> tuple[Server, list[str]]:
    async def work(url: str) -> Server:
        server = await Server.start(Wanted("m", base_url=url, **wanted))
        await server.close()
        return server

    with FakeServer(paths).running() as fake:
        return asyncio.run(work(fake.url)), fake.paths()


HELLO = Prompt((Turn("user", (Span("A bee </s>", True),)),), append="[")


def test_the_tokenizer_is_that_of_the_folder_the_server_names(zephyr):
    server, paths = start(vllm(zephyr), needs=Needs(prefill=True, forced_finish=True))
    assert paths == [MODELS, VERSION, TOKENIZE]
    assert server.tokenizer is not None
    assert (server.context, server.can_finish) == (4096, True)
    assert server.version.startswith("vllm 0.32.0 at http://127.0.0.1:")


def test_a_prompt_is_sent_as_tokens_with_all_of_the_sampling(zephyr):
    sampling = Sampling(0.6, 0.9, 20, 0.1, 50, ("</answer>",), seed=3, pattern="a|b")
    _, body = ask(vllm(zephyr), HELLO, sampling)
    tokenizer = Tokenizer(MADE["zephyr"]().tokenizer)
    assert body == {
        "model": "m",
        "prompt": list(tokenizer.tokenize(HELLO).token_ids or ()),
        "max_tokens": 50,
        "temperature": 0.6,
        "top_p": 0.9,
        "top_k": 20,
        "min_p": 0.1,
        "repetition_penalty": 1.0,
        "seed": 3,
        "stop": ["</answer>"],
        "include_stop_str_in_output": True,
        "skip_special_tokens": False,
        "structured_outputs": {"regex": "a|b"},
    }
    assert "choice" in ask(vllm(zephyr), HELLO, Sampling(choice=("a",)))[1]["structured_outputs"]


def test_watched_texts_are_known_by_their_tokens_and_an_ending_is_no_part_of_an_answer(zephyr):
    tokenizer = Tokenizer(MADE["zephyr"]().tokenizer)
    (a,), (b,) = tokenizer.ids_of("A"), tokenizer.ids_of("B")
    end = tokenizer.ids_of("</s>")[0]
    told = {
        "tokens": [f"token_id:{a}", f"token_id:{end}"],
        "token_logprobs": [-0.2, 0.0],
        "top_logprobs": [{f"token_id:{a}": -0.2, f"token_id:{b}": -2.0}, {f"token_id:{end}": 0.0}],
    }
    sampling = Sampling(max_tokens=2, logprobs=5, watch=("A", "B", "C"), only_watched=True)
    answer = writes("A</s>", logprobs=told)
    completion, body = ask(vllm(zephyr, completions=answer), HELLO, sampling)
    assert completion.text == "A"
    (token,) = completion.tokens
    assert (token.text, token.logprob, token.lowest) == ("A", -0.2, -2.0)
    assert token.watched == {"A": -0.2, "B": -2.0}
    watched = sorted(number for text in "ABC" for number in tokenizer.ids_of(text))
    assert (body["logprobs"], body["return_tokens_as_token_ids"]) == (5, True)
    assert body["allowed_token_ids"] == watched


@pytest.mark.parametrize("kind", ["zephyr", "mistral"])
@pytest.mark.parametrize("text", ["a b  c", " true", "蜜蜂 & Ñ!", "[2] > [1]"])
def test_tokens_spell_the_text_they_are_of(kind, text):
    tokenizer = Tokenizer(MADE[kind]().tokenizer)
    ids = tokenizer.encode(text)
    assert "".join(spelled(ids, tokenizer)).strip() == text.strip()
    assert "�" not in "".join(spelled(ids, tokenizer))


def test_a_tokenizer_that_the_server_has_not_is_not_used(zephyr, caplog):
    caplog.set_level(logging.INFO, "rearank")
    paths = {**vllm(zephyr), TOKENIZE: lambda _: Reply({"tokens": [1, 2, 3]})}
    server, _ = start(paths)
    assert (server.tokenizer, server.context, server.can_finish) == (None, None, True)
    assert "is sent chats, and long passages are not cut to fit" in caplog.text
    with pytest.raises(EngineError, match=r"is not the one that the server at .* has"):
        start(paths, engine_args={"tokenizer": str(zephyr)})


def test_a_tokenizer_is_taken_from_where_the_user_says(zephyr):
    server, paths = start(vllm(Path("/nowhere")), engine_args={"tokenizer": str(zephyr)})
    assert paths == [MODELS, VERSION, TOKENIZE]
    assert server.tokenizer is not None
    with pytest.raises(EngineError, match="the tokenizer of /nowhere/else cannot be loaded"):
        start(vllm(zephyr), engine_args={"tokenizer": "/nowhere/else"})


def test_an_adapter_has_the_tokenizer_of_its_base(zephyr):
    base = {"id": "base", "owned_by": "vllm", "root": str(zephyr), "max_model_len": 512}
    adapter = {
        "id": "m",
        "owned_by": "vllm",
        "root": "/nowhere/adapter",
        "parent": "base",
        "max_model_len": 512,
    }
    server, _ = start({**vllm(zephyr), MODELS: models(base, adapter)})
    assert (server.tokenizer is not None, server.context) == (True, 512)


def test_a_model_can_be_named_as_where_it_was_loaded_from(zephyr):
    card = {"id": "short", "owned_by": "vllm", "root": "m", "max_model_len": 512}
    paths = {**vllm(zephyr), MODELS: models(card)}
    _, body = ask(paths, HELLO, Sampling(), engine_args={"tokenizer": str(zephyr)})
    assert body["model"] == "short"


def test_a_prompt_that_is_too_long_is_a_failed_call(zephyr):
    refused = refuses(400, "This model's maximum context length is 4096 tokens.")
    completion, _ = ask(vllm(zephyr, completions=refused), HELLO, Sampling())
    assert completion.error == "400: This model's maximum context length is 4096 tokens."


@pytest.mark.parametrize(("logprob", "told"), [(0.0, False), (-8.2, True)])
def test_probabilities_from_before_words_were_ruled_out_are_told(zephyr, caplog, logprob, told):
    caplog.set_level(logging.INFO, "rearank")
    logprobs = {"tokens": ["a"], "token_logprobs": [logprob], "top_logprobs": [{"a": logprob, "b": -9999.0}]}
    with FakeServer(vllm(zephyr, completions=writes("a", logprobs=logprobs))).running() as fake:
        asyncio.run(Server.start(Wanted("m", base_url=fake.url, needs=Needs(raw=True, logprobs=20))))
    assert len(fake.asked[-1].body["allowed_token_ids"]) == 1
    assert ("--logprobs-mode processed_logprobs" in caplog.text) == told
