"""Options that cannot be are told together, before anything is read or written."""

import re

import pytest

from rearank_cli import rerank
from rearank_cli.errors import UsageError
from tests.reranking.engines import Scripted

OUTPUT = object()
"""Stands for the place of the output, which is known only in the test."""


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"window": 0, "step": 0}, "--window is 0, and must be at least 1; --step is 0"),
        ({"step": 21}, "--step 21 is larger than --window 20: passages between windows would never be seen"),
        ({"window": 5}, "--step 10 is larger than --window 5"),
        ({"depth": 0}, "--depth is 0, and must be at least 1"),
        pytest.param({"limit": 0}, "--limit is 0, and must be at least 1"),
        pytest.param({"in_flight": 0}, "--in-flight is 0, and must be at least 1"),
        pytest.param({"input_order": "score"}, "--input-order is score"),
        pytest.param({"missing": "ignore"}, "--missing is"),
        pytest.param({"engine": object()}, "neither an engine's method"),
        pytest.param({"engine": "lexical", "traces": OUTPUT}, "both"),
        ({"depth": -1}, "--depth is -1, and must be at least 1"),
        ({"temperature": -0.1}, "--temperature is -0.1, and must not be negative"),
        ({"top_p": 0.0}, "--top-p is 0.0, and must be above 0 and at most 1"),
        ({"top_p": 1.5}, "--top-p is 1.5, and must be above 0 and at most 1"),
        ({"max_tokens": 0}, "--max-tokens is 0, and must be at least 1"),
        ({"max_failed": 1.5}, "--max-failed is 1.5, and is a fraction from 0 to 1"),
        ({"limit": -1}, "--limit is -1, and must be at least 1"),
        ({"in_flight": -1}, "--in-flight is -1, and must be at least 1"),
        ({"method": "slidng"}, "unknown method 'slidng'; did you mean sliding?"),
        ({"family": "rearnk"}, "unknown family 'rearnk'; did you mean rearank?"),
        ({"model": "some/model"}, "no family lists the model 'some/model'"),
        ({"set": {"mood": "kind"}}, "family rearank has no setting mood; it has: "),
        ({"set": {"cut": "ten"}}, "family rearank, setting cut: "),
        ({"engine": "vlm"}, "unknown engine 'vlm'; it is one of vllm, "),
        (
            {"widnow": 5, "dept": 3, "qrels": "q"},
            "rerank() has no option dept (did you mean depth?), qrels (judgments are for evaluate()), "
            "widnow (did you mean window?); see rearank rerank --help",
        ),
        ({"dataset": "vaswani"}, "--dataset and --docs name two sources of texts"),
        ({"docs": None}, "no texts to rank; give --dataset ID, or --docs PATH"),
        ({"queries": None}, "--docs with a file needs --queries too"),
    ],
)
def test_an_option_that_cannot_be_is_a_usage_error(two_queries, options, message):
    engine = Scripted()
    texts = {"docs": two_queries.docs, "queries": two_queries.queries}
    places = {"output": two_queries.output, "traces": two_queries.traces}
    given = {"engine": engine, **texts, **places, **options}
    if given["traces"] is OUTPUT:
        given["traces"] = two_queries.output
    with pytest.raises(UsageError, match=re.escape(message)):
        rerank(two_queries.run, **given)
    assert engine.asked == []
    assert not two_queries.output.exists()
    assert not two_queries.traces.exists()


def test_all_numbers_that_cannot_be_are_told_at_once(two_queries):
    wrong = {
        "window": 0, "step": -1, "depth": 0, "temperature": -1.0, "top_p": 2.0, "max_tokens": 0,
        "max_failed": -1.0, "limit": -1, "in_flight": -2,
    }  # fmt: skip
    with pytest.raises(UsageError) as raised:
        two_queries.rerank(Scripted(), **wrong)
    for name in wrong:
        assert f"--{name.replace('_', '-')} is" in str(raised.value)
