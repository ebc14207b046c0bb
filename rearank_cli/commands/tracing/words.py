"""What a model thought and answered, fit to be shown, with the passages it speaks of."""

import re

from rich.text import Text

from rearank_cli.commands.tracing.paper import Paper, clean
from rearank_cli.traces import TracedRequest
from rearank_cli.traces.mentions import mentioned

MENTION = "bold cyan"
_ANSWER_TAG = re.compile(r"</?answer>")


def with_mentions(text: str, n: int, only: int | None = None) -> Text:
    """A text with the identifiers of n passages marked, or of `only` one of them."""
    words = Text(clean(text))
    for mention in mentioned(words.plain, n):
        if only in (None, mention.number):
            words.stylize(MENTION, mention.start, mention.end)
    return words


def write_words(paper: Paper, request: TracedRequest, indent: int) -> None:
    """Write a request's reasoning and its answer, or the error in place of them."""
    n = len(request.doc_ids)
    if request.reasoning:
        paper.write(with_mentions(request.reasoning.strip(), n), indent=indent + 2)
    answer = "\n".join(part.strip() for part in _ANSWER_TAG.split(request.answer)).strip()
    label = "answer:" if request.answered else "it wrote:"
    if "\n" in answer:
        paper.write((label, "bold"), indent=indent)
        paper.write(with_mentions(answer, n), indent=indent + 2)
    elif answer:
        paper.write((label, "bold"), " ", with_mentions(answer, n), indent=indent)
    if request.error:
        paper.write(("error: ", "bold red"), request.error, indent=indent)
    if not (request.reasoning or answer or request.error):
        paper.write(("it wrote nothing", "dim"), indent=indent)
