"""A family in words: where it comes from, its defaults, and the exact request for an example."""

from collections.abc import Iterator

from rearank_cli.families.family import Family
from rearank_cli.records import Passage

_QUERY = "why do cats purr"
_PASSAGES = (
    Passage(
        "d1", "A purr is made by muscles of the larynx that open and close the glottis.", title="Purring"
    ),
    Passage("d2", "Dogs wag their tails to the right when they see their owner."),
)


def portrait(family: Family) -> str:
    """All that `rearank families NAME` says."""
    return "\n".join(_lines(family))


def _lines(family: Family) -> Iterator[str]:
    yield f"{family.name}: {family.title}"
    yield f"paper     {family.paper}"
    yield f"source    {family.source}"
    for model in family.models:
        yield f"model     {model.name}" + (f" (trained from {model.base})" if model.base else "")
    for sentence in family.ours:
        yield f"ours      {sentence}"
    defaults, sampling = family.defaults, family.sampling
    yield (
        f"method    {defaults.method}, window {defaults.window}, step {defaults.step}, depth {defaults.depth}"
    )
    yield (
        f"sampling  temperature {sampling.temperature:g}, top_p {sampling.top_p:g}, "
        f"at most {sampling.max_tokens} tokens"
    )
    for key, value in family.settings.items():
        yield f"setting   {key}={value}"
    yield ""
    yield "The request for a query and two passages:"
    prompt = family.prompt(_QUERY, _PASSAGES)
    for message in prompt.messages:
        yield ""
        yield f"--- {message['role']}"
        yield message["content"]
    if prompt.text is not None:
        yield ""
        yield prompt.text
    if prompt.append:
        yield ""
        yield f"--- appended: {prompt.append}"
    yield ""
    yield "--- a well-formed answer"
    yield family.write([1, 0], reasoning="...").text
