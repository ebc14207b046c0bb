"""The papers' tables as data: without slips of the pen, and for what is really run."""

from pathlib import Path
from statistics import fmean
from typing import Any

import pytest

from rearank_cli.corpus.library import ir_datasets
from rearank_cli.families import load_family
from scripts.reproduction.asking import Asking
from scripts.reproduction.attempt import Outcome
from scripts.reproduction.comparison import means, row_of
from scripts.reproduction.published import FIRST_STAGE, PAPERS, collections, find_collection, load_paper
from scripts.reproduction.scoring import Score

# Paper, column, group, and the average that the table prints.
PRINTED = [
    ("rearank", "first-stage", "beir", 43.31),
    ("rearank", "le723z/Rearank-7B", "beir", 54.59),
    ("rearank", "first-stage", "bright", 13.7),
    ("rearank", "le723z/Rearank-7B", "bright", 17.7),
    ("reasonrank", "first-stage", "bright", 30.59),
    ("reasonrank", "liuwenhan/reasonrank-7B", "bright", 35.74),
    ("reasonrank", "liuwenhan/reasonrank-32B", "bright", 38.03),
]


@pytest.mark.parametrize(("name", "column", "group", "printed"), PRINTED)
def test_the_rows_of_a_table_have_the_average_that_it_prints(
    name: str, column: str, group: str, printed: float
) -> None:
    paper = load_paper(name)
    numbers = [paper.published(each, column) for each in collections().values() if each.group == group]
    assert None not in numbers
    half_a_unit = 0.05 if printed * 10 % 1 < 1e-6 else 0.005
    assert fmean(filter(None, numbers)) == pytest.approx(printed, abs=half_a_unit + 1e-9)
    assert paper.average(group, column) == printed


def test_what_others_measured_has_the_average_that_they_print() -> None:
    elsewhere = load_paper("rearank").parts["standard"].elsewhere["le723z/Rearank-7B"]
    assert len(elsewhere) == 7
    assert fmean(elsewhere.values()) == pytest.approx(54.29, abs=0.005)


@pytest.mark.parametrize("name", PAPERS)
def test_tables_are_of_collections_that_there_are(name: str) -> None:
    paper = load_paper(name)
    for part_name, part in paper.parts.items():
        for column in (*part.numbers.values(), *part.elsewhere.values()):
            for collection in column:
                assert collections()[collection].part == part_name
    assert all(named in collections() for names, _ in paper.notes for named in names)


@pytest.mark.parametrize("name", PAPERS)
def test_options_are_the_defaults_of_the_papers_family(name: str) -> None:
    paper = load_paper(name)
    family = load_family(paper.family)
    for option, value in paper.options.items():
        assert getattr(family.defaults, option) == value
    assert paper.model in {model.name for model in family.models}
    for collection in collections().values():
        _, _, cut = str(paper.parts[collection.part].options["set"]).partition("=")
        if collection.dataset:
            there = load_family(paper.family, dataset=collection.dataset)
            assert there.settings["cut"] == cut, collection.name


def test_datasets_are_those_of_ir_datasets_with_as_many_queries() -> None:
    library = ir_datasets()
    for collection in collections().values():
        assert (collection.dataset is None) == bool(collection.why)
        if collection.dataset:
            counted = library.load(collection.dataset).metadata()["queries"]["count"]
            assert counted == collection.queries, collection.name


@pytest.mark.parametrize(
    ("spelled", "name"),
    [("dl19", "dl19"), ("nfc", "nfcorpus"), ("earth_science", "earth-science"), (" Signal1M", "signal")],
)
def test_collections_go_by_the_names_of_the_authors_scripts_too(spelled: str, name: str) -> None:
    assert find_collection(spelled).name == name


def test_collections_stand_in_two_parts_of_nine_and_twelve() -> None:
    parts = [each.part for each in collections().values()]
    assert (parts.count("standard"), parts.count("bright")) == (9, 12)


def outcomes(asking: Asking, group: str, *, first: float, reranked: float) -> list[Outcome]:
    def score(mean: float) -> Score:
        return Score(mean=mean, complete=mean, queries=9, judged=9, found=9)

    return [
        Outcome(each, "done", score(first), score(reranked))
        for each in collections().values()
        if each.group == group
    ]


def asking_of(name: str, tmp_path: Path, **more: Any) -> Asking:
    paper = load_paper(name)
    return Asking(paper, more.pop("model", paper.model), "vllm", tmp_path, **more)


def test_a_group_is_compared_with_the_average_that_the_paper_prints(tmp_path: Path) -> None:
    asking = asking_of("rearank", tmp_path)
    rows = [row_of(each, asking) for each in outcomes(asking, "beir", first=44.0, reranked=55.0)]
    (mean,) = means(rows, asking)
    assert (mean.done, mean.of) == (7, 7)
    assert mean.difference == pytest.approx(55.0 - 54.59, abs=0.005)
    assert mean.first_published == pytest.approx(43.31, abs=0.005)


def test_part_of_a_group_is_compared_with_the_same_part_of_the_papers(tmp_path: Path) -> None:
    asking = asking_of("rearank", tmp_path)
    rows = [row_of(each, asking) for each in outcomes(asking, "beir", first=44.0, reranked=55.0)[:2]]
    (mean,) = means(rows, asking)
    assert (mean.done, mean.of) == (2, 7)
    assert mean.published == pytest.approx((81.28 + 35.20) / 2)


def test_an_average_is_compared_where_a_paper_prints_no_more(tmp_path: Path) -> None:
    asking = asking_of("reasonrank", tmp_path, model="liuwenhan/reasonrank-32B")
    rows = [row_of(each, asking) for each in outcomes(asking, "beir", first=43.0, reranked=55.0)]
    assert {row.difference for row in rows} == {None}
    assert means(rows, asking)[0].difference == pytest.approx(55.0 - 55.44)
    assert means(rows[:6], asking)[0].difference is None


def test_what_began_with_another_kind_of_first_stage_is_not_compared(tmp_path: Path) -> None:
    asking = asking_of("reasonrank", tmp_path)
    rows = [row_of(each, asking) for each in outcomes(asking, "bright", first=14.0, reranked=26.4)]
    assert {row.difference for row in rows} == {None}
    assert all("not the paper's first stage" in row.remarks[0] for row in rows)
    assert means(rows, asking)[0].difference is None


def test_a_given_first_stage_is_compared_and_told_apart_by_its_number(tmp_path: Path) -> None:
    asking = asking_of("reasonrank", tmp_path, first_stages={"biology": tmp_path / "run.trec"})
    biology = find_collection("biology")
    for first, remarks in [(43.49, []), (18.20, ["first stage -25.29: not the paper's"])]:
        scores = [Score(mean, mean, 103, 103, 103) for mean in (first, 56.0)]
        row = row_of(Outcome(biology, "done", *scores), asking)
        assert row.difference == pytest.approx(-0.70)
        assert row.remarks == remarks


def test_a_first_stage_that_others_found_is_not_told_to_be_another(tmp_path: Path) -> None:
    asking = asking_of("rearank", tmp_path)
    nfcorpus = find_collection("nfcorpus")
    assert load_paper("rearank").published(nfcorpus, FIRST_STAGE) == 30.75
    row = row_of(Outcome(nfcorpus, "done", Score(33.6, 32.0, 308, 323, 308)), asking)
    assert row.remarks == []
