#!/usr/bin/env python
"""Fuzz what reads foreign text: answers of models, run files, other inputs, and the command itself.

    scripts/fuzz.py                      everything: some minutes on two cores
    scripts/fuzz.py --short              a taste of everything
    scripts/fuzz.py answers runs         only these
    scripts/fuzz.py answers --first 4711 --count 1      one case again

A case is a number: the same number gives the same input. Prints a table of what was tried and what
came of it, the number of each case that failed, and exits 1 where one did.

answers   a completion, read by every family: never an exception, always a permutation, and never an
          order that the model did not give (an oracle of its own says what it gave).
runs      a mutated run file, read in every order and checked against the rules of every track: a
          reading or an error of rearank_cli.errors, in bounded time; what is accepted can be read.
inputs    the same for mutated judgments, topics, documents, family files and traces.
commands  mutated run files through the real command: a documented exit status that is not 1, one
          sentence and no traceback, and no document lost.
"""

import argparse
import bz2
import gzip
import logging
import lzma
import multiprocessing
import os
import random
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import traceback
import unicodedata
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from functools import cache, partial
from pathlib import Path
from typing import NamedTuple

_ROOT = Path(__file__).resolve().parents[1]
_EXAMPLE = _ROOT / "rearank_cli" / "example"
sys.path.insert(0, str(_ROOT))

from rearank_cli.errors import ExitStatus, RearankError  # noqa: E402
from rearank_cli.families import Family, family_names, load_family  # noqa: E402
from rearank_cli.families.lists import ListReader  # noqa: E402
from rearank_cli.records import Completion, Reading, Status  # noqa: E402

# Real commands, each given a mutated run: {run}, and where a new run may go: {output}.
COMMANDS = [
    ["rerank", "{run}", "-o", "{output}", "--missing", "skip"],
    ["rerank", "{run}", "-o", "{output}", "--missing", "skip", "--input-order", "rank", "--escape-ids"],
    ["rerank", "{run}", "-o", "{output}"],
    ["rerank", "{run}", "--dry-run", "--missing", "skip"],
    ["check", "{run}"],
    ["check", "{run}", "--queries", "queries.tsv", "--docs", "docs.jsonl", "--track", "rag-2025"],
]
# What a command may say of itself when only its input is at fault.
STATUSES = {ExitStatus.DONE, ExitStatus.USAGE, ExitStatus.INPUT, ExitStatus.OUTPUT}

_SECONDS_PER_CASE = 10
_SECONDS_PER_COMMAND = 120
_SHOWN_FAILURES = 20


class WrongError(Exception):
    """Something that must not be."""


class HangError(BaseException):
    """A case that took too long. Not an Exception: nothing below may take it for a bad input."""


def expect(condition: object, problem: str) -> None:
    """Raise WrongError unless a condition holds."""
    if not condition:
        raise WrongError(problem)


# --- answers


class Draw(NamedTuple):
    """What an answer is made from: chance, who is asked, and about how many passages."""

    rng: random.Random
    family: Family
    n: int

    def order(self) -> list[int]:
        return self.rng.sample(range(self.n), self.n)

    def end(self) -> str:
        return self.rng.choice(["stop", "stop", "stop", "length", "length"])


class Answer(NamedTuple):
    """A completion, and what is known of it: the order that it gives, if known, or that it gives none."""

    completion: Completion
    order: list[int] | None = None
    silent: bool = False


Maker = Callable[[Draw], Answer]

_FRAGMENTS = [
    "<think>", "</think>", "<answer>", "</answer>", "<think", "answer>", "</", "<Think>", "<ANSWER>", "[",
    "]", " > ", ">", ",", ";", "=", " ", "\n", "\t", ".", "[1]", "[2]", "[3]", "3", "20", "30", "0", "00",
    "-1", "1.5", "1e3", "²", "①", "½", "٣", "१२", "９", "9" * 30, "1" * 5000, "Passage", " percent",
    "\x00", "\ud800", "\u2028", "\u200b", "\ufeff", "\x1b[31m", "\r", "[] > []", "😀", "[A] > [B]", "A",
    "true", "no", "Yes", "relevant", "5/5", "<answer>[2] > [1]", "[2] > [1]", "[3] > [1] > [2]", "{",
    '{"order": [2, 1]}', "```", "**", "<|im_end|>",
]  # fmt: skip
_PROSE = ["I think that passage", "is better than", "because of", "percent.", "First,", "so the order is"]
_FAILED = ["abort", "error", "tool_calls", "content_filter", ""]


def _soup(rng: random.Random, without: Iterable[str] = ()) -> str:
    text = "".join(rng.choices(_FRAGMENTS, k=rng.randrange(14)))
    for tag in without:
        while tag in text:
            text = text.replace(tag, "")
    return text


def _prose(rng: random.Random) -> str:
    return " ".join(f"{rng.choice(_PROSE)} [{rng.randrange(1, 31)}]" for _ in range(rng.randrange(1, 6)))


def _anything(draw: Draw) -> Answer:
    reasoning = _soup(draw.rng) if draw.rng.random() < 0.1 else None
    return Answer(Completion(_soup(draw.rng), draw.end(), reasoning))


def _long(draw: Draw) -> Answer:
    """What a model writes that has lost itself: the same again and again."""
    text = "".join(draw.rng.choice(_FRAGMENTS) * draw.rng.choice([1, 3_000]) for _ in range(5))
    return Answer(Completion(text[:50_000], draw.end()))


def _failed(draw: Draw) -> Answer:
    text = draw.rng.choice([_soup(draw.rng), draw.family.write(draw.order()).text])
    return Answer(Completion(text, draw.rng.choice(_FAILED)), silent=True)


def _well_formed(draw: Draw) -> Answer:
    order = draw.order()
    return Answer(draw.family.write(order, _soup(draw.rng)), order)


def _mutated(draw: Draw) -> Answer:
    text = draw.family.write(draw.order(), _prose(draw.rng)).text
    for _ in range(draw.rng.randrange(1, 4)):
        start = draw.rng.randrange(len(text) + 1)
        end = min(len(text), start + draw.rng.choice([0, 0, 1, 1, 2, 8]))
        text = text[:start] + draw.rng.choice(["", "", *draw.rng.choices(_FRAGMENTS, k=4)]) + text[end:]
    return Answer(Completion(text, draw.end()))


def _cut(draw: Draw) -> Answer:
    """A well-formed answer that ran out of tokens, or whose model ended before it had closed its thought."""
    text = draw.family.write(draw.order(), _prose(draw.rng)).text
    thought = text.find("</think>")
    if thought > 0 and draw.rng.random() < 0.5:
        end, finish_reason = draw.rng.randrange(thought + len("</think>")), draw.end()
    else:
        end, finish_reason = draw.rng.randrange(len(text.rstrip())), "length"
    return Answer(Completion(text[:end], finish_reason), silent=True)


def _open_thought(draw: Draw) -> Answer:
    before = draw.rng.choice(
        ["", "\n", "Well. ", "<think>[1]</think>", "[2] > [1]</think>\n", "<answer>[2]</answer></think>"]
    )
    text = f"{before}<think>{draw.rng.choice(['', _prose(draw.rng)])}{_soup(draw.rng, ['</think>'])}"
    return Answer(Completion(text, draw.end()), silent=True)


def _nothing_after_thought(draw: Draw) -> Answer:
    opening = draw.rng.choice(["<think>", ""])
    text = (
        f"{opening}{_soup(draw.rng)}{_prose(draw.rng)}</think>{draw.rng.choice(['', ' ', chr(10), ' Done.'])}"
    )
    return Answer(Completion(text, draw.end()), silent=True)


def _only_prose(draw: Draw) -> Answer:
    thought = f"<think>{_prose(draw.rng)}</think>" if draw.rng.random() < 0.5 else ""
    return Answer(
        Completion(thought + _prose(draw.rng), draw.end()), silent=isinstance(draw.family.reader, ListReader)
    )


def _forced_but_not_answered(draw: Draw) -> Answer:
    """A forced finish that ran out of tokens before its first identifier."""
    return Answer(Completion(draw.family.begin_answer(_soup(draw.rng)), draw.end()), silent=True)


# These take a thousand times as long as the others.
_LONG = 0.001
_MAKERS: list[Maker] = [
    *(_anything, _mutated, _mutated, _mutated, _cut, _cut, _open_thought),
    *(_well_formed, _failed, _nothing_after_thought, _only_prose, _forced_but_not_answered),
]


@cache
def _families() -> list[Family]:
    return [load_family(name) for name in family_names()]


def answers(case: int) -> str:
    """Make an answer and have a family read it."""
    rng = random.Random(case)
    family, n = rng.choice(_families()), rng.randrange(1, 31)
    make = _long if rng.random() < _LONG else rng.choice(_MAKERS)
    answer = make(Draw(rng, family, n))
    reading = family.read(answer.completion, n)
    try:
        _judge(reading, answer, n)
        if isinstance(family.reader, ListReader):
            _compare_with_oracle(reading, answer.completion, n)
    except WrongError as error:
        raise WrongError(
            f"{error}: {family.name}, n={n}: {answer.completion!r} was read as {reading!r}"
        ) from None
    return reading.status


def _judge(reading: Reading, answer: Answer, n: int) -> None:
    expect(sorted(reading.order) == list(range(n)), "no permutation")
    expect(reading.answered or reading.order == list(range(n)), "an order without an answer")
    expect(reading.scores is None or len(reading.scores) == n, "scores of something else")
    if answer.silent:
        expect(not reading.answered, "an order that no one gave")
    if answer.order is not None:
        expect(reading.status is Status.OK and reading.order == answer.order, "not the order given")
    if answer.completion.finish_reason not in ("stop", "length"):
        expect(reading.status is Status.FAILED, "no response, and not failed")


def _compare_with_oracle(reading: Reading, completion: Completion, n: int) -> None:
    if completion.finish_reason not in ("stop", "length"):
        return
    listed, tagged = _listed(completion.text, complete=completion.finish_reason == "stop")
    chosen = list(dict.fromkeys(number - 1 for number in listed if 1 <= number <= n))
    if reading.answered:
        expect(chosen, "an order from nowhere")
        expect(reading.order[: len(chosen)] == chosen, "not the order in the answer")
    else:
        expect(not tagged or not chosen, "the answer was not read")


def _listed(text: str, *, complete: bool) -> tuple[list[int], bool]:
    """The numbers where an answer may stand, and whether in tags: an oracle that walks from tag to tag."""
    outside = ""
    thinking = False
    for piece in re.split(r"(</?think>)", text):
        if piece == "</think>":
            outside, thinking = "", False  # whatever was there was thought
        elif piece == "<think>":
            thinking = True
        elif not thinking:
            outside += piece
    before, tag, body = outside.partition("<answer>")
    if tag:
        body, closed, _ = body.partition("</answer>")
        return _numbers(body) if closed or complete else [], True
    if complete and all(
        character in "[]>,;=." or character.isspace() or character.isdigit() for character in before
    ):
        return _numbers(before), False
    return [], False


def _numbers(text: str) -> list[int]:
    numbers = []
    digits = ""
    for character in f"{text} ":
        if unicodedata.digit(character, None) is not None:
            digits += character
        elif digits:
            if all(unicodedata.decimal(digit, None) is not None for digit in digits):
                # Longer ones are no identifiers.
                numbers.append(int("".join(str(unicodedata.decimal(digit)) for digit in digits[:9])))
            digits = ""
    return numbers


# --- files

_BYTES = [
    b"nan", b"NaN", b"inf", b"-inf", b"1e999", b"-1e-999", b"1e39", b"9" * 5000, b"-" + b"9" * 5000,
    b"1" * 400 + b".5", b"0x10", b"1_0", b"+1", b"1e", b"", b" ", b"\t", b"  ", b"\r", b"\r\n", b"\n",
    b"\n\n", b"\x00", b"\x0b", b"\x0c", b"\x1b[31m", b"\x1b]0;owned\x07", b"\xef\xbb\xbf", b"\xff\xfe",
    b"\xe9", b"\xc2\x9b", b"\xed\xa0\x80", b"\xf4\x90\x80\x80", b"\xe2\x80\xa8", b"\xc2\xa0", b"\xc2\x85",
    b"\xe3\x80\x80", b"#", b"# a comment\n", b"Q0", b"q1", b"x" * 70_000, b"1" * 70_000, b"\r" * 70_000,
    b" " * 70_000, b"[" * 3_000, b"%20", b"\\", b'"', b"'", b"{}", b"{{ x }}", b"[1]", b"null", b"true",
    b"0", b"-1", b"bee-001", "é".encode("utf-16"), b"\xd9\xa3", b"\xc2\xb2",
]  # fmt: skip


def _mutate(rng: random.Random, content: bytes) -> bytes:
    for _ in range(rng.choice([1, 1, 1, 2, 3, 5, 9])):
        content = rng.choice(_MUTATIONS)(rng, content)
    return content


def _flip(rng: random.Random, content: bytes) -> bytes:
    changed = bytearray(content)
    for _ in range(rng.randrange(1, 4)):
        if changed:
            changed[rng.randrange(len(changed))] = rng.randrange(256)
    return bytes(changed)


def _insert(rng: random.Random, content: bytes) -> bytes:
    place = rng.randrange(len(content) + 1)
    return content[:place] + rng.choice(_BYTES) + content[place + rng.choice([0, 0, 1, 5]) :]


def _change_lines(rng: random.Random, content: bytes) -> bytes:
    lines = content.splitlines(keepends=True)
    if not lines:
        return content
    chosen = rng.randrange(len(lines))
    match rng.randrange(6):
        case 0:
            del lines[chosen]
        case 1:
            lines.insert(rng.randrange(len(lines)), lines[chosen])
        case 2:
            rng.shuffle(lines)
        case 3:
            lines = lines[:chosen]
        case 4:
            lines[chosen] = lines[chosen][: rng.randrange(len(lines[chosen]))]
        case _:
            lines = [line.rstrip(b"\n") + b"\r\n" for line in lines]
    return b"".join(lines)


def _change_fields(rng: random.Random, content: bytes) -> bytes:
    lines = content.split(b"\n")
    chosen = rng.randrange(len(lines))
    fields = lines[chosen].split(b" ")
    place = rng.randrange(len(fields))
    match rng.randrange(5):
        case 0:
            del fields[place]
        case 1:
            fields.insert(place, rng.choice(fields))
        case 2:
            rng.shuffle(fields)
        case _:
            fields[place] = rng.choice(_BYTES)
    lines[chosen] = rng.choice([b" ", b" ", b" ", b"\t", b"  "]).join(fields)
    return b"\n".join(lines)


def _wrap(rng: random.Random, content: bytes) -> bytes:
    match rng.randrange(5):
        case 0:
            return b"\xef\xbb\xbf" + content
        case 1:
            return content.replace(b"\n", b"\r")
        case 2:
            return content.decode("utf-8", "replace").encode("utf-16")
        case 3:
            return content.rstrip(b"\n")
        case _:
            return b""


def _compress(rng: random.Random, content: bytes) -> bytes:
    compressed = rng.choice([gzip.compress, bz2.compress, lzma.compress])(content)
    match rng.randrange(4):
        case 0:
            return compressed
        case 1:
            return compressed[: rng.randrange(len(compressed))]
        case 2:
            return _flip(rng, compressed)
        case _:
            return compressed + rng.choice([b"\x00", b"garbage", compressed[:20]])


_MUTATIONS = [
    *(_flip, _flip, _insert, _insert, _insert, _change_lines, _change_lines),
    *(_change_fields, _change_fields, _change_fields, _wrap, _compress),
]


@cache
def _run_file() -> bytes:
    """Three queries with ten documents each, from the example."""
    lines = (_EXAMPLE / "run.trec").read_bytes().splitlines(keepends=True)
    queries = dict.fromkeys(line.split()[0] for line in lines)
    return b"".join(
        line
        for query in list(queries)[:3]
        for line in [line for line in lines if line.split()[0] == query][:10]
    )


@contextmanager
def _file(content: bytes, suffix: str = "") -> Iterator[Path]:
    handle, name = tempfile.mkstemp(prefix="fuzz-", suffix=suffix)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
        yield Path(name)
    finally:
        Path(name).unlink()


def runs(case: int) -> str:
    """Mutate a run, read it in every order, and check it as `rearank check` does."""
    from rearank_cli.trec import read_run
    from rearank_cli.trec.rules import check_run
    from rearank_cli.trec.streams import open_input
    from rearank_cli.trec.tracks import TRACKS

    rng = random.Random(case)
    track = rng.choice([TRACKS["default"], *TRACKS.values()])
    topics = rng.choice([None, ["q1", "q2", "q3", "q99"]])
    with _file(_mutate(rng, _run_file())) as path:
        readings = {order: _or_error(partial(read_run, path, order)) for order in ("trec", "rank", "file")}
        try:
            with open_input(path) as lines:
                checked = check_run(lines, track, topics)
        except RearankError:
            accepted = False
        else:
            for finding in checked.findings:
                expect(finding.sentence.isprintable(), f"unprintable: {finding}")
            accepted = all(finding.warning for finding in checked.findings)
    read = {order: run for order, run in readings.items() if run is not None}
    expect(("trec" in read) == ("file" in read), "one order can be read, the other not")
    if "file" in read:
        for run in read.values():
            expect(_documents(run) == _documents(read["file"]), "an order loses or invents documents")
    if accepted:
        expect(len(read) == 3, "accepted, and cannot be read")
        expect(sum(map(len, read["file"].values())) == checked.lines, "accepted, and read otherwise")
    return f"{'accepted' if accepted else 'refused'}, {'read' if 'file' in read else 'not read'}"


def _documents(run) -> dict[str, list[str]]:
    return {query_id: sorted(document.doc_id for document in ranking) for query_id, ranking in run.items()}


def _or_error(read: Callable[[], object]):
    """What was read; None where an error of ours said why not."""
    try:
        return read()
    except RearankError as error:
        expect(str(error), "an error that says nothing")
        return None


def _traces() -> bytes:
    """What a real job leaves: the traces of one query."""
    from rearank_cli import rerank

    texts = {"docs": _EXAMPLE / "docs.jsonl", "queries": _EXAMPLE / "queries.tsv"}
    with tempfile.TemporaryDirectory(prefix="fuzz-") as folder:
        traces = Path(folder) / "traces.jsonl"
        rerank(
            _EXAMPLE / "run.trec",
            **texts,
            engine="lexical",
            traces=traces,
            limit=1,
            depth=4,
            window=2,
            step=1,
        )
        return traces.read_bytes()


def _read_judgments(path: Path) -> None:
    from rearank_cli.trec import read_qrels

    read_qrels(path)


def _read_topics(path: Path) -> None:
    from rearank_cli.corpus.local import read_queries

    read_queries(path, ["q1", "q2"])


def _read_documents(path: Path) -> None:
    from rearank_cli.corpus.local import LocalCorpus

    LocalCorpus(path, path).passages(["bee-001", "bee-002"])


def _read_family(path: Path) -> None:
    family = load_family(path)
    family.read(family.write([1, 0]), 2)


def _read_traces(path: Path) -> None:
    from rearank_cli.traces.journal import Journal, read_traces

    read_traces(path)
    with Journal(path, "resume"):
        pass


@cache
def _inputs() -> list[tuple[str, bytes, str, Callable[[Path], None]]]:
    """A name, a file that is well-formed, the suffix it needs, and what reads it."""
    families = _ROOT / "rearank_cli" / "families"
    documents = (_EXAMPLE / "docs.jsonl").read_bytes().splitlines(keepends=True)[:5]
    judgments = (_EXAMPLE / "qrels.trec").read_bytes().splitlines(keepends=True)[:10]
    return [
        ("judgments", b"".join(judgments), "", _read_judgments),
        ("topics", (_EXAMPLE / "queries.tsv").read_bytes(), "", _read_topics),
        ("documents", b"".join(documents), "", _read_documents),
        ("traces", _traces(), ".jsonl", _read_traces),
        *(
            ("family file", path.read_bytes(), ".toml", _read_family)
            for path in sorted(families.glob("*.toml"))
        ),
    ]


def inputs(case: int) -> str:
    """Mutate another kind of input, and read it."""
    rng = random.Random(case)
    name, content, suffix, read = rng.choice(_inputs())
    with _file(_mutate(rng, content), suffix) as path:
        try:
            read(path)
        except RearankError:
            return f"{name} refused"
    return f"{name} read"


# --- the real command


def commands(case: int) -> str:
    """Give a mutated run to a real command, in a folder with the example's texts."""
    from rearank_cli.trec import read_run

    rng = random.Random(case)
    command = COMMANDS[case % len(COMMANDS)]
    with tempfile.TemporaryDirectory(prefix="fuzz-") as name:
        folder = Path(name)
        for file in ("docs.jsonl", "queries.tsv", "qrels.trec", "rearank.toml"):
            shutil.copy(_EXAMPLE / file, folder)
        run, output = folder / "run.trec", folder / "out.trec"
        run.write_bytes(_mutate(rng, _run_file()))
        done = subprocess.run(
            [sys.executable, "-m", "rearank_cli", *(word.format(run=run, output=output) for word in command)],
            cwd=folder,
            env={**os.environ, "PYTHONPATH": str(_ROOT)},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            check=False,
            timeout=_SECONDS_PER_COMMAND,
        )
        told = f"{' '.join(command)}: exit status {done.returncode}, {done.stderr.decode(errors='replace')!r}"
        expect(done.returncode in STATUSES, told)
        expect(b"Traceback" not in done.stdout + done.stderr, told)
        expect(b"\x1b" not in done.stdout + done.stderr, f"terminal escapes: {told}")
        expect(done.returncode == 0 or done.stderr, f"no word about it: {told}")
        expect(not output.exists() or done.returncode == 0, f"a run in spite of an error: {told}")
        if output.exists() and "--escape-ids" not in command:
            expect(
                _documents(read_run(output)) == _documents(read_run(run)),
                f"documents lost or invented: {told}",
            )
    return f"{command[0]}: exit {done.returncode}"


# --- all of it


class Kind(NamedTuple):
    """Something to fuzz: how many cases in full, and for a taste."""

    check: Callable[[int], str]
    full: int
    short: int


KINDS = {
    "answers": Kind(answers, 1_000_000, 20_000),
    "runs": Kind(runs, 20_000, 600),
    "inputs": Kind(inputs, 20_000, 600),
    "commands": Kind(commands, 200, 6),
}


class Failure(NamedTuple):
    case: int
    problem: str


class Outcome(NamedTuple):
    """What came of some cases: how often each result, and the failures."""

    results: Counter[str]
    failures: list[Failure]


def fuzz(kind: str, first: int, count: int) -> Outcome:
    """Try the cases from `first` on, in this process."""
    logging.getLogger("rearank").setLevel(logging.CRITICAL)
    check = KINDS[kind].check
    seconds = _SECONDS_PER_COMMAND + _SECONDS_PER_CASE if check is commands else _SECONDS_PER_CASE
    results: Counter[str] = Counter()
    failures = []
    for case in range(first, first + count):
        try:
            with _time_limit(seconds):
                results[check(case)] += 1
        except WrongError as error:
            failures.append(Failure(case, str(error)))
        except (Exception, HangError) as error:  # noqa: BLE001  # that is what is looked for
            # What was interrupted stands above the function that gave up.
            place = traceback.extract_tb(error.__traceback__)[-2 if isinstance(error, HangError) else -1]
            problem = f"{type(error).__name__}: {error} ({Path(place.filename).name}:{place.lineno})"
            failures.append(Failure(case, problem))
    return Outcome(results, failures)


@contextmanager
def _time_limit(seconds: float) -> Iterator[None]:
    def give_up(*_: object) -> None:
        raise HangError(f"not done after {seconds} seconds")

    before = signal.signal(signal.SIGALRM, give_up)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def _fuzz_chunk(chunk: tuple[str, int, int]) -> Outcome:
    return fuzz(*chunk)


def _report(kind: str, outcome: Outcome, seconds: float) -> None:
    count = outcome.results.total() + len(outcome.failures)
    results = ", ".join(f"{number:,} {result}" for result, number in outcome.results.most_common())
    print(f"{kind:9} {count:>9,} {seconds:>7.1f} s {len(outcome.failures):>4} failed  {results}", flush=True)
    for failure in outcome.failures[:_SHOWN_FAILURES]:
        print(f"    scripts/fuzz.py {kind} --first {failure.case} --count 1: {failure.problem[:600]}")


def main() -> int:
    """Fuzz what the command line asks for; return the exit status."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("kinds", nargs="*", metavar="KIND", help=f"{', '.join(KINDS)} (default: all)")
    parser.add_argument("--short", action="store_true", help="a taste only")
    parser.add_argument("--first", type=int, default=0, metavar="CASE", help="number of the first case")
    parser.add_argument("--count", type=int, metavar="N", help="number of cases of each kind")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1, metavar="N", help="processes")
    options = parser.parse_args()
    if unknown := set(options.kinds) - set(KINDS):
        parser.error(f"unknown kind {', '.join(sorted(unknown))}; they are {', '.join(KINDS)}")
    failed = False
    with multiprocessing.Pool(options.jobs) as pool:
        for name in options.kinds or KINDS:
            count = options.count or (KINDS[name].short if options.short else KINDS[name].full)
            size = max(1, min(5000, count // (4 * options.jobs)))
            end = options.first + count
            chunks = [(name, first, min(size, end - first)) for first in range(options.first, end, size)]
            started = time.monotonic()
            results: Counter[str] = Counter()
            failures: list[Failure] = []
            for outcome in pool.imap(_fuzz_chunk, chunks):
                results += outcome.results
                failures += outcome.failures
            _report(name, Outcome(results, failures), time.monotonic() - started)
            failed |= bool(failures)
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
