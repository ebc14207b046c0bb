"""What a server is sent: a prompt, and how its answer is drawn, as the body of a request."""

from dataclasses import dataclass
from typing import Any

from rearank_cli.engines.openai.marks import plain
from rearank_cli.engines.tokenizer import Tokenizer
from rearank_cli.records import Prompt, Sampling

COMPLETIONS, CHAT = "/completions", "/chat/completions"

Body = dict[str, Any]


@dataclass(frozen=True)
class Wire:
    """How to speak with a server about one of its models.

    A server that `is_vllm` takes more than OpenAI's protocol has: grammars, prefills, switches of the
    chat template. With the model's `tokenizer` it is sent token ids, otherwise chats and texts.
    `length` is what a chat's limit on tokens is called.
    """

    model: str
    is_vllm: bool = False
    tokenizer: Tokenizer | None = None
    length: str = "max_tokens"

    def request(self, prompt: Prompt, sampling: Sampling) -> tuple[str, Body]:
        """The path and the body of a request. The prompt has its token ids where there is a tokenizer."""
        body: Body = {
            "model": self.model,
            "temperature": sampling.temperature,
            **({"top_p": sampling.top_p} if sampling.top_p < 1 else {}),
            **({"seed": sampling.seed} if sampling.seed is not None else {}),
            **(self._for_vllm(sampling) if self.is_vllm else {}),
        }
        if prompt.token_ids is not None:
            ids = {"prompt": list(prompt.token_ids), "max_tokens": sampling.max_tokens}
            return COMPLETIONS, {**body, **ids, **self._by_ids(sampling)}
        prompt = plain(prompt)
        if prompt.text is not None:
            text = {"prompt": prompt.text + prompt.append, "max_tokens": sampling.max_tokens}
            return COMPLETIONS, {**body, **text, **_logprobs(sampling)}
        chat = {"messages": prompt.messages, self.length: sampling.max_tokens}
        continued = self._continued(prompt) if self.is_vllm else {}
        return CHAT, {**body, **chat, **continued, **_chat_logprobs(sampling)}

    def left_out(self, sampling: Sampling) -> list[str]:
        """What of the sampling such a server may not know, and is not sent."""
        if self.is_vllm:
            return []
        given = {"top_k": sampling.top_k, "min_p": sampling.min_p}
        return [name for name, value in given.items() if value > 0]

    def _for_vllm(self, sampling: Sampling) -> Body:
        body: Body = {
            # Each is said: otherwise a server takes what the model's generation_config.json says.
            "top_p": sampling.top_p,
            "top_k": sampling.top_k,
            "min_p": sampling.min_p,
            "repetition_penalty": 1.0,
            # Some models declare the marks around thought special.
            "skip_special_tokens": False,
        }
        # Other servers leave the text that ended an answer out of it: there it is looked for in the answer.
        if sampling.stop:
            body |= {"stop": list(sampling.stop), "include_stop_str_in_output": True}
        if sampling.choice:
            body["structured_outputs"] = {"choice": list(sampling.choice)}
        elif sampling.pattern:
            body["structured_outputs"] = {"regex": sampling.pattern}
        elif sampling.only_watched and self.tokenizer is None:
            body["structured_outputs"] = {"choice": list(sampling.watch)}
        return body

    def _by_ids(self, sampling: Sampling) -> Body:
        body = _logprobs(sampling)
        if body:
            # Two tokens can have the same text.
            body["return_tokens_as_token_ids"] = True
        if sampling.only_watched and self.tokenizer:
            watched = sorted({token for text in sampling.watch for token in self.tokenizer.ids_of(text)})
            # Not as logprob_token_ids: with them vLLM (0.32) gives no others to any request in the batch.
            body["allowed_token_ids"] = watched
        return body

    def _continued(self, prompt: Prompt) -> Body:
        body: Body = {}
        if prompt.chat_args:
            body["chat_template_kwargs"] = dict(prompt.chat_args)
        if prompt.append:
            begun = {"role": "assistant", "content": prompt.append}
            body |= {
                "messages": [*prompt.messages, begun],
                "continue_final_message": True,
                "add_generation_prompt": False,
            }
        return body


def _logprobs(sampling: Sampling) -> Body:
    return {"logprobs": sampling.logprobs} if sampling.logprobs else {}


def _chat_logprobs(sampling: Sampling) -> Body:
    return {"logprobs": True, "top_logprobs": sampling.logprobs} if sampling.logprobs else {}
