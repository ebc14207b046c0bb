"""Control tokens that a foreign text spells out, broken where no tokenizer says which the model has."""

import re
from collections.abc import Sequence
from dataclasses import replace

from rearank_cli.records import Prompt, Span, Turn

# The beginnings of marks that chat templates and tokenizers of several makers have: ChatML and Llama 3
# (<|im_end|>), DeepSeek (with wide bars), Qwen and R1 (<think>), Llama 2 and Mistral, Gemma.
_MARK = re.compile(
    r"<[|｜]"
    r"|</?(?:think|s|bos|eos|pad|unk|start_of_turn|end_of_turn)>"
    r"|\[/?(?:INST|SYSTEM_PROMPT|AVAILABLE_TOOLS|TOOL_CALLS|TOOL_RESULTS|THINK)\]"
    r"|<</?SYS>>"
)
_ENDS = re.compile(r"(?:<[|｜][^<>\s]+[|｜]>|</s>|<end_of_turn>|<eos>)+\Z")


def broken(text: str) -> str:
    """A text with its marks broken, as `Tokenizer.neutralise` does: `<|im_end|>` becomes `< |im_end|>`.

    Half of a surrogate pair, which no request can hold, becomes a question mark.
    """
    text = text.encode("utf-8", "replace").decode()
    return _MARK.sub(lambda mark: f"{mark[0][0]} {mark[0][1:]}", text)


def plain(prompt: Prompt) -> Prompt:
    """The prompt with marks broken in every span that came from outside."""

    def clean(spans: Sequence[Span]) -> tuple[Span, ...]:
        return tuple(Span(broken(span.text), True) if span.foreign else span for span in spans)

    turns = tuple(Turn(turn.role, clean(turn.spans)) for turn in prompt.turns)
    return replace(prompt, turns=turns, raw=clean(prompt.raw))


def without_end(text: str) -> str:
    """An answer without the marks that it ends with."""
    return _ENDS.sub("", text)
