"""A family in words: where it comes from, its defaults, and the exact request for an example."""

from collections.abc import Iterator, Mapping
from textwrap import wrap

from rearank_cli.families.family import Family
from rearank_cli.records import Completion, Passage

_WIDTH = 100
_LABEL = 12

_QUERY = "why do cats purr"
_PASSAGES = (
    Passage(
        "d1",
        "A purr is made by muscles of the larynx that open and close the glottis.",
        title="Purring",
        score=12.5,
    ),
    Passage("d2", "Dogs wag their tails to the right when they see their owner.", score=9.25),
)


def portrait(family: Family) -> str:
    """All that `rearank families NAME` says. Prompts are shown as they are, whatever their width."""
    return "\n".join([*_facts(family), "", *_request(family)])


def _facts(family: Family) -> Iterator[str]:
    yield f"{family.name}: {family.title}"
    yield from _said("paper", family.paper)
    yield from _said("source", family.source)
    for model in family.models:
        origin = ("adapter for " if model.adapter else "trained from ") + (model.base or "")
        yield from _said("model", model.name + (f" ({origin})" if model.base else ""))
    yield from _said("method", ", ".join(_method(family)))
    yield from _said("sampling", ", ".join(_sampling(family)))
    for key, value in family.engine.items():
        yield from _said("engine", f"{key}={value.strip(chr(34))}")
    for key, value in family.settings.items():
        names = family.named.get(key, {})
        name_of_value = next((name for name, text in names.items() if text == value), value)
        choice = f" (one of {', '.join(family.allowed[key])})" if key in family.allowed else ""
        yield from _said("setting", f"{key}={name_of_value}{choice}")
        for name, text in names.items():
            yield from _said("", f"{name}: {' '.join(text.split())}")
    for datasets, settings in family.collections:
        yield from _said("collection", f"{', '.join(datasets)}: {_pairs(settings)}")
    for sentence in family.ours:
        yield from _said("ours", sentence)
    for sentence in family.results:
        yield from _said("result", sentence)


def _said(label: str, text: str) -> list[str]:
    """A fact, as lines of a terminal."""
    if not text:
        return []
    return wrap(
        text,
        _WIDTH,
        initial_indent=f"{label:{_LABEL}}",
        subsequent_indent=" " * _LABEL,
        break_long_words=False,
        break_on_hyphens=False,
    )


def _method(family: Family) -> Iterator[str]:
    defaults = family.defaults
    yield f"{defaults.method}, window {defaults.window}, step {defaults.step}, depth {defaults.depth}"
    if defaults.passes is not None:
        yield f"passes {defaults.passes}"
    if defaults.top is not None:
        yield f"top {defaults.top}"


def _sampling(family: Family) -> Iterator[str]:
    sampling = family.sampling
    yield f"temperature {sampling.temperature:g}, top_p {sampling.top_p:g}"
    if sampling.top_k:
        yield f"top_k {sampling.top_k}"
    if sampling.min_p:
        yield f"min_p {sampling.min_p:g}"
    if sampling.max_tokens is None:
        yield "as many tokens as a whole answer has"
    else:
        yield f"at most {sampling.max_tokens} token{'s' if sampling.max_tokens > 1 else ''}"
    if sampling.logprobs:
        likeliest = f"the {sampling.logprobs} likeliest tokens" if sampling.logprobs > 1 else "each token"
        yield f"with the probabilities of {likeliest}"
    if sampling.stop:
        yield f"ends after {' or '.join(repr(text) for text in sampling.stop)}"


def _pairs(settings: Mapping[str, str]) -> str:
    return ", ".join(f"{key}={value}" for key, value in settings.items())


def _request(family: Family) -> Iterator[str]:
    passages = _PASSAGES[: family.most_passages]
    yield f"The request for a query and {'one passage' if len(passages) == 1 else 'two passages'}:"
    prompt = family.prompt(_QUERY, passages)
    for message in prompt.messages:
        yield from ("", f"--- {message['role']}", message["content"])
    if prompt.text is not None:
        yield from ("", "--- a raw text, without a chat template", prompt.text)
    for name, value in prompt.chat_args:
        yield from ("", f"--- told to the chat template: {name}={str(value).lower()}")
    if prompt.append:
        yield from ("", f"--- appended: {prompt.append}")
    yield from ("", "--- a well-formed answer", _answer(family, len(passages)).text)
    sampling = family.sampling_for(family.sampling, len(passages))
    if sampling.watch:
        watched = ", ".join(repr(text) for text in sampling.watch)
        yield from ("", f"--- read with the probabilities of {watched}")


def _answer(family: Family, n: int) -> Completion:
    """An answer that finds the first passage better, or a single one rather relevant."""
    if n == 1:
        return family.write(scores=[0.8 * family.highest_score], reasoning="...")
    return family.write(list(range(n)), "...")
