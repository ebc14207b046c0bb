"""What was asked to be known of the tokens of an answer, found among the likeliest at each place."""

from collections.abc import Collection, Iterable, Mapping
from typing import Generic, NamedTuple, TypeVar

from rearank_cli.records import Token

# What tells tokens apart: their ids, or only their texts where an engine gives no ids.
Key = TypeVar("Key", int, str)


class Place(NamedTuple, Generic[Key]):
    """A token that was drawn, and the log-probabilities of the likeliest ones in its place."""

    text: str
    logprob: float
    likeliest: Mapping[Key, float]


def tokens_of(places: Iterable[Place[Key]], watch: Mapping[str, Collection[Key]]) -> tuple[Token, ...]:
    """The tokens of an answer; `watch` has the keys of every watched text."""
    return tuple(
        Token(
            place.text,
            place.logprob,
            {
                text: max(place.likeliest[key] for key in keys if key in place.likeliest)
                for text, keys in watch.items()
                if any(key in place.likeliest for key in keys)
            },
            min(place.likeliest.values(), default=place.logprob),
        )
        for place in places
    )
