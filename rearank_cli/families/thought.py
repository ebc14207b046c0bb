"""Thought and answer of a completion, told apart."""

OPEN, CLOSE = "<think>", "</think>"


def split_thought(text: str) -> tuple[str, str]:
    """Split a completion into its thought and what stands outside of it.

    Everything before the last `</think>` is thought, also where the prompt had opened it. A thought
    that was never closed, the first or a later one, runs to the end: nothing in it is an answer.
    """
    closed, _, rest = text.rpartition(CLOSE)
    rest, _, unfinished = rest.partition(OPEN)
    thoughts = closed.strip().removeprefix(OPEN).strip(), unfinished.strip()
    return "\n".join(thought for thought in thoughts if thought), rest
