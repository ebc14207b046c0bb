"""What a server answers: the JSON of a reply, read into a completion."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from rearank_cli.engines.openai import marks
from rearank_cli.engines.openai.wire import Wire
from rearank_cli.engines.tokenizer import Tokenizer
from rearank_cli.engines.watched import Place, tokens_of
from rearank_cli.records import Completion, Prompt, Sampling, Token

_ID = "token_id:"


def failed(problem: str) -> Completion:
    """A request without an answer, and why."""
    return Completion("", finish_reason="error", error=problem)


def read_reply(reply: object, prompt: Prompt, sampling: Sampling, wire: Wire) -> Completion:
    """The completion in a reply, whatever is missing in it."""
    if not isinstance(reply, Mapping):
        return failed("the server's reply is no JSON object")
    choices = reply.get("choices")
    if not isinstance(choices, Sequence) or not choices or not isinstance(choices[0], Mapping):
        return failed(f"the server's reply has no answer in it{_why(reply)}")
    choice = choices[0]
    reason = choice.get("finish_reason")
    if reason not in ("stop", "length", "abort"):
        return failed(f"the server ended the answer with '{reason}'")
    text, reasoning = _text_of(choice, prompt)
    if text is None and reasoning is None:
        return failed("the server's answer has neither text nor reasoning")
    completion = Completion(text or "", finish_reason=reason, reasoning=reasoning, **_usage(reply))
    if reason == "abort":
        return replace(completion, error="the server broke the answer off")
    tokens: tuple[Token, ...] = ()
    if wire.tokenizer and prompt.token_ids is not None:
        completion = replace(completion, text=wire.tokenizer.without_end(completion.text))
        tokens = _tokens_by_id(choice, sampling, wire.tokenizer) if sampling.logprobs else ()
    else:
        if wire.is_vllm:
            completion = replace(completion, text=marks.without_end(completion.text))
        tokens = _tokens_by_text(choice, sampling, completion.text) if sampling.logprobs else ()
    return _ended(replace(completion, tokens=tokens), sampling.stop)


def _why(reply: Mapping[str, Any]) -> str:
    """What some servers say with status 200."""
    error = reply.get("error")
    said = error.get("message") if isinstance(error, Mapping) else error
    return f": {said}" if said else ""


def _text_of(choice: Mapping[str, Any], prompt: Prompt) -> tuple[str | None, str | None]:
    """The text of an answer, and the thought that was returned apart from it."""
    message = choice.get("message")
    if not isinstance(message, Mapping):
        return _string(choice.get("text")), None
    text = _string(message.get("content"))
    reasoning = _string(message.get("reasoning")) or _string(message.get("reasoning_content"))
    if text is None and prompt.append and not _leaves_thought_open(prompt.append):
        # A server that looks for the end of a thought, which stood in the prompt, takes all for thought.
        return reasoning, None
    return text, reasoning


def _leaves_thought_open(append: str) -> bool:
    return append.rfind("<think>") > append.rfind("</think>")


def _string(value: object) -> str | None:
    return value if isinstance(value, str) else None


def _usage(reply: Mapping[str, Any]) -> dict[str, Any]:
    usage = reply.get("usage")
    usage = usage if isinstance(usage, Mapping) else {}
    details = usage.get("prompt_tokens_details")
    details = details if isinstance(details, Mapping) else {}
    return {
        "prompt_tokens": usage.get("prompt_tokens"),
        "completion_tokens": usage.get("completion_tokens"),
        "cached_tokens": details.get("cached_tokens"),
    }


def _tokens_by_id(choice: Mapping[str, Any], sampling: Sampling, tokenizer: Tokenizer) -> tuple[Token, ...]:
    """The tokens of an answer less the one that ended it, told apart by their ids."""
    told = choice.get("logprobs") or {}
    drawn = [int(token.removeprefix(_ID)) for token in told.get("tokens") or ()]
    # The one that ended the answer is no part of its text; where it is all there is, it tells as much.
    while len(drawn) > 1 and tokenizer.ends(drawn[-1]):
        drawn.pop()
    places = (
        Place(text, logprob, {int(token.removeprefix(_ID)): value for token, value in likeliest.items()})
        for text, logprob, likeliest in zip(
            spelled(drawn, tokenizer), told["token_logprobs"], told["top_logprobs"], strict=False
        )
    )
    return tokens_of(places, {text: tokenizer.ids_of(text) for text in sampling.watch})


def spelled(tokens: Sequence[int], tokenizer: Tokenizer) -> list[str]:
    """What each token adds to the text before it; a character of several tokens is the last one's."""
    # Some tokenizers drop the blank with which a text begins.
    before = tokenizer.encode("a")
    texts, pending = [], []
    for token in tokens:
        pending.append(token)
        text = tokenizer.decode([*before, *pending]).removeprefix(tokenizer.decode(before))
        if text.endswith("�") and len(pending) < 4:
            texts.append("")
        else:
            texts.append(text)
            pending = []
    return texts


def _tokens_by_text(choice: Mapping[str, Any], sampling: Sampling, answer: str) -> tuple[Token, ...]:
    """The tokens of an answer, told apart by their texts: all that OpenAI's protocol has."""
    told = choice.get("logprobs") or {}
    if told.get("content"):
        places = [
            Place(
                entry["token"],
                entry["logprob"],
                _likeliest((each["token"], each["logprob"]) for each in entry["top_logprobs"]),
            )
            for entry in told["content"]
        ]
    else:
        places = [
            Place(text, logprob, dict(likeliest))
            for text, logprob, likeliest in zip(
                told.get("tokens") or (),
                told.get("token_logprobs") or (),
                told.get("top_logprobs") or (),
                strict=False,
            )
        ]
    while len(places) > 1 and places[-1].text and not answer.endswith(places[-1].text):
        places.pop()
    return tokens_of(places, {text: (text,) for text in sampling.watch})


def _likeliest(entries: Any) -> dict[str, float]:
    """The log-probability of each text: that of the likeliest of the tokens that have it."""
    found: dict[str, float] = {}
    for text, logprob in entries:
        found[text] = max(logprob, found.get(text, logprob))
    return found


def _ended(completion: Completion, stop: Sequence[str]) -> Completion:
    """The answer up to and with the first of the texts that end it."""
    ends = [completion.text.index(ending) + len(ending) for ending in stop if ending in completion.text]
    if not ends:
        return completion
    behind = len(completion.text) - min(ends)
    tokens = list(completion.tokens)
    while tokens and behind > 0:
        behind -= len(tokens.pop().text)
    return replace(completion, text=completion.text[: min(ends)], finish_reason="stop", tokens=tuple(tokens))
