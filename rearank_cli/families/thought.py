"""Thought and answer of a completion, told apart."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Thought:
    """The marks that a model writes around its thought.

    `also` are those of another kind of thought, with which a text can begin.
    """

    open: str
    close: str
    also: "Thought | None" = None

    def split(self, text: str) -> tuple[str, str, int]:
        """Split a text into its thought and what stands outside of it.

        Everything before the last closing mark is thought, also where the prompt had opened it. A
        thought that was never closed, the first or a later one, runs to the end: nothing in it is an
        answer. The number is how many characters there are from the beginning of the second part to
        the end of the text.
        """
        before = ""
        if self.also and text.lstrip().startswith(self.also.open):
            before, _, text = text.partition(self.also.close)
            before = before.strip().removeprefix(self.also.open).strip()
        closed, _, after = text.rpartition(self.close)
        rest, _, unfinished = after.partition(self.open)
        thoughts = before, closed.strip().removeprefix(self.open).strip(), unfinished.strip()
        return "\n".join(thought for thought in thoughts if thought), rest, len(after)

    def finished(self, text: str, begun: str) -> str:
        """What is put after a prompt that ended with `begun`, to end the thought that began with `text`.

        A part of an answer is dropped.
        """
        whole = begun + text
        if self.also and whole.lstrip().startswith(self.also.open):
            before, close, after = whole.partition(self.also.close)
            if not close:
                return self.also.finished(text, begun)
            ended = f"{before}{close}\n\n".removeprefix(begun)
            return ended + Thought(self.open, self.close).finished(after, "")
        thought, rest, _ = self.split(whole)
        if self.close not in whole:
            thought = thought or rest.strip()  # some models think without saying so
        return self.written(thought, begun)

    def written(self, reasoning: str, begun: str) -> str:
        """A whole thought, as a model writes it after a prompt that ended with `begun`."""
        line_end = "" if begun.endswith("\n") else "\n"
        return f"{'' if begun else self.open}{line_end}{reasoning}\n{self.close}\n\n"


THINK = Thought("<think>", "</think>")
# A chat model that is asked for its reasons may well think before it gives them.
REASON = Thought("<reason>", "</reason>", THINK)
