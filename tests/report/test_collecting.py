"""What a report tells: which calls counted, of which run, measured how."""

import gzip
import shutil
from collections.abc import Sequence
from pathlib import Path

import pytest

from rearank_cli.corpus import open_corpus
from rearank_cli.errors import InputError, UsageError
from rearank_cli.records import Status
from rearank_cli.report import Judgments, Report, render
from rearank_cli.trec import read_run, write_run
from tests.report.conftest import Reranked, Scripted, reversing, write_collection

LETTERS = [f"d{letter}" for letter in "abcdefghijkl"]


@pytest.fixture
def letters(tmp_path: Path) -> Reranked:
    """Two queries of twelve documents."""
    return write_collection(
        tmp_path / "letters",
        {"q1": LETTERS, "q2": LETTERS[::-1]},
        grades={"q1": {"dl": 2, "da": 1}, "q2": {"dl": 1}},
    )


def windows(report: Report, query_id: str) -> list[tuple[str, ...]]:
    [reranking] = report.rerankings
    return [asked.window.doc_ids for asked in reranking.calls[query_id]]


def test_calls_of_an_earlier_attempt_that_did_not_count_are_not_shown(letters: Reranked) -> None:
    letters.rerank(Scripted(reversing), window=4, step=2)
    letters.rerank(Scripted(reversing), window=6, step=3, resume=True)
    report = letters.collect("run.rearank.jsonl")
    assert [len(shown) for shown in windows(report, "q1")] == [6, 6, 6]
    assert report.rerankings[0].attempts == 2
    assert all(asked.call is not None for asked in report.rerankings[0].asked)


def test_some_queries_can_be_reported_alone(letters: Reranked) -> None:
    letters.rerank(Scripted(reversing), window=4, step=2)
    letters.rerank(Scripted(reversing), window=4, step=2, limit=1, traces=letters.folder / "first.jsonl")
    whole, part = letters.collect(), letters.collect(query_ids=["q2"])
    assert list(part.queries) == ["q2"]
    [all_of_it], [reranking] = whole.rerankings, part.rerankings
    assert reranking.calls == {"q2": all_of_it.calls["q2"]}
    assert (all_of_it.is_whole, reranking.is_whole) == (True, False)
    for run in (reranking.before, reranking.after):
        assert run is not None
        assert [*run] == ["q2"]
    assert part.notes == ["1 of 2 queries, picked by hand: means and tests are of these alone."]
    # Of its own topics alone, as of a part of a run.
    of_whole, of_part = (report.measured[0].evaluations[1] for report in (whole, part))
    assert of_part.per_query["ndcg@10"] == {"q2": of_whole.per_query["ndcg@10"]["q2"]}
    assert letters.collect(query_ids=["q1", "q2"]).rerankings[0].is_whole
    with pytest.raises(
        InputError, match=r"run\.rearank\.jsonl has no query 'q22'; did you mean q2\? \(2 queries in all"
    ):
        letters.collect(query_ids=["q2", "q22"])
    with pytest.raises(InputError, match=r"first\.jsonl has no query of q2; leave it out"):
        letters.collect("run.rearank.jsonl", "first.jsonl", query_ids=["q2"])


def test_calls_stand_in_the_order_in_which_the_method_made_them(letters: Reranked) -> None:
    letters.rerank(Scripted(reversing), window=4, step=2)
    starts = [asked.window.start for asked in letters.collect().rerankings[0].calls["q2"]]
    assert starts == [8, 6, 4, 2, 0]


def test_the_rankings_are_those_of_the_run_and_of_the_new_run(bees: Reranked) -> None:
    bees.rerank(output=bees.folder / "new.trec", window=10, step=5, depth=20)
    [reranking] = bees.collect().rerankings
    assert reranking.before is not None
    assert reranking.after is not None
    assert dict(reranking.before) == dict(read_run(bees.folder / "run.trec"))
    assert dict(reranking.after) == dict(read_run(bees.folder / "new.trec"))


def test_calls_that_failed_or_are_not_there_yet_are_told_apart(letters: Reranked) -> None:
    def answer(doc_ids: Sequence[str]) -> str:
        return "no list" if "dl" in doc_ids else reversing(doc_ids)

    path = letters.rerank(Scripted(answer), window=4, step=2, retries=0)
    lines = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(b"".join(lines[:-1]))
    report = letters.collect()
    statuses = [asked.status for asked in report.rerankings[0].asked]
    assert statuses.count(None) >= 1
    assert statuses.count(Status.UNREADABLE) >= 1
    assert any("calls are not in run.rearank.jsonl" in note for note in report.notes)
    assert b'"status":"missing"' in render(report)


def test_a_part_of_the_run_is_measured_by_its_own_topics(letters: Reranked) -> None:
    letters.rerank(Scripted(reversing), limit=1)
    report = letters.collect()
    assert list(report.queries) == ["q1"]
    [measured] = report.measured
    assert list(measured.evaluations[0].per_query["ndcg@10"]) == ["q1"]


def test_a_query_of_one_document_is_part_of_the_run_although_nothing_was_asked(tmp_path: Path) -> None:
    place = write_collection(
        tmp_path / "one", {"q1": LETTERS, "q2": ["da"]}, grades={"q1": {"da": 1}, "q2": {"da": 1}}
    )
    place.rerank(Scripted(reversing), method="topdown", window=4)
    report = place.collect()
    assert set(report.queries) == {"q1", "q2"}
    assert report.rerankings[0].is_whole


def test_the_run_is_found_beside_the_traces_or_in_the_current_folder(
    letters: Reranked, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = letters.rerank(Scripted(reversing))
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    shutil.move(path, elsewhere)
    assert letters.collect("../elsewhere/run.rearank.jsonl").rerankings[0].before is None
    monkeypatch.chdir(letters.folder)
    assert letters.collect("../elsewhere/run.rearank.jsonl").rerankings[0].before is not None


def test_another_run_of_the_same_name_is_refused(letters: Reranked) -> None:
    letters.rerank(Scripted(reversing))
    with (letters.folder / "run.trec").open("a") as run:
        run.write("q3 Q0 dz 1 1 t\n")
    with pytest.raises(InputError, match=r"run\.trec has the name of the run .* another one .* with --run"):
        letters.collect()


def test_a_run_that_was_given_and_is_another_is_refused(letters: Reranked) -> None:
    letters.rerank(Scripted(reversing))
    other = letters.folder / "other.trec"
    other.write_text("q3 Q0 dz 1 1 t\n")
    with pytest.raises(UsageError, match=r"other\.trec is not the run that .*run\.rearank\.jsonl is of"):
        letters.collect(runs=[str(other)])


def test_a_run_under_another_name_is_known_by_what_is_in_it(letters: Reranked) -> None:
    letters.rerank(Scripted(reversing))
    moved = shutil.move(letters.folder / "run.trec", letters.folder / "moved.trec")
    assert letters.collect().rerankings[0].before is None
    assert letters.collect(runs=[str(moved)]).rerankings[0].before is not None


def test_a_run_that_came_from_no_file_is_known_by_its_rankings(letters: Reranked) -> None:
    from rearank_cli import rerank

    run = read_run(letters.folder / "run.trec")
    texts = {"docs": letters.folder / "docs.jsonl", "queries": letters.folder / "queries.tsv"}
    rerank(run, **texts, family="rearank", engine=Scripted(reversing), traces=letters.folder / "t.jsonl")
    letters.rerank(Scripted(reversing))
    report = letters.collect("t.jsonl", "run.rearank.jsonl", runs=[str(letters.folder / "run.trec")])
    assert [each.before is not None for each in report.rerankings] == [True, True]


def test_without_the_run_there_is_what_the_traces_have(letters: Reranked) -> None:
    letters.rerank(Scripted(reversing), window=4, step=2)
    (letters.folder / "run.trec").unlink()
    report = letters.collect()
    assert report.measured == []
    assert len(windows(report, "q1")) == 5
    assert any("run.trec" in note and "--run" in note for note in report.notes)
    page = render(report).decode()
    assert "Change per query" not in page
    assert "Where documents came from" not in page


def test_without_texts_and_judgments_there_are_ids(letters: Reranked) -> None:
    letters.rerank(Scripted(reversing))
    report = letters.collect(corpus=None, judgments=None)
    assert report.queries == {"q1": None, "q2": None}
    page = render(report).decode()
    assert '["da"]' in page
    assert "not judged" in page


def test_texts_that_are_not_to_be_found_are_counted(letters: Reranked) -> None:
    letters.rerank(Scripted(reversing))
    docs = letters.folder / "docs.jsonl"
    docs.write_text("".join(docs.read_text().splitlines(keepends=True)[3:]))
    corpus = open_corpus(docs=docs, queries=letters.folder / "queries.tsv")
    assert any(
        note.startswith("3 of 12 documents are not in") for note in letters.collect(corpus=corpus).notes
    )


def test_several_rerankings_of_a_run_are_measured_against_it_together(bees: Reranked) -> None:
    bees.rerank(traces="a.jsonl")
    bees.rerank(Scripted(reversing), traces="b.jsonl")
    [measured] = bees.collect("a.jsonl", "b.jsonl").measured
    assert [evaluation.run for evaluation in measured.evaluations] == ["run.trec", "a.jsonl", "b.jsonl"]
    assert measured.difference("b.jsonl", "ndcg@10").corrected >= measured.difference("b.jsonl", "ndcg@10").p


def test_rerankings_of_different_runs_are_each_measured_against_their_own(bees: Reranked) -> None:
    bees.rerank(traces="a.jsonl")
    run = read_run(bees.folder / "run.trec")
    (bees.folder / "other").mkdir()
    half = {query_id: run[query_id][::-1][:8] for query_id in list(run)[:6]}
    write_run(half, bees.folder / "other" / "run.trec", tag="half")
    for name in ("docs.jsonl", "queries.tsv"):
        shutil.copy(bees.folder / name, bees.folder / "other")
    Reranked(bees.folder / "other").rerank(Scripted(reversing), traces="b.jsonl")
    report = bees.collect("a.jsonl", "other/b.jsonl")
    assert [measured.rerankings for measured in report.measured] == [["a.jsonl"], ["b.jsonl"]]
    assert len(report.queries) == 12
    assert b"b.jsonl" in render(report)


def test_traces_of_several_runs_in_one_file_are_refused(letters: Reranked, bees: Reranked) -> None:
    one, other = letters.rerank(Scripted(reversing)), bees.rerank()
    with one.open("ab") as file:
        file.write(other.read_bytes())
    with pytest.raises(InputError, match="traces of several runs"):
        letters.collect()


def test_traces_may_be_compressed(letters: Reranked) -> None:
    path = letters.rerank(Scripted(reversing))
    plain = letters.collect()
    path.with_name("t.jsonl.gz").write_bytes(gzip.compress(path.read_bytes()))
    packed = letters.collect("t.jsonl.gz")
    assert packed.rerankings[0].calls == plain.rerankings[0].calls


def test_traces_without_a_call_are_an_error(letters: Reranked) -> None:
    path = letters.rerank(Scripted(reversing))
    path.write_bytes(path.read_bytes().splitlines(keepends=True)[0])
    with pytest.raises(InputError, match="no call in it"):
        letters.collect()


def test_judgments_of_other_queries_are_refused(letters: Reranked) -> None:
    letters.rerank(Scripted(reversing))
    with pytest.raises(InputError, match="no topic in common: one begins with q1, the other with q9"):
        letters.collect(judgments=Judgments("qrels", {"q9": {"da": 1}}))


def test_a_part_of_a_run_may_be_without_judgments(letters: Reranked) -> None:
    letters.rerank(Scripted(reversing), limit=1)
    report = letters.collect(judgments=Judgments("qrels", {"q2": {"da": 1}}))
    assert report.measured == []
    assert "None of the queries is judged in qrels." in report.notes


def test_texts_of_another_collection_are_refused(letters: Reranked, tmp_path: Path) -> None:
    letters.rerank(Scripted(reversing))
    other = write_collection(tmp_path / "other", {"q9": ["dz"]}).folder
    corpus = open_corpus(docs=other / "docs.jsonl", queries=other / "queries.tsv")
    with pytest.raises(InputError, match=r"no query and no document of run[.]rearank[.]jsonl"):
        letters.collect(corpus=corpus)


def test_the_sections_tell_of_the_topics_that_the_run_lacks(letters: Reranked) -> None:
    letters.rerank(Scripted(reversing))
    grades = {"q1": {"dl": 2, "da": 1}, "q2": {"da": 1}, "q3": {"da": 1}}
    page = render(letters.collect(judgments=Judgments("qrels", grades))).decode()
    assert "0 unchanged; 1 judged that the run lacks" in page
    assert "Means over the 3 judged queries of qrels (1 that the run lacks counted as 0" in page
    assert "The means above are also over 1 that the run lacks, as 0." in page


def test_grades_count_as_relevant_from_the_level_of_the_measures(letters: Reranked) -> None:
    letters.rerank(Scripted(reversing))
    assert letters.collect().level == 1
    assert letters.collect(measures=["ndcg@10", "map@100-l2"]).level == 2


def test_the_same_inputs_give_the_same_page(letters: Reranked) -> None:
    letters.rerank(Scripted(reversing))
    assert render(letters.collect()) == render(letters.collect())


def test_only_the_pages_own_script_may_run_and_nothing_is_loaded(letters: Reranked) -> None:
    letters.rerank(Scripted(reversing))
    page = render(letters.collect()).decode()
    policy = page.split('Content-Security-Policy" content="')[1].split('"')[0]
    assert "default-src 'none'" in policy
    assert "script-src 'sha256-" in policy
    assert "script-src 'unsafe-inline'" not in policy
    assert "http:" not in page.replace("http://www.w3.org/", "")
    assert "https:" not in page
