"""The options of `rearank rerank` that a reproduction passes on."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from rearank_cli.errors import UsageError

# What the script sees to itself.
_OWN = {
    "--dataset": "the collections are those of the paper",
    "--docs": "name a folder with --collection NAME=FOLDER",
    "--queries": "name a folder with --collection NAME=FOLDER",
    "--qrels": "name a folder with --collection NAME=FOLDER",
    "--traces": "traces go beside the runs",
    "--tag": "tags are the script's own",
    "--resume": "it always goes on where it stopped",
    "--shard": "give some collections with --only instead",
    "--config": "configurations are left out, so that settings are the paper's",
    "--escape-ids": "ids with spaces are seen to",
}
# What changes when an answer comes, and not which.
_WITHOUT_EFFECT = frozenset(
    {"--in-flight", "--base-url", "--replicas", "--ray-address", "--timeout", "--grace", "--max-failed"}
    | {"--quiet", "--verbose", "--debug", "-q", "-v"}
)


def check(passed_on: Sequence[str]) -> None:
    """Raise UsageError for a word that cannot be passed on."""
    for option, _ in _pairs(passed_on):
        if option in _OWN:
            raise UsageError(f"{option} cannot be passed on: {_OWN[option]}")
    if passed_on and not passed_on[0].startswith("-"):
        raise UsageError(f"{passed_on[0]}: one paper at a time, and options")


def as_words(options: Mapping[str, Any], passed_on: Sequence[str]) -> list[str]:
    """The paper's options as words of a command line, less those that are given in its place."""
    given = {option for option, value in _pairs(passed_on) if option != "--set"}
    settings = {value.partition("=")[0] for option, value in _pairs(passed_on) if option == "--set"}
    words = []
    for name, value in options.items():
        option = f"--{name}"
        if option not in given and not (option == "--set" and value.partition("=")[0] in settings):
            words += [option] if value is True else [option, str(value)]
    return words


def that_matter(passed_on: Sequence[str]) -> list[str]:
    """The options that can change a result, in an order of their own."""
    return sorted(
        f"{option} {value}".strip() for option, value in _pairs(passed_on) if option not in _WITHOUT_EFFECT
    )


def _pairs(words: Sequence[str]) -> Iterator[tuple[str, str]]:
    """Options with their values; a flag has an empty one."""
    option: str | None = None
    for word in words:
        begins = word.startswith("-") and not word[1:2].isdigit()
        if option is not None:
            yield option, "" if begins else word
            option = None
            if not begins:
                continue
        if begins and word.startswith("--") and "=" in word:
            name, _, value = word.partition("=")
            yield name, value
        elif begins:
            option = word
    if option is not None:
        yield option, ""
