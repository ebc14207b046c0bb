"""`rearank.toml`: what it may hold, what wins over it, and what is said when something in it is wrong."""

from pathlib import Path

import orjson
import pytest

from tests.end_to_end.conftest import Command, fails


def test_options_come_from_the_nearest_configuration(rearank: Command, bees: Path) -> None:
    inner = bees / "experiments" / "one"
    inner.mkdir(parents=True)
    done = rearank("rerank", "../../run.trec", cwd=inner)
    assert done.returncode == 0, done.stderr
    assert (inner / "run.rearank.trec").is_file()


def test_every_kind_of_option_can_stand_in_the_configuration(rearank: Command, bees: Path) -> None:
    """Numbers, switches, lists, and tables of keys; with dashes or underscores."""
    (bees / "rearank.toml").write_text(
        '[rerank]\ndocs = "docs.jsonl"\nqueries = "queries.tsv"\nengine = "lexical"\nmax_failed = 0.5\n'
        'no-forced-finish = true\nquery = ["q2", "q4"]\ndepth = 30\n'
        '[rerank.set]\ncut = "40 words"\n[rerank.engine-arg]\nenforce_eager = true\n'
        '[evaluate]\nqrels = "qrels.trec"\nmeasure = ["P@3", "ndcg@5"]\nformat = "json"\n'
    )
    done = rearank("rerank", "run.trec", cwd=bees)
    assert done.returncode == 0, done.stderr
    options = orjson.loads((bees / "run.rearank.jsonl").open("rb").readline())["options"]
    assert options["set"] == {"cut": "40 words"}
    assert options["engine_arg"] == {"enforce_eager": "true"}
    assert (options["depth"], options["forced_finish"]) == (30, False)
    assert {line.split()[0] for line in (bees / "run.rearank.trec").open()} == {"q2", "q4"}
    evaluated = rearank("evaluate", "run.trec", cwd=bees)
    assert orjson.loads(evaluated.stdout)["measures"] == ["precision@3", "ndcg@5"]


def test_options_above_the_tables_are_for_every_command_that_has_them(rearank: Command, bees: Path) -> None:
    below = bees / "below"
    below.mkdir()
    (bees / "rearank.toml").write_text(
        'docs = "docs.jsonl"\nqueries = "queries.tsv"\nqrels = "qrels.trec"\ndepth = 5\nin-flight = 3\n'
        '[rerank]\nengine = "lexical"\ndepth = 30\n[evaluate]\nmeasure = "P@3"\n'
    )
    done = rearank("rerank", "../run.trec", cwd=below)
    assert done.returncode == 0, done.stderr
    assert orjson.loads((below / "run.rearank.jsonl").open("rb").readline())["options"]["depth"] == 30
    evaluated = rearank("evaluate", "../run.trec", cwd=below)
    assert evaluated.stdout.split()[:2] == ["run", "precision@3"], evaluated.stderr


@pytest.mark.parametrize(
    ("command", "source"),
    [
        (["rerank", "run.trec", "--dry-run"], "dataset"),
        (["retrieve"], "dataset"),
        (["evaluate", "run.trec"], "dataset"),
        (["evaluate", "run.trec", "--qrels", "none"], "qrels"),
        (["evaluate", "run.trec", "--measure", "P@5"], "qrels of the file"),
        (["rerank", "run.trec", "--dry-run", "--docs", "none"], "docs"),
    ],
)
def test_a_source_of_texts_on_the_command_line_takes_the_place_of_the_configured_one(
    rearank: Command, bees: Path, command: list[str], source: str
) -> None:
    if source == "dataset":
        done = rearank(*command, "--dataset", "nowhere", cwd=bees)
        assert "unknown dataset 'nowhere'" in done.stderr
    else:
        others = 'qrels = "none"\n' if source == "qrels of the file" else ""
        text = f'dataset = "nowhere"\n{others}[rerank]\nqueries = "queries.tsv"\n'
        (bees / "rearank.toml").write_text(text)
        done = rearank(*command, cwd=bees)
        assert "none: no such file" in done.stderr, done.stderr
    assert done.returncode == 3


@pytest.mark.parametrize(
    ("line", "words", "told"),
    [
        ("window = 0", [], "--window is 0, and must be at least 1 (--window is set in {file})"),
        ('window = "wide"', [], "Invalid value for '--window': "),
        ('missing = "never"', [], "is not one of 'error', 'skip'. (--missing is set in {file})"),
        ("window = 20\nstep = 30", [], "(--window and --step are set in {file})"),
        ("step = 30", ["--window", "9"], "would never be seen (--step is set in {file})"),
        (
            'family = "rerank"',
            [],
            "unknown family 'rerank'; did you mean rearank? (--family is set in {file})",
        ),
        ('docs = "none.jsonl"', [], "{folder}/none.jsonl: no such file (--docs is set in {file})"),
    ],
)
def test_what_is_refused_names_the_configuration_where_it_is_from(
    rearank: Command, bees: Path, line: str, words: list[str], told: str
) -> None:
    docs = "" if "docs" in line else 'docs = "docs.jsonl"\n'
    file = bees.resolve() / "rearank.toml"
    file.write_text(f'{docs}queries = "queries.tsv"\nengine = "lexical"\n{line}\n')
    below = bees / "below"
    below.mkdir()
    done = rearank("rerank", "../run.trec", *words, cwd=below)
    assert done.returncode in (2, 3)
    assert told.format(file=file, folder=file.parent) in done.stderr
    assert done.stderr.endswith(f"set in {file})\n")
    assert len(done.stderr.splitlines()) == 1


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("window = 20", ["--window", "0"]),
        ('output = "-"', ["none-such.trec"]),
        ('output = "-"', ["--window", "0"]),
        ('output = "run"', ["runs-none.trec"]),
        ('traces = "b"', ["bad.trec"]),
        ('tag = "lexical2"', ["--family", "lexical2"]),
        ('family = "rearank"\ntag = "rearank"', ["--method", "rearank"]),
        ("resume = false", ["-o", "docs.jsonl"]),
        ("depth = 30", ["--docs", "none"]),
    ],
)
def test_what_is_refused_of_the_command_line_is_not_laid_to_the_configuration(
    rearank: Command, bees: Path, line: str, words: list[str]
) -> None:
    (bees / "rearank.toml").write_text(
        f'docs = "docs.jsonl"\nqueries = "queries.tsv"\nengine = "lexical"\n{line}\n'
    )
    done = rearank("rerank", *([] if words[0].endswith(".trec") else ["run.trec"]), *words, cwd=bees)
    assert done.returncode in (2, 3), done.stderr
    assert "rearank.toml" not in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_the_command_line_wins_over_the_configuration(rearank: Command, bees: Path) -> None:
    (bees / "rearank.toml").write_text(
        '[rerank]\ndocs = "docs.jsonl"\nqueries = "queries.tsv"\nengine = "lexical"\nwindow = 5\nstep = 5\n'
        'tag = "file"\n[rerank.set]\ncut = "40 words"\n'
    )
    done = rearank("rerank", "run.trec", "--window", "8", "--set", "cut=9", cwd=bees)
    assert done.returncode == 0, done.stderr
    attempt = orjson.loads((bees / "run.rearank.jsonl").open("rb").readline())
    assert (attempt["options"]["window"], attempt["options"]["step"]) == (8, 5)
    assert attempt["options"]["set"] == {"cut": "9"}
    assert (bees / "run.rearank.trec").read_text().splitlines()[0].endswith(" file")


@pytest.mark.parametrize(
    ("configuration", "status", "expected"),
    [
        (
            "[rerank]\nwindwo = 5\n",
            2,
            "[rerank] windwo is no option of rearank rerank (did you mean window?)",
        ),
        ("[rerenk]\nwindow = 5\n", 2, "[rerenk] is no command (did you mean rerank?)"),
        ("windwo = 5\n", 2, "windwo is no option of any command (did you mean window?)"),
        ("rerank = 5\n", 2, "[rerank] is no command"),
        ("[rerank\n", 3, "is not TOML"),
        ('[rerank]\nwindow = "many"\n', 2, "--window"),
    ],
)
def test_a_bad_configuration_is_told_in_a_sentence(
    rearank: Command, bees: Path, configuration: str, status: int, expected: str
) -> None:
    (bees / "rearank.toml").write_text(configuration)
    fails(rearank("rerank", "run.trec", cwd=bees), status, expected, bees)
