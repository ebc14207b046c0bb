"""What the help says of methods, tracks and measures is written out there, and has to be what there is."""

from rearank_cli.commands import check, evaluate, rerank
from rearank_cli.evaluation import DEFAULT_MEASURES
from rearank_cli.methods import METHODS
from rearank_cli.trec.tracks import TRACKS


def test_all_methods_are_listed():
    assert rerank.__globals__["METHODS"] == ", ".join(METHODS)


def test_all_tracks_are_listed():
    assert check.__globals__["TRACKS"] == ", ".join(TRACKS)


def test_the_default_measures_are_listed():
    assert evaluate.__globals__["DEFAULTS"].split() == list(DEFAULT_MEASURES)
