"""Measures go by the names the field gives them, and a name means what it means there."""

import pytest

from rearank_cli.errors import UsageError
from rearank_cli.evaluation import DEFAULT_MEASURES, parse_measures
from rearank_cli.evaluation.measures import FORMULAS


@pytest.mark.parametrize(
    ("given", "canonical"),
    [
        ("ndcg@10", "ndcg@10"),
        ("nDCG@10", "ndcg@10"),
        ("NDCG", "ndcg"),
        ("ndcg_cut_10", "ndcg@10"),
        ("ndcg_burges@5", "ndcg_burges@5"),
        ("dcg@5", "dcg@5"),
        ("dcg_burges", "dcg_burges"),
        ("map", "map"),
        ("AP", "map"),
        ("AP@100", "map@100"),
        ("AP(rel=2)@100", "map@100-l2"),
        ("MAP@100-l2", "map@100-l2"),
        ("map_cut_100", "map@100"),
        ("MRR", "mrr"),
        ("RR", "mrr"),
        ("RR@10", "mrr@10"),
        ("RR(rel=2)", "mrr-l2"),
        ("recip_rank", "mrr"),
        ("P@10", "precision@10"),
        ("P_10", "precision@10"),
        ("precision", "precision"),
        ("set_P", "precision"),
        ("SetP", "precision"),
        ("R@100", "recall@100"),
        ("Recall@100", "recall@100"),
        ("recall_100", "recall@100"),
        ("set_recall", "recall"),
        ("f1@10", "f1@10"),
        ("set_F", "f1"),
        ("Rprec", "r-precision"),
        ("R-prec", "r-precision"),
        ("r-precision-l2", "r-precision-l2"),
        ("Success@5", "hit_rate@5"),
        ("success_5", "hit_rate@5"),
        ("hit_rate@5", "hit_rate@5"),
        ("hits@20", "hits@20"),
        ("map-l1", "map"),
        (" ndcg@10 ", "ndcg@10"),
    ],
)
def test_a_measure_is_understood_in_every_notation_of_the_field(given: str, canonical: str) -> None:
    (measure,) = parse_measures([given])
    assert measure.name == canonical
    assert parse_measures([measure.name]) == [measure]


@pytest.mark.parametrize(
    ("given", "reason"),
    [
        ("bpref", "ranx computes it differently from trec_eval"),
        ("RBP(p=0.8)", "it can exceed 1"),
        ("rbp.95", "it can exceed 1"),
        ("ndcg@10-l2", "drop the gains of lower grades"),
        ("nDCG(rel=2)@10", "drop the gains of lower grades"),
        ("dcg_burges-l2", "drop the gains of lower grades"),
        ("mrr@0", "begin with 1"),
        ("map-l0", "begin with 1"),
        ("ndgc@20", "did you mean ndcg@20?"),
        ("ndcg_10", "did you mean ndcg@10?"),
        ("ndcg@", "did you mean ndcg@10?"),
        ("ndcg_cut", "did you mean ndcg@10?"),
        ("P", "did you mean precision@10?"),
        ("recip_rank_10", "did you mean mrr@10?"),
        ("Rprec@10", "did you mean r-precision?"),
        ("num_rel_ret", "is unknown"),
        ("clicks", "known are ndcg,"),
        ("", "known are ndcg,"),
    ],
)
def test_a_measure_that_cannot_be_had_is_refused_with_the_reason(given: str, reason: str) -> None:
    with pytest.raises(UsageError) as error:
        parse_measures([given])
    assert f"measure '{given}'" in str(error.value)
    assert reason in str(error.value)


def test_all_measures_that_cannot_be_used_are_reported_at_once() -> None:
    with pytest.raises(UsageError, match=r"'ndgc@10' .*'bpref' .*'mrr@0'"):
        parse_measures(["ndgc@10", "map", "bpref", "mrr@0"])


def test_a_measure_named_twice_is_there_once() -> None:
    measures = parse_measures(["AP", "ndcg@10", "map", "nDCG@10"])
    assert [measure.name for measure in measures] == ["map", "ndcg@10"]


@pytest.mark.parametrize(
    ("given", "canonical"),
    [("map", "map-l2"), ("mrr@10-l3", "mrr@10-l3"), ("P(rel=1)@5", "precision@5"), ("ndcg@10", "ndcg@10")],
)
def test_a_level_is_of_measures_that_name_none_and_have_one(given: str, canonical: str) -> None:
    (measure,) = parse_measures([given], level=2)
    assert measure.name == canonical


def test_the_default_measures_are_written_as_they_are_shown() -> None:
    assert [measure.name for measure in parse_measures(DEFAULT_MEASURES)] == list(DEFAULT_MEASURES)


def test_no_spelling_stands_for_two_formulas() -> None:
    spellings = [spelling for formula in FORMULAS for spelling in formula.spellings]
    assert len(spellings) == len(set(spellings))
