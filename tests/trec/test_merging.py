"""Parts of a run put together: every query once, with all its documents, or a sentence that says why not."""

import re
from collections.abc import Sequence
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rearank_cli.errors import InputError
from rearank_cli.records import Run, ScoredDoc
from rearank_cli.trec import write_run
from rearank_cli.trec.merging import Part, has_own_scores, merge_parts, read_part
from tests.trec.rankings import RANKINGS, as_run, ids

BEFORE = {"q1": ["a", "b"], "q2": ["c"], "q3": ["d", "e"], "q4": ["f"]}


def merged(*parts: dict[str, Sequence[str]], tags: Sequence[str] = (), **options) -> Run:
    """What becomes of these parts, called p1, p2 ...; all with one tag unless they have `tags`."""
    named = [
        Part(f"p{number}", Run(as_run(part), tag))
        for number, (part, tag) in enumerate(zip(parts, tags or ["t"] * len(parts), strict=True), 1)
    ]
    return merge_parts(Run(as_run(BEFORE)), named, name="run.trec", **options)


def test_queries_come_in_the_order_of_the_run_and_documents_in_that_of_their_part():
    after = merged({"q4": ["f"], "q3": ["e", "d"]}, {}, {"q2": ["c"], "q1": ["b", "a"]})
    assert list(ids(after).items()) == [("q1", ["b", "a"]), ("q2", ["c"]), ("q3", ["e", "d"]), ("q4", ["f"])]


@settings(deadline=None)
@given(RANKINGS, st.data())
def test_a_run_that_was_dealt_out_to_files_comes_back(folder: Path, rankings, data):
    queries = data.draw(st.permutations(list(rankings)))
    dealt = [data.draw(st.integers(0, 2)) for _ in queries]
    names = [folder / f"part-{number}.trec" for number in range(3)]
    for number, name in enumerate(names):
        part = {
            query_id: rankings[query_id] for query_id, at in zip(queries, dealt, strict=True) if at == number
        }
        write_run(as_run(part), name)
    after = merge_parts(Run(as_run(rankings)), [read_part(name) for name in names], name="run.trec")
    assert list(ids(after).items()) == list(rankings.items())


Q1, Q2, Q3, Q4 = ({query_id: documents} for query_id, documents in BEFORE.items())


@pytest.mark.parametrize(
    ("parts", "message"),
    [
        ([BEFORE, Q2 | Q3], "p1 and p2 both have queries q2, q3; parts that overlap are not merged"),
        ([Q1, Q2], "no part has queries q3, q4 of run.trec (2 of 4): a shard has not finished"),
        ([{}, {}], "no part has queries q1, q2, q3 and 1 more of run.trec (4 of 4)"),
        ([BEFORE, {"x": ["a"]}], "query x of p2: not in run.trec"),
        ([Q1 | {"q2": []}, Q3 | Q4], "documents of run.trec are lost: c of query q2 in p1"),
        ([BEFORE | {"q1": ["b", "x"]}], "are lost: a of query q1 in p1 (those that a dataset excludes"),
        ([BEFORE | {"q1": ["b", "x"]}], "documents are not in run.trec: x of query q1 in p1"),
        ([BEFORE | {"q1": [*"zyxwab"]}], "x of query q1 in p1, y of query q1 in p1 and 1 more"),
    ],
)  # fmt: skip
def test_what_does_not_fit_together_is_told_in_a_sentence(parts, message):
    with pytest.raises(InputError, match=re.escape(message)):
        merged(*parts)


def test_everything_that_is_wrong_is_told_at_once():
    with pytest.raises(InputError) as raised:
        merged(Q1 | {"x\x1b[2J": ["a"]}, Q1 | {"q2": ["d"]}, tags=["one", "two"])
    told = str(raised.value)
    assert "p1 and p2 both have query q1" in told
    assert "no part has queries q3, q4" in told
    assert "query x\\x1b[2J of p1: not in run.trec" in told
    assert "lost: c of query q2 in p2" in told
    assert "not in run.trec: d of query q2 in p2" in told
    assert "different tags: one in p1, two in p2; choose one with --tag" in told


def test_the_tag_is_that_of_the_parts_that_have_one_or_the_one_given():
    assert merged(BEFORE, {}, tags=["mine", ""]).tag == "mine"
    assert merged(Q1 | Q2, Q3 | Q4, tags=["one", "two"], tag="mine").tag == "mine"


def test_documents_that_a_dataset_excludes_may_be_missing_and_so_may_a_query_of_nothing_else():
    excluded = {"q1": {"a"}, "q2": {"c"}}
    assert ids(merged({"q1": ["b"]} | Q3 | Q4, excluded=excluded)) == {"q1": ["b"]} | Q3 | Q4
    assert ids(merged(BEFORE, excluded=excluded)) == BEFORE
    with pytest.raises(InputError, match=r"are lost: d of query q3 in p1$"):
        merged({"q1": ["b"], "q3": ["e"]} | Q4, excluded=excluded)


def test_ids_that_were_escaped_are_those_of_the_run():
    before = Run(as_run({"q%": ["a b", "c%d", "x"], "q2": ["a b"]}))
    part = Part("p", Run(as_run({"q2": ["a%20b"], "q%25": ["x", "c%25d"]}), "t"))
    after = merge_parts(before, [part], name="run.trec", excluded={"q%": {"a b"}})
    assert ids(after) == {"q%25": ["x", "c%25d"], "q2": ["a%20b"]}


def test_ids_that_only_look_escaped_are_left_alone():
    rankings = {"q": ["a%20b", "c"]}
    assert ids(merge_parts(Run(as_run(rankings)), [Part("p", Run(as_run(rankings)))], name="r")) == rankings


@pytest.mark.parametrize(
    ("scores", "own"),
    [([3.0, 2.0, 1.0], False), ([0.75, 0.5, 0.25], True), ([4.0, 3.0, 2.0], True), ([], False)],
)
def test_scores_are_a_models_where_any_is_not_counted_from_the_rank(scores, own):
    ranking = [ScoredDoc(f"d{place}", score) for place, score in enumerate(scores)]
    assert has_own_scores(Run({"q0": [ScoredDoc("d", 1.0)], "q": ranking})) is own


def test_an_empty_file_is_a_part_without_queries_and_a_missing_one_is_none(tmp_path):
    (tmp_path / "empty.trec").write_bytes(b"")
    assert len(read_part(tmp_path / "empty.trec").run) == 0
    write_run({}, tmp_path / "empty.trec.gz")
    assert len(read_part(tmp_path / "empty.trec.gz").run) == 0
    with pytest.raises(InputError, match="no such file"):
        read_part(tmp_path / "none.trec")
