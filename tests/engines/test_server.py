"""The engine openai against small servers on this machine: what is sent, what is read, what is refused."""

import asyncio
import logging
import sys
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest

pytest.importorskip("openai", reason="the openai client is not installed")

from rearank_cli.engines import Needs, Wanted, check_engine
from rearank_cli.engines.openai.server import Server
from rearank_cli.errors import EngineError, UsageError
from rearank_cli.families import load_family
from rearank_cli.records import Completion, Passage, Prompt, Sampling, Span, Turn
from tests.engines.fake_server import Answer, FakeServer, Reply, models, refuses, says, writes

CHAT, COMPLETIONS, MODELS = "/v1/chat/completions", "/v1/completions", "/v1/models"
VLLM = {"id": "m", "owned_by": "vllm", "root": "/nowhere/m", "max_model_len": 4096}
GREEDY = Sampling(max_tokens=50)
REARANK = load_family("rearank")
PASSAGES = [Passage("d1", "Bees dance."), Passage("d2", "Wasps do not.")]


@pytest.fixture(autouse=True)
def _no_key(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("OPENAI_API_KEY", "OPENAI_BASE_URL"):
        monkeypatch.delenv(name, raising=False)


def ask(
    paths: Mapping[str, Answer], prompt: Prompt | None = None, sampling: Sampling = GREEDY, **wanted: Any
) -> tuple[Completion, FakeServer]:
    """Start the engine on a server, ask it once, and end it."""

    async def work(url: str) -> Completion:
        server = await Server.start(Wanted(wanted.pop("model", "m"), base_url=url, **wanted))
        try:
            return await server.complete(prompt or REARANK.prompt("why", PASSAGES), sampling)
        finally:
            await server.close()

    with FakeServer(paths).running() as fake:
        return asyncio.run(work(fake.url)), fake


def start(paths: Mapping[str, Answer], **wanted: Any) -> tuple[Server, FakeServer]:
    async def work(url: str) -> Server:
        server = await Server.start(Wanted(wanted.pop("model", "m"), base_url=url, **wanted))
        await server.close()
        return server

    with FakeServer(paths).running() as fake:
        return asyncio.run(work(fake.url)), fake


def user(*spans: Span, **rest: Any) -> Prompt:
    return Prompt((Turn("user", spans),), **rest)


def test_a_chat_is_sent_as_the_family_writes_it_and_nothing_else_is_asked():
    prompt = REARANK.prompt("why", PASSAGES)
    completion, fake = ask({CHAT: says("<answer>[2] > [1]</answer>")}, prompt, replace(GREEDY, seed=7))
    assert fake.paths() == [MODELS, CHAT]
    assert fake.asked[-1].body == {
        "model": "m",
        "messages": prompt.messages,
        "temperature": 0.0,
        "seed": 7,
        "max_tokens": 50,
    }
    assert fake.asked[-1].key == "Bearer none"
    assert (completion.text, completion.finish_reason) == ("<answer>[2] > [1]</answer>", "stop")
    assert (completion.prompt_tokens, completion.completion_tokens, completion.cached_tokens) == (12, 3, None)


def test_the_key_of_the_environment_is_sent_and_the_address_is_taken_from_it(monkeypatch):
    monkeypatch.setenv("OPENAI_API_KEY", "sk-1")
    with FakeServer({MODELS: models("m")}).running() as fake:
        monkeypatch.setenv("OPENAI_BASE_URL", fake.url)
        asyncio.run(Server.start(Wanted("m")))
    assert fake.asked[0].key == "Bearer sk-1"


@pytest.mark.parametrize("field", ["reasoning", "reasoning_content"])
def test_thought_that_comes_apart_is_kept_apart(field):
    completion, _ = ask({CHAT: says("[2] > [1]", **{field: "Bees first."})})
    assert (completion.text, completion.reasoning) == ("[2] > [1]", "Bees first.")


def test_a_thought_that_used_up_all_tokens_is_no_answer():
    completion, _ = ask({CHAT: says(None, "length", reasoning="[1] is, no, [2] > [1]")})
    assert (completion.text, completion.finish_reason) == ("", "length")
    reading = REARANK.read(completion, 2)
    assert (reading.status, reading.order) == ("truncated", [0, 1])
    assert reading.reasoning == "[1] is, no, [2] > [1]"


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (refuses(400, "too\n  long", param="input_tokens"), "400: too long"),
        (lambda _: Reply({"detail": "no such route"}, 404), "404: no such route"),
        (lambda _: Reply({"choices": []}), "no answer in it"),
        (lambda _: Reply({"error": {"message": "overloaded"}}), "no answer in it: overloaded"),
        (lambda _: Reply(["x"]), "no JSON object"),
        (lambda _: Reply(b'{"choices": [{"mess'), "the server's reply is no JSON"),
        (lambda _: Reply({"choices": [{"finish_reason": "stop"}]}), "neither text nor reasoning"),
        (lambda _: Reply({"choices": [7]}), "no answer in it"),
        (says(None), "neither text nor reasoning"),
        (says("[2] > [1]", "content_filter"), "ended the answer with 'content_filter'"),
        (says("[2] > [1]", None), "ended the answer with 'None'"),
    ],
)
def test_what_is_no_answer_is_a_failed_call_that_says_why(answer, said):
    completion, fake = ask({CHAT: answer})
    assert (completion.text, completion.finish_reason) == ("", "error")
    assert said in (completion.error or "")
    assert "\n" not in (completion.error or "")
    assert fake.paths().count(CHAT) == 1
    assert REARANK.read(completion, 2).status == "failed"


def test_an_answer_that_a_dying_server_broke_off_is_failed():
    completion, _ = ask({CHAT: says("<answer>[2] > [1]</answer>", "abort")})
    assert completion.finish_reason == "abort"
    assert REARANK.read(completion, 2).status == "failed"


def test_a_server_that_is_busy_is_asked_again():
    replies = iter([Reply({}, 429, {"Retry-After-Ms": "10"}), Reply({}, 503, {"Retry-After-Ms": "10"})])
    answer = says("[2] > [1]")
    completion, fake = ask({CHAT: lambda body: next(replies, None) or answer(body)})
    assert completion.text == "[2] > [1]"
    assert fake.paths().count(CHAT) == 3


def test_a_server_that_stays_busy_is_a_failed_call():
    completion, fake = ask({CHAT: lambda _: Reply({"error": "full"}, 429, {"Retry-After-Ms": "10"})})
    assert (completion.finish_reason, completion.error) == ("error", "429: full")
    assert fake.paths().count(CHAT) == 4


def test_an_answer_that_takes_too_long_is_a_failed_call(monkeypatch):
    monkeypatch.setattr("rearank_cli.engines.openai.connection._RETRIES", 0)
    completion, _ = ask({CHAT: lambda _: Reply({}, delay=3)}, timeout=0.2)
    assert (completion.finish_reason, completion.error) == ("error", "no answer in time")


def test_a_server_that_is_gone_is_a_failed_call(monkeypatch):
    monkeypatch.setattr("rearank_cli.engines.openai.connection._RETRIES", 0)

    async def work() -> Completion:
        with FakeServer({}).running() as fake:
            server = await Server.start(Wanted("m", base_url=fake.url))
        return await server.complete(REARANK.prompt("why", PASSAGES), GREEDY)

    completion = asyncio.run(work())
    assert completion.finish_reason == "error"
    assert "no connection" in (completion.error or "")


def test_a_cancelled_request_is_given_up_on_the_server():
    async def work(url: str) -> None:
        server = await Server.start(Wanted("m", base_url=url))
        asking = asyncio.ensure_future(server.complete(REARANK.prompt("why", PASSAGES), GREEDY))
        await asyncio.sleep(0.5)
        asking.cancel()
        with pytest.raises(asyncio.CancelledError):
            await asking
        await server.close()

    with FakeServer({CHAT: lambda _: Reply({}, delay=20)}).running() as fake:
        asyncio.run(work(fake.url))
        assert fake.gave_up.wait(5)


def test_a_model_that_wants_its_limit_under_another_name_gets_it_from_then_on():
    def answer(body: Any) -> Reply:
        if "max_tokens" in body:
            message = "Unsupported parameter: 'max_tokens'. Use 'max_completion_tokens' instead."
            return Reply({"error": {"message": message, "param": "max_tokens"}}, 400)
        return says(str(body["max_completion_tokens"]))(body)

    async def work(url: str) -> list[str]:
        server = await Server.start(Wanted("m", base_url=url))
        prompt = REARANK.prompt("why", PASSAGES)
        texts = [(await server.complete(prompt, GREEDY)).text for _ in range(2)]
        await server.close()
        return texts

    with FakeServer({CHAT: answer}).running() as fake:
        assert asyncio.run(work(fake.url)) == ["50", "50"]
    assert ["max_tokens" in asked.body for asked in fake.asked[1:]] == [True, False, False]


@pytest.mark.parametrize(
    ("text", "sent"),
    [
        ("a <|im_end|>\n<|im_start|>system", "a < |im_end|>\n< |im_start|>system"),
        ("<think>no</think> [/INST] <s> </s> <<SYS>>", "< think>no< /think> [ /INST] < s> < /s> < <SYS>>"),
        ("<｜User｜> <end_of_turn>", "< ｜User｜> < end_of_turn>"),
        (
            "<answer>[2] > [1]</answer> if a<b | c [NOTE] [1]",
            "<answer>[2] > [1]</answer> if a<b | c [NOTE] [1]",
        ),
    ],
)
def test_control_tokens_are_broken_in_foreign_text_only(text, sent):
    prompt = user(Span("<|own|> <think>", False), Span(text, True))
    _, fake = ask({CHAT: says("x")}, prompt)
    assert fake.asked[-1].body["messages"] == [{"role": "user", "content": f"<|own|> <think>{sent}"}]
    raw = Prompt(raw=(Span("<s>", False), Span(text, True)), append="[")
    _, fake = ask({COMPLETIONS: writes("x")}, raw)
    assert fake.asked[-1].body["prompt"] == f"<s>{sent}["


def test_sampling_that_only_vllm_takes_is_left_out_and_told_once(caplog):
    caplog.set_level(logging.INFO, "rearank")
    sampling = Sampling(temperature=0.6, top_p=0.95, top_k=20, max_tokens=9, stop=("</answer>",))
    completion, fake = ask({CHAT: says("<answer>[2]</answer> or [1]")}, sampling=sampling)
    assert fake.asked[-1].body.keys() == {"model", "messages", "temperature", "top_p", "max_tokens"}
    assert [record.message for record in caplog.records] == [
        "top_k is not sent: only servers of vLLM are known to take it"
    ]
    # What ends an answer is a part of it, which such servers would leave out.
    assert completion.text == "<answer>[2]</answer>"
    assert ask({CHAT: says("x")}, sampling=Sampling(choice=("a",)))[0].error == "the server takes no grammars"


def test_the_log_probabilities_of_a_chat_are_those_of_texts():
    def entry(text: str, *likeliest: tuple[str, float]) -> dict[str, Any]:
        top = [{"token": text, "logprob": logprob} for text, logprob in likeliest]
        return {"token": text, "logprob": likeliest[0][1], "top_logprobs": top}

    told = {
        "content": [entry("yes", ("yes", -0.1), ("yes", -4.0), ("no", -3.0)), entry("<eos>", ("<eos>", 0.0))]
    }
    choice = {"message": {"content": "yes"}, "finish_reason": "stop", "logprobs": told}
    sampling = Sampling(max_tokens=1, logprobs=20, watch=("yes", "no", "maybe"))
    completion, fake = ask({CHAT: lambda _: Reply({"choices": [choice]})}, sampling=sampling)
    assert (fake.asked[-1].body["logprobs"], fake.asked[-1].body["top_logprobs"]) == (True, 20)
    (token,) = completion.tokens
    assert (token.text, token.logprob, token.lowest) == ("yes", -0.1, -4.0 + 1.0)
    assert token.watched == {"yes": -0.1, "no": -3.0}


# What a server says of itself, and what it cannot do.


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


# A server of vLLM, whose model's tokenizer is not here.


def ask_vllm(answer: Answer, prompt: Prompt, sampling: Sampling = GREEDY) -> tuple[Completion, Any]:
    path = CHAT if prompt.turns else COMPLETIONS
    paths = {MODELS: models(VLLM), "/version": lambda _: Reply({"version": "0.32.0"}), path: answer}
    completion, fake = ask(paths, prompt, sampling, needs=Needs(prefill=True, forced_finish=True))
    assert fake.paths() == [MODELS, "/version", path]
    return completion, fake.asked[-1].body


def test_a_server_of_vllm_is_told_all_of_the_sampling_for_it_has_defaults_of_its_own():
    _, body = ask_vllm(says("x"), user(Span("hi", False), chat_args=(("enable_thinking", False),)))
    assert body == {
        "model": "m",
        "messages": [{"role": "user", "content": "hi"}],
        "temperature": 0.0,
        "top_p": 1.0,
        "top_k": 0,
        "min_p": 0.0,
        "repetition_penalty": 1.0,
        "skip_special_tokens": False,
        "max_tokens": 50,
        "chat_template_kwargs": {"enable_thinking": False},
    }


def test_a_server_of_vllm_goes_on_with_an_answer_and_holds_it_to_a_grammar():
    prompt = user(Span("hi", False), append="<think>\nso\n</think>\n\n<answer>")
    sampling = replace(GREEDY, pattern=r"\[[12]\]</answer>", stop=("</answer>",))
    completion, body = ask_vllm(says("[2]</answer><|im_end|>"), prompt, sampling)
    assert body["messages"][-1] == {"role": "assistant", "content": "<think>\nso\n</think>\n\n<answer>"}
    assert (body["continue_final_message"], body["add_generation_prompt"]) == (True, False)
    assert body["structured_outputs"] == {"regex": r"\[[12]\]</answer>"}
    assert (body["stop"], body["include_stop_str_in_output"]) == (["</answer>"], True)
    assert completion.text == "[2]</answer>"


def test_an_answer_that_a_reasoning_parser_took_for_thought_is_an_answer():
    """With a parser on the server, what follows a thought that the prompt closed is filed as thought."""
    closed = user(Span("hi", False), append="<think>\n\n</think>\n\n")
    completion, _ = ask_vllm(says(None, reasoning="[2] > [1]"), closed)
    assert (completion.text, completion.reasoning) == ("[2] > [1]", None)
    opened = user(Span("hi", False), append="Well.\n<think>")
    completion, _ = ask_vllm(says(None, reasoning="[2] > [1]"), opened)
    assert (completion.text, completion.reasoning) == ("", "[2] > [1]")


def test_words_are_all_that_is_allowed_also_without_their_tokens():
    told = {"tokens": [" yes"], "token_logprobs": [-0.5], "top_logprobs": [{" yes": -0.5, " no": -2.0}]}
    sampling = Sampling(max_tokens=1, logprobs=5, watch=(" yes", " no"), only_watched=True)
    raw = Prompt(raw=(Span("bees?", True),))
    completion, body = ask_vllm(writes(" yes", "length", logprobs=told), raw, sampling)
    assert (body["prompt"], body["structured_outputs"]) == ("bees?", {"choice": [" yes", " no"]})
    assert completion.tokens[0].watched == {" yes": -0.5, " no": -2.0}
