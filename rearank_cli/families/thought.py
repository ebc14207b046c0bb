"""Thought and answer of a completion, told apart."""

OPEN, CLOSE = "<think>", "</think>"


def split_thought(text: str) -> tuple[str, str]:
    """Split a completion into its thought and what stands outside of it.

    Everything before the last `</think>` is thought, also where the prompt had opened it. A thought
    that was never closed runs to the end: nothing in it is an answer.
    """
    if CLOSE in text:
        thought, _, rest = text.rpartition(CLOSE)
        return thought.strip().removeprefix(OPEN).strip(), rest
    rest, _, thought = text.partition(OPEN)
    return thought.strip(), rest
