"""What a server says of itself, what it cannot do, and how that is told."""

import asyncio
import logging
import sys

import pytest

pytest.importorskip("openai", reason="the openai client is not installed")

from rearank_cli.engines import Needs, Wanted, check_engine
from rearank_cli.engines.openai.server import Server
from rearank_cli.errors import EngineError, UsageError
from tests.engines.asking import CHAT, COMPLETIONS, MODELS, VLLM, ask, start
from tests.engines.fake_server import FakeServer, Reply, models, refuses, says, writes


@pytest.mark.parametrize(
    ("paths", "said"),
    [
        ({MODELS: models("a", "b")}, "does not serve m; with -m it knows a, b"),
        ({MODELS: models(*map(str, range(20)))}, "0, 1, 2, 3, 4, 5, 6, 7 and 12 more"),
        ({MODELS: refuses(401, "no key")}, r"refuses the key \(401: no key\): put the right one in"),
        ({MODELS: refuses(403, "no")}, "refuses the key"),
    ],
)
def test_a_server_that_cannot_be_used_is_one_sentence(paths, said):
    with pytest.raises(EngineError, match=said) as error:
        start(paths)
    assert "http://127.0.0.1:" in str(error.value)


def test_a_server_that_is_not_there_is_one_sentence(monkeypatch):
    monkeypatch.setattr("rearank_cli.engines.openai.connection._RETRIES", 0)
    with pytest.raises(
        EngineError, match=r"no server answers at http://127.0.0.1:1/v1 .*: start it, or give"
    ):
        asyncio.run(Server.start(Wanted("m", base_url="http://me:secret@127.0.0.1:1/v1")))


@pytest.mark.parametrize("listed", ["m", "m:latest", "models/m"])
def test_a_model_is_asked_for_under_the_name_that_is_listed(listed):
    _, fake = ask({MODELS: models("other", listed), CHAT: says("x")})
    assert fake.asked[-1].body["model"] == listed


def test_an_adapter_is_a_model_of_its_own_to_a_server():
    _, fake = ask({MODELS: models("base", "tuned"), CHAT: says("x")}, model="base", adapter="tuned")
    assert fake.asked[-1].body["model"] == "tuned"


@pytest.mark.parametrize("reply", [Reply({}, 404), Reply({}), Reply(b"<html>"), Reply({"data": []})])
def test_a_server_without_a_list_of_models_is_believed_to_have_it(reply):
    completion, _ = ask({MODELS: lambda _: reply, CHAT: says("x")})
    assert completion.text == "x"


def test_an_address_that_lacks_its_v1_is_told(caplog):
    with FakeServer({}).running() as fake:
        asyncio.run(Server.start(Wanted("m", base_url=fake.root)))
    assert f"its address may be {fake.root}/v1" in caplog.text


@pytest.mark.parametrize(
    ("wanted", "error", "said"),
    [
        (Wanted("m"), EngineError, "OpenAI needs a key: put it in OPENAI_API_KEY"),
        (Wanted("m", base_url="localhost:8000"), UsageError, "'localhost:8000' is no address of a server"),
        (Wanted("m", base_url="http://a", engine_args={"seed": "1"}), UsageError, "--engine-arg seed means"),
    ],
)
def test_what_could_never_start_is_told_before_anything_is_read(wanted, error, said):
    with pytest.raises(error, match=said):
        check_engine("openai", wanted)


def test_a_client_that_is_not_installed_is_told_with_its_name(monkeypatch):
    monkeypatch.setitem(sys.modules, "openai", None)
    with pytest.raises(EngineError, match=r"pip install 'rearank\[openai\]'"):
        check_engine("openai", Wanted("m", base_url="http://a"))


NO_TOKENS = {CHAT: says("x"), COMPLETIONS: writes("x")}


@pytest.mark.parametrize(
    ("needs", "paths", "said"),
    [
        (Needs(raw=True), {CHAT: says("x")}, r"writes the whole prompt itself .* \(404: not here\): serve"),
        (Needs(raw=True), {COMPLETIONS: lambda _: Reply({})}, "writes the whole prompt itself"),
        (Needs(prefill=True), {}, "begins the model's answer itself, which only vLLM's servers allow"),
        (Needs(logprobs=20), NO_TOKENS, "log-probabilities of the 20 likeliest tokens, .* does not do that"),
        (Needs(logprobs=20), {CHAT: refuses(400, "no logprobs")}, "400: no logprobs"),
        (Needs(raw=True, logprobs=20), NO_TOKENS, "log-probabilities of the 20 likeliest tokens"),
        (Needs(raw=True, logprobs=20), {}, "writes the whole prompt itself .* log-probabilities of the 20"),
        (
            Needs(logprobs=30),
            {MODELS: models(VLLM), COMPLETIONS: refuses(400, "30 is too many")},
            r"refuses \(400: 30 is too many\): start it with --max-logprobs 30",
        ),
    ],
)
def test_what_a_family_cannot_do_without_is_told_before_the_first_call(needs, paths, said):
    with pytest.raises(EngineError, match=said):
        start(paths, needs=needs)


def test_a_server_that_can_do_what_is_needed_is_asked_for_one_token():
    told = {"tokens": ["x"], "token_logprobs": [-1.0], "top_logprobs": [{"x": -1.0}]}
    _, fake = start(
        {COMPLETIONS: writes("x", logprobs=told)}, needs=Needs(raw=True, prefill=True, logprobs=5)
    )
    assert fake.paths() == [MODELS, COMPLETIONS]
    assert fake.asked[-1].body == {"model": "m", "prompt": "a", "max_tokens": 1, "logprobs": 5}


def test_what_a_family_can_do_without_is_told_in_a_line(caplog):
    caplog.set_level(logging.INFO, "rearank")
    server, fake = start({}, needs=Needs(thinking_switch=True, forced_finish=True))
    assert not server.can_finish
    assert "takes no switches of the chat template" in caplog.text
    assert "the server takes no grammars: answers that run out of tokens keep their order" in caplog.text
    assert fake.paths() == [MODELS]
    assert server.version == f"openai-compatible at {fake.url}"
    assert (server.tokenizer, server.context) == (None, None)
