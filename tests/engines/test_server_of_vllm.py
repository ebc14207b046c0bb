"""A server of vLLM, whose model's tokenizer is not here."""

from dataclasses import replace
from typing import Any

import pytest

pytest.importorskip("openai", reason="the openai client is not installed")

from rearank_cli.engines import Needs
from rearank_cli.records import Completion, Prompt, Sampling, Span
from tests.engines.asking import CHAT, COMPLETIONS, GREEDY, MODELS, VLLM, ask, user
from tests.engines.fake_server import Answer, Reply, models, says, writes


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
