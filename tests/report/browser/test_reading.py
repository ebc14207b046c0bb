"""The page in a real browser: read, searched, filtered, several files side by side."""

from pathlib import Path

import pytest

from rearank_cli.trec import read_run
from tests.report.browser.conftest import Open, shown, text


def test_the_overview_has_measures_and_charts(open_page: Open) -> None:
    page = open_page()
    overview = text(page, "#overview")
    for words in (
        "0.5011 → 0.4959",
        "Change per query",
        "Where documents came from",
        "Calls",
        "sliding, window 20",
    ):
        assert words in overview
    assert page.locator("#overview figure svg").count() >= 5
    assert page.is_visible("#overview")
    assert not page.is_visible("#query")


def test_the_search_finds_ids_queries_documents_and_the_words_of_the_reasoning(open_page: Open) -> None:
    page = open_page()
    for words, found in (
        ("q12", ["q12"]),
        ("VARROA mites", ["q5"]),
        ('"lid closed"', ["q11"]),
        ("fainting, done", ["q12"]),
        ("bee-058", None),
        ("colony nothing-like-this", []),
    ):
        page.fill("#search", words)
        if found is None:
            assert 0 < len(shown(page)) < 12
            assert page.locator("#list mark").first.text_content() == "bee-058"
        else:
            assert shown(page) == found, words
    assert text(page, "#count") == "0 of 12 queries"
    assert page.is_visible(".nothing")
    page.press("#search", "Escape")
    assert len(shown(page)) == 12


def test_a_hit_in_the_reasoning_opens_the_window_that_has_it(open_page: Open) -> None:
    page = open_page()
    page.fill("#search", "rarest among its 40 candidates first: tell")
    assert "window 1:" in text(page, "#list li:not([hidden]) .snippet")
    page.fill("#search", '"passage [9] (4.48): hive, queen"')
    assert shown(page) == ["q4"]
    assert "window 3:" in text(page, "#list li:not([hidden]) .snippet")
    page.press("#search", "Enter")
    assert text(page, '.tabs [aria-selected="true"]') == "1–20"
    assert page.evaluate("CSS.highlights.get('found').size") > 0
    assert page.evaluate(
        """() => {
          const [found] = CSS.highlights.get('found');
          const { top, bottom } = found.getBoundingClientRect();
          return found.toString() === 'Passage [9] (4.48): hive, queen' && top > 0 && bottom < innerHeight;
        }"""
    )


def test_filters_and_sorts(open_page: Open) -> None:
    page = open_page()
    page.select_option("#change", "lost")
    assert shown(page) == ["q1", "q7", "q8", "q9", "q10", "q11"]
    page.select_option("#sort", "worst")
    assert shown(page)[0] == "q9"
    page.select_option("#change", "gained")
    page.select_option("#sort", "best")
    assert shown(page)[0] == "q12"
    page.select_option("#change", "unchanged")
    assert shown(page) == []
    page.select_option("#change", "")
    page.select_option("#sort", "")
    assert shown(page) == [f"q{number}" for number in range(1, 13)]


def test_a_query_shows_its_new_ranking(open_page: Open, pages: dict[str, Path]) -> None:
    page = open_page()
    page.click("#list a >> text=q4")
    assert "lost its queen" in text(page, "#query h1")
    assert "0.4359 → 0.4766" in text(page, "#query .measures")
    page.click("text=All 40")
    new = [document.doc_id for document in read_run(pages["bees"].parent / "new.trec")["q4"]]
    old = [document.doc_id for document in read_run(pages["bees"].parent / "run.trec")["q4"]]
    rows = page.eval_on_selector_all(
        "#ranking tbody tr",
        """rows => rows.map((row) =>
          [row.querySelector('.id'), row.cells[1], row.cells[2]].map((part) => part.textContent))""",
    )
    assert [row[0] for row in rows] == new
    assert [int(row[1].split()[0]) for row in rows] == [old.index(doc_id) + 1 for doc_id in new]
    assert {row[2] for row in rows} <= {"0", "1", "2", "3", "–"}
    page.click("#ranking th button >> text=Was")
    ids = page.eval_on_selector_all("#ranking tbody .id", "nodes => nodes.map((node) => node.textContent)")
    assert ids == old


def test_a_link_in_the_reasoning_leads_to_its_passage_and_back(open_page: Open) -> None:
    page = open_page("large", "#q=100000&w=9")
    mention = page.locator(".words a").last
    number = mention.get_attribute("data-passage")
    mention.click()
    card = page.locator(f'.slopes .in li[data-passage="{number}"]')
    assert "on" in card.get_attribute("class").split()
    assert page.evaluate(
        """(number) => {
          const item = document.querySelector(`.slopes .in li[data-passage="${number}"] .item`);
          const box = item.getBoundingClientRect();
          return box.top >= 0 && box.bottom <= innerHeight;
        }""",
        number,
    )
    assert card.locator(".body .text").last.text_content()
    assert page.url.endswith(f"#q=100000&w=9&p={number}")
    spoken = page.locator(".words .sentence.on")
    assert spoken.count() >= 1
    assert all(f"[{number}]" in words or number in words for words in spoken.all_text_contents())
    assert page.locator(".slopes path.on").get_attribute("data-passage") == number
    card.locator(".links button").first.click()
    assert page.evaluate("document.activeElement.dataset.passage") == number
    page.keyboard.press("Escape")
    assert page.locator(".slopes li.on").count() == 0


def test_lines_lead_from_where_passages_were_to_where_they_are(open_page: Open) -> None:
    page = open_page("bees", "#q=q12")
    ends = page.evaluate(
        """() => Array.from(document.querySelectorAll('.slopes path'), (path) => {
          const top = path.ownerSVGElement.getBoundingClientRect().top;
          const at = (side) => {
            const item = document.querySelector(`.${side} [data-passage="${path.dataset.passage}"] .item`);
            const box = item.getBoundingClientRect();
            return box.top - top + box.height / 2;
          };
          const numbers = path.getAttribute('d').match(/[\\d.]+/g).map(Number);
          return [numbers[1] - at('in'), numbers.at(-1) - at('out')];
        })"""
    )
    assert len(ends) == 17
    assert all(abs(off) < 1 for pair in ends for off in pair)


def test_what_the_model_did_not_list_is_told_apart(open_page: Open) -> None:
    page = open_page("large")
    page.select_option("#status", "repaired")
    page.keyboard.press("Escape")
    page.locator("#list li:not([hidden]) a").first.click()
    page.locator(".tabs button:has(.dot.repaired)").first.click()
    assert text(page, ".window-head .mark") == "repaired"
    assert page.locator(".slopes .out .divider").count() == 1
    assert page.locator(".slopes .out .unnamed").count() == 1
    assert "unnamed" in page.locator(".slopes .out li").last.get_attribute("class")
    assert page.locator(".slopes path").count() == 20


def test_two_trace_files_stand_side_by_side(open_page: Open) -> None:
    page = open_page("two")
    assert page.locator("#overview table").first.locator("tbody tr").count() == 2
    page.select_option("#file", "1")
    page.select_option("#status", "unreadable")
    assert shown(page) == ["q1", "q2", "q3", "q4", "q5"]
    page.click("#list a >> text=q4")
    assert page.url.endswith("#q=q4&f=2")
    assert "There is no answer to read" in text(page, "#window")
    heads = page.eval_on_selector_all("#ranking th button", "nodes => nodes.map((node) => node.textContent)")
    assert heads == ["run.rearank.jsonl", "bad.jsonl", "First stage"]
    page.click('[role="tab"] >> text=run.rearank.jsonl')
    assert "Passage [3]" in text(page, ".words")
    page.click('[role="tab"] >> text=21–40')
    page.keyboard.press("]")
    assert text(page, '#windows .tabs [aria-selected="true"]') == "bad.jsonl"
    page.select_option("#status", "")
    page.evaluate("location.hash = '#q=q9&f=2'")
    page.wait_for_selector("text=bad.jsonl does not have this query")


@pytest.mark.parametrize("width", [1280, 800, 420])
def test_passages_stay_in_sight_beside_the_ranks_by_many_files(open_page: Open, width: int) -> None:
    page = open_page("many", "#q=q4", viewport={"width": width, "height": 800})
    box = page.locator("#ranking tbody .what").first.bounding_box()
    assert box["width"] >= 179
    assert box["x"] + box["width"] <= width
    assert box["height"] < 200


def test_a_file_has_one_colour_wherever_it_is(open_page: Open) -> None:
    page = open_page("many")
    marks = page.eval_on_selector_all(
        "#overview .series", "nodes => nodes.map((node) => getComputedStyle(node).backgroundColor)"
    )
    dots = page.evaluate(
        """() => Array.from(document.querySelector('#overview figure').querySelectorAll('path'))
          .map((path) => [getComputedStyle(path).strokeWidth, getComputedStyle(path).stroke])
          .filter(([width]) => width === '2px').map(([, colour]) => colour)"""
    )
    assert len(set(marks)) == 8
    assert marks[8] == marks[0]
    assert dots[1:10] == marks


def test_a_large_page_is_searched_as_it_is_read(open_page: Open) -> None:
    page = open_page("large")
    assert len(shown(page)) == 60
    page.select_option("#status", "truncated")
    some = shown(page)
    assert 0 < len(some) < 60
    page.fill("#search", '"says more about how it works"')
    assert shown(page) == some
    page.select_option("#sort", "tokens")
    assert set(shown(page)) == set(some)
    page.keyboard.press("ArrowDown")
    assert page.locator("#windows .tabs button").count() == 9
    assert page.locator(".slopes .in li").count() == 20
