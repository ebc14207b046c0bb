"""The engine openai against small servers on this machine: what is sent, and what is read."""

import asyncio
import logging
from dataclasses import replace
from typing import Any

import pytest

pytest.importorskip("openai", reason="the openai client is not installed")

from rearank_cli.engines import Wanted
from rearank_cli.engines.openai.server import Server
from rearank_cli.records import Completion, Prompt, Sampling, Span
from tests.engines.asking import CHAT, COMPLETIONS, GREEDY, MODELS, PASSAGES, REARANK, ask, user
from tests.engines.fake_server import FakeServer, Reply, models, refuses, says, writes


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
