"""Runs side by side have names that tell them apart."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rearank_cli.evaluation import name_runs


@pytest.mark.parametrize(
    ("paths", "names"),
    [
        (["bm25.trec"], ["bm25.trec"]),
        (["runs/bm25.trec", "/data/splade.trec.gz"], ["bm25.trec", "splade.trec.gz"]),
        (["dl19/bm25.trec", "dl20/bm25.trec", "x.trec"], ["dl19/bm25.trec", "dl20/bm25.trec", "x.trec"]),
        (["a/x/run", "b/x/run", "b/y/run"], ["a/x/run", "b/x/run", "y/run"]),
        (["run", "a/run"], ["run", "a/run"]),
        (["/run", "run"], ["/run", "run"]),
        (["run", "./run", "run"], ["run", "run (2)", "run (3)"]),
        (["run", "run", "run (2)"], ["run", "run (2)", "run (2) (2)"]),
        (["-", "run"], ["-", "run"]),
    ],
)
def test_a_run_is_called_by_as_much_of_its_path_as_it_needs(paths: list[str], names: list[str]) -> None:
    assert name_runs(paths) == names


@given(st.lists(st.lists(st.sampled_from(["a", "b", "a (2)"]), min_size=1, max_size=3).map("/".join)))
def test_names_are_unique_and_one_for_each_path(paths: list[str]) -> None:
    names = name_runs(paths)
    assert len(set(names)) == len(names) == len(paths)
