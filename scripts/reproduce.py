#!/usr/bin/env python
"""The papers' tables, made again: our numbers beside the published ones.

    scripts/reproduce.py rearank --standard                     TREC DL and seven collections of BEIR
    scripts/reproduce.py reasonrank --bright --first-stage biology=reasonir.txt ...
    scripts/reproduce.py rearank --only dl19,nfcorpus --list    what would be done, and from what

For every collection: a first stage (BM25's top 100 by `rearank retrieve`, or a run that is given), `rearank
rerank` as the paper did it, and nDCG@10. Options of `rearank rerank` are passed on to it
(--engine-arg tensor_parallel_size=4, --depth 20). Each collection has a folder FOLDER/PAPER/COLLECTION; what
is finished is kept, what was interrupted goes on where it stopped. What cannot be had has a row that says so,
and the others go on. The model is loaded for each collection; a server (--engine openai) loads it once.

Exit status: 0 when every collection has its row, those that cannot be had included; 2 for usage; that of the
command where one failed; 130 and 143 when interrupted: the same command goes on.
"""

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from rearank_cli.errors import InputError, RearankError, UsageError
from scripts.reproduction import words
from scripts.reproduction.asking import Asking, agreed_settings
from scripts.reproduction.attempt import Attempts, Outcome, check_options
from scripts.reproduction.commands import Stopped, stoppable
from scripts.reproduction.comparison import row_of
from scripts.reproduction.published import Collection, collections, find_collection, load_paper
from scripts.reproduction.table import as_object, as_text, listing


def main() -> int:
    parser = _parser()
    arguments, passed_on = parser.parse_known_args()
    try:
        words.check(passed_on)
        asking = _asking(arguments, passed_on)
        chosen = _chosen(arguments)
        if arguments.list:
            print(listing(chosen, asking))
            return 0
        # Before the first collection costs hours, and not after.
        for collection in chosen:
            if not arguments.overwrite:
                agreed_settings(asking, collection)
        check_options(asking, chosen[0])
        return _reproduce(chosen, asking, as_json=arguments.json)
    except RearankError as error:
        print(f"reproduce: {error}", file=sys.stderr)
        return error.status


def _reproduce(chosen: Sequence[Collection], asking: Asking, *, as_json: bool) -> int:
    attempts, outcomes, status = Attempts(asking), list[Outcome](), 0
    with stoppable():
        try:
            for collection in chosen:
                outcome = attempts.of(collection)
                outcomes.append(outcome)
                status = status or outcome.exit_status
                told = "; ".join(outcome.remarks)
                print(f"{collection.name}: {outcome.status}{f' ({told})' * bool(told)}", file=sys.stderr)
        except Stopped as stopped:
            without = ", without --overwrite," * asking.overwrite
            print(f"reproduce: interrupted; the same command{without} goes on from here", file=sys.stderr)
            status = 128 + stopped.number
    rows = [row_of(outcome, asking) for outcome in outcomes]
    if as_json:
        print(json.dumps(as_object(rows, asking), indent=2))
    elif rows:
        print(as_text(rows, asking))
    return status


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter, allow_abbrev=False
    )
    parser.add_argument("paper", help="rearank or reasonrank")
    parser.add_argument("--standard", action="store_true", help="TREC DL and BEIR (default: all)")
    parser.add_argument("--bright", action="store_true", help="BRIGHT (default: all)")
    parser.add_argument("--only", metavar="NAMES", action="append", help="these, such as dl19,nfcorpus")
    parser.add_argument(
        "--first-stage", metavar="NAME=RUN", action="append", default=[], help="a run in BM25's place"
    )
    parser.add_argument(
        "--collection", metavar="NAME=FOLDER", action="append", default=[],
        help="texts and judgments from a folder in BEIR's layout",
    )  # fmt: skip
    parser.add_argument("-m", "--model", help="default: the paper's of 7B")
    parser.add_argument(
        "--engine", choices=("vllm", "openai", "lexical"), default="vllm", help="default: vllm"
    )
    parser.add_argument("-o", "--output", metavar="FOLDER", type=Path, default=Path("reproduction"))
    parser.add_argument("--overwrite", action="store_true", help="do again what is finished or begun")
    parser.add_argument("--list", "--dry-run", action="store_true", help="what would be done; do nothing")
    parser.add_argument("--json", action="store_true", help="JSON instead of a table")
    return parser


def _asking(arguments: argparse.Namespace, passed_on: Sequence[str]) -> Asking:
    paper = load_paper(arguments.paper)
    return Asking(
        paper=paper,
        model=arguments.model or paper.model,
        engine=arguments.engine,
        folder=arguments.output,
        passed_on=passed_on,
        first_stages=_named(arguments.first_stage, "--first-stage NAME=RUN"),
        folders=_named(arguments.collection, "--collection NAME=FOLDER"),
        overwrite=arguments.overwrite,
    )


def _named(given: Sequence[str], shape: str) -> dict[str, Path]:
    """Paths by collection. Raises UsageError for other words, InputError for a path that is not there."""
    found = {}
    for word in given:
        name, equals, path = word.partition("=")
        if not equals or not path:
            raise UsageError(f"{word} is not of the form {shape}")
        found[find_collection(name).name] = Path(path)
        if not Path(path).exists():
            raise InputError(f"{path}, given for {name}, does not exist")
    return found


def _chosen(arguments: argparse.Namespace) -> list[Collection]:
    """The collections asked for, in the papers' order. Raises UsageError where there are none."""
    flags = {"standard": arguments.standard, "bright": arguments.bright}
    parts = {part for part, wanted in flags.items() if wanted} or set(flags)
    names = [name for words in arguments.only or () for name in words.split(",") if name.strip()]
    only = {find_collection(name).name for name in names}
    chosen = [
        collection
        for collection in collections().values()
        if collection.part in parts and (not only or collection.name in only)
    ]
    if not chosen:
        raise UsageError(
            f"{', '.join(sorted(only))}: not among what --{' --'.join(sorted(parts))} stands for"
        )
    return chosen


if __name__ == "__main__":
    sys.exit(main())
