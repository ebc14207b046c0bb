"""The charts: valid, self-contained, small, and the same each time, whatever they are given."""

import math
import random
import re
import subprocess
import sys
from collections.abc import Callable
from urllib.parse import quote
from xml.etree import ElementTree

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rearank_cli.report import charts

SVG = "{http://www.w3.org/2000/svg}"
KINDS = {SVG + kind for kind in ("svg", "g", "a", "title", "path", "text")}
HOSTILE = '<script>alert(1)</script>"><img onerror=x>]]>&amp;$x$ $\\frac a_b'
STATUSES = {"ok": 2580, "repaired": 20, "truncated": 6, "unreadable": 1, "failed": 3}


def link(query_id: str) -> str:
    return "#q=" + quote(query_id)


def some_changes(queries: int) -> list[tuple[str, float]]:
    chance = random.Random(1)
    return [(f"q{n}", chance.choice([0.0, chance.gauss(0, 0.2)])) for n in range(queries)]


def scattered(queries: int, depth: int) -> list[tuple[int, int, bool]]:
    """The worst for the size of the drawing: no pattern, and relevant documents everywhere."""
    chance = random.Random(2)
    ranks = []
    for _ in range(queries):
        order = chance.sample(range(1, depth + 1), depth)
        ranks += [(before, after, chance.random() < 0.5) for after, before in enumerate(order, 1)]
    return ranks


CHARTS: dict[str, Callable[[str], str]] = {
    "measures": lambda name: charts.measures(
        [("ndcg@10", [(name, 0.5, 0.4, 0.6), ("b", 0.6, 0.5, 0.7)]), (name, [(name, 0.1, 0, 0.2)])]
    ),
    "changes": lambda name: charts.changes([(name, 0.3), ("q2", -0.2)], measure=name, href=link),
    "many changes": lambda name: charts.changes([(name, 0.9), *some_changes(40)], measure=name, href=link),
    "movements": lambda name: charts.movements(scattered(3, 20), depth=20),
    "distributions": lambda name: charts.distributions([(name, [1, 2, 2, 3])], quantity=name),
    "statuses": lambda name: charts.statuses([(name, STATUSES), ("b", {name: 2})]),
}

every_chart = pytest.mark.parametrize("draw", CHARTS.values(), ids=CHARTS.keys())


def parsed(svg: str) -> ElementTree.Element:
    root = ElementTree.fromstring(svg)
    assert root.tag == f"{SVG}svg"
    places = "".join(element.get(key, "") for element in root.iter() for key in ("viewBox", "d", "x", "y"))
    assert "nan" not in places
    assert "inf" not in places
    return root


def words(svg: str) -> str:
    """All that is written in the chart itself, without tooltips."""
    return " ".join(element.text or "" for element in parsed(svg).iter(f"{SVG}text"))


def titles(svg: str) -> list[str]:
    return [element.text or "" for element in parsed(svg).iter(f"{SVG}title")]


@every_chart
def test_chart_is_one_element_that_can_stand_in_a_page(draw: Callable[[str], str]) -> None:
    svg = draw("run.trec")
    root = parsed(svg)
    assert svg.startswith("<svg ")
    assert root.get("viewBox", "").startswith("0 0 600 ")
    assert root.get("width") == "100%"
    assert root.get("height") is None
    assert root.get("aria-label")
    assert {element.tag for element in root.iter()} <= KINDS
    assert "font-family" not in svg


@every_chart
def test_charts_of_a_page_cannot_collide_because_they_have_no_ids(draw: Callable[[str], str]) -> None:
    svg = draw("run.trec")
    assert not [element for element in parsed(svg).iter() if element.get("id")]
    assert "url(" not in svg


@every_chart
def test_every_colour_is_the_pages(draw: Callable[[str], str]) -> None:
    svg = draw("run.trec")
    own = re.sub(r"var\(--chart-[a-z0-9]+, (#[0-9a-f]{6}|currentColor|transparent)\)", "", svg)
    paints = re.findall(r"(?:fill|stroke): ([^;\"]*)", own)
    assert set(paints) <= {"", "none"}
    assert not re.findall(r'(?:fill|stroke)="', svg)


@every_chart
def test_same_input_gives_the_same_bytes(draw: Callable[[str], str]) -> None:
    assert draw("run.trec") == draw("run.trec")


def test_bytes_do_not_depend_on_the_users_matplotlib() -> None:
    import matplotlib

    expected = CHARTS["distributions"]("run.trec")
    with matplotlib.rc_context(
        {"font.size": 30, "axes.grid": True, "svg.fonttype": "path", "lines.linewidth": 9}
    ):
        assert CHARTS["distributions"]("run.trec") == expected


@every_chart
def test_drawing_leaves_matplotlib_as_it_was(draw: Callable[[str], str]) -> None:
    import matplotlib

    with matplotlib.rc_context():
        before = dict(matplotlib.rcParams)
        draw("run.trec")
        assert dict(matplotlib.rcParams) == before


@every_chart
@given(name=st.one_of(st.text(max_size=250), st.just(HOSTILE)))
@settings(max_examples=8, deadline=None)
def test_a_name_is_never_markup(draw: Callable[[str], str], name: str) -> None:
    assert {element.tag for element in parsed(draw(name)).iter()} <= KINDS


@pytest.mark.parametrize(
    "name", ["<script>", "$x$", "$\\frac{1}$", "a_b^c", "a\\nb", '"quoted"', "&lt;", "価格"]
)
def test_a_name_is_shown_as_it_is(name: str) -> None:
    assert name in words(charts.statuses([(name, STATUSES)]))


def test_lines_and_controls_in_a_name_become_one_line() -> None:
    assert "a b\ufffdc\ufffdd" in words(charts.statuses([("a\n\tb\x00c\u202ed", STATUSES)]))


def test_long_name_is_shortened_in_the_middle_and_whole_in_the_tooltip() -> None:
    name = "begin-" + "x" * 300 + "-end"
    svg = charts.measures([("ndcg@10", [(name, 0.5, 0.4, 0.6)])])
    assert re.search(r"begin-x*…x*-end", words(svg))
    assert name not in words(svg)
    assert any(name in title for title in titles(svg))


@pytest.mark.parametrize("queries", [1, 10, 31, 300])
def test_each_query_has_a_link_and_a_tooltip(queries: int) -> None:
    values = some_changes(queries)
    svg = charts.changes(values, measure="ndcg@10", href=link)
    links = {anchor.get("href") for anchor in parsed(svg).iter(f"{SVG}a")}
    assert links == {link(query_id) for query_id, _ in values}
    assert {title.partition(":")[0] for title in titles(svg)} == {query_id for query_id, _ in values}


def test_the_keyboard_finds_each_of_few_queries_once_and_the_extremes_of_many() -> None:
    for queries, stops in ((12, 12), (300, 8)):
        svg = charts.changes(some_changes(queries), measure="ndcg@10", href=link)
        found = [a.get("href") for a in parsed(svg).iter(f"{SVG}a") if a.get("tabindex") != "-1"]
        assert len(found) == len(set(found)) == stops


@pytest.mark.parametrize("target", ["javascript:alert(1)", "https://example.org", "", "//x", " #q"])
def test_a_link_cannot_leave_the_page(target: str) -> None:
    with pytest.raises(ValueError, match="links to places of its page"):
        charts.changes([("q1", 0.1)], measure="ndcg@10", href=lambda _: target)


def test_a_link_cannot_break_out_of_its_attribute() -> None:
    svg = charts.changes([("q1", 0.1)], measure="m", href=lambda _: '#"><script>')
    assert next(parsed(svg).iter(f"{SVG}a")).get("href") == '#"><script>'
    assert "<script>" not in svg


def test_changes_are_sorted_and_counted() -> None:
    few = charts.changes([("a", -0.25), ("b", 0.5), ("c", 0.0)], measure="ndcg@10", href=link)
    assert re.findall(r"[abc] (\S+)", words(few)) == ["+0.5000", "0", "\N{MINUS SIGN}0.2500"]
    values = [(f"g{n}", 0.1) for n in range(40)] + [(f"l{n}", -0.1) for n in range(30)] + [("e", 1e-17)]
    many = words(charts.changes(values, measure="ndcg@10", href=link))
    for part in ("40 gained", "30 lost", "1 unchanged"):
        assert part in many


def test_changes_that_are_too_many_to_be_told_apart_are_drawn_without_a_link_each() -> None:
    svg = charts.changes(some_changes(20_000), measure="mrr@10", href=link)
    assert len(svg) < 100_000
    assert len(list(parsed(svg).iter(f"{SVG}a"))) == 8


@pytest.mark.parametrize("depth", [1, 7, 18, 100, 101, 1000])
def test_movements_fit_any_depth(depth: int) -> None:
    svg = charts.movements(scattered(2, depth), depth=depth)
    assert "first-stage rank" in words(svg)
    for path in parsed(svg).iter(f"{SVG}path"):
        numbers = [float(number) for number in re.findall(r"-?\d+\.?\d*", path.get("d", ""))]
        assert all(-1 <= number <= 601 for number in numbers)


def test_movements_count_what_is_at_one_place() -> None:
    svg = charts.movements([(1, 1, True), (1, 1, False), (2, 2, False), (9, 1, True)], depth=3)
    assert "3 documents, 1 of them relevant: 0 moved up, 0 moved down" in parsed(svg).get("aria-label", "")


def test_every_place_with_a_relevant_document_has_its_dot() -> None:
    svg = charts.movements([(before, 101 - before, True) for before in range(1, 101)], depth=100)
    dots = [path.get("d", "") for path in parsed(svg).iter() if "--chart-mark" in path.get("style", "")]
    # 50 places of 2 x 2 ranks, and those in the key; a dot is a line of no length.
    assert sum(path.count("h0") for path in dots) > 50
    assert sum(path.count("h0") for path in dots) == sum(path.count("M") for path in dots)


def test_movements_are_small_however_scattered() -> None:
    assert len(charts.movements(scattered(300, 100), depth=100)) < 150_000


EMPTY = {
    "measures": lambda: charts.measures([]),
    "measures without runs": lambda: charts.measures([("ndcg@10", [])]),
    "changes": lambda: charts.changes([], measure="ndcg@10", href=link),
    "movements": lambda: charts.movements([], depth=100),
    "movements of depth 0": lambda: charts.movements([(1, 1, True)], depth=0),
    "distributions": lambda: charts.distributions([], quantity="seconds per call"),
    "distributions without values": lambda: charts.distributions([("a", [])], quantity="seconds per call"),
    "statuses": lambda: charts.statuses([]),
    "statuses without calls": lambda: charts.statuses([("a", {}), ("b", {"ok": 0})]),
}


@pytest.mark.parametrize("draw", EMPTY.values(), ids=EMPTY.keys())
def test_nothing_to_draw_is_said(draw: Callable[[], str]) -> None:
    assert re.search(r"\bno\b|0 calls", words(draw()))


def test_measure_without_an_interval_has_its_mean_alone() -> None:
    svg = charts.measures(
        [("ndcg@10", [("a", 0.5, math.nan, math.nan), ("b", math.nan, math.nan, math.nan)])]
    )
    assert "0.5000" in words(svg)
    assert "nan" not in svg.lower()


def test_an_interval_of_few_queries_does_not_stretch_the_axis_beyond_what_a_measure_can_be() -> None:
    narrow, wide = (
        charts.measures([("mrr@10", [("a", 0.75, low, high)])]) for low, high in ((0.0, 1.0), (-2.4, 3.9))
    )
    assert "\N{MINUS SIGN}2.4000\N{EN DASH}3.9000" in words(wide)
    # Drawn they are the same, and their words and tips apart they are one picture.
    drawn = [[path.get("d") for path in parsed(svg).iter(f"{SVG}path")] for svg in (narrow, wide)]
    assert drawn[0] == drawn[1]


def test_measures_beyond_one_stay_inside_the_drawing() -> None:
    svg = charts.measures([("num_rel", [("a", 812.0, 700.0, 900.0)]), ("loss", [("a", -3.0, -5.0, -1.0)])])
    for path in parsed(svg).iter(f"{SVG}path"):
        assert all(-5 <= float(number) <= 605 for number in re.findall(r"-?\d+\.?\d*", path.get("d", "")))


@pytest.mark.parametrize(
    "values", [[0], [0] * 9, [7] * 9, [1e-9], [0, 5], [0.5], [5e-324, 1], [1e9, 1e9 + 1e-7]]
)
def test_distribution_of_few_or_equal_values_is_drawn(values: list[float]) -> None:
    svg = charts.distributions([("a", values), ("b", [])], quantity="seconds per call")
    assert f"n = {len(values)}" in words(svg)
    assert "none" in words(svg)
    assert "%" in titles(svg)[0]


@given(st.lists(st.lists(st.floats(0, 1e9), max_size=20), min_size=1, max_size=3))
@settings(max_examples=25, deadline=None)
def test_each_value_is_in_one_bar(lists: list[list[float]]) -> None:
    svg = charts.distributions(
        [(str(n), values) for n, values in enumerate(lists)], quantity="seconds per call"
    )
    parts = [float(part) for title in titles(svg) for part in re.findall(r": ([\d.]+) %$", title)]
    # In per cent of each list, with one decimal.
    assert sum(parts) == pytest.approx(100 * sum(map(bool, lists)), abs=0.05 * len(parts) + 0.01)


def test_long_tail_gets_a_logarithmic_axis() -> None:
    tail = [10] * 50 + [20] * 40 + [16_000]
    assert "logarithmic" in words(charts.distributions([("a", tail)], quantity="tokens"))
    assert "logarithmic" not in words(charts.distributions([("a", [10, 20, 30])], quantity="tokens"))


def test_each_status_is_written_with_its_count_and_share() -> None:
    svg = charts.statuses([("a", STATUSES)])
    assert "2,610 calls" in words(svg)
    for status, calls in STATUSES.items():
        assert f"{status} {calls:,}" in words(svg)
        assert any(title.startswith(f"{status}: {calls:,} of 2,610 calls") for title in titles(svg))


def test_one_failed_call_in_many_is_seen_and_not_rounded_away() -> None:
    svg = charts.statuses([("a", {"ok": 1_000_000, "failed": 1})])
    assert "ok 1,000,000 (99.9 %)" in words(svg)
    assert "failed 1 (< 0.1 %)" in words(svg)
    widths = [
        float(right) - float(left)
        for path in parsed(svg).iter(f"{SVG}path")
        for left, right in re.findall(r"M([\d.]+) [\d.]+H([\d.]+)", path.get("d", ""))
    ]
    assert min(widths) >= 1.5


def test_drawing_is_silent_where_the_home_cannot_be_written() -> None:
    program = "from rearank_cli.report import charts; print(len(charts.statuses([('a', {'ok': 1})])))"
    done = subprocess.run(
        [sys.executable, "-c", program],
        capture_output=True,
        text=True,
        env={"HOME": "/nowhere", "PATH": "", "XDG_CACHE_HOME": "/nowhere", "PYTHONPATH": ":".join(sys.path)},
    )
    assert done.stderr == ""
    assert int(done.stdout) > 100
