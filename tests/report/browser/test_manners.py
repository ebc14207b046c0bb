"""The page in a real browser: by keyboard, by address, in any look and width, on paper."""

import re
from typing import Any

import pytest

from tests.report.browser.conftest import Open, text


def test_the_keyboard_is_enough(open_page: Open) -> None:
    page = open_page()
    page.keyboard.press("/")
    page.keyboard.type("bumblebees")
    page.keyboard.press("Enter")
    assert page.url.endswith("#q=q8")
    page.keyboard.press("Escape")
    page.keyboard.press("Escape")
    page.keyboard.press("j")
    assert page.url.endswith("#q=q9")
    page.keyboard.press("k")
    page.keyboard.press("k")
    assert page.url.endswith("#q=q7")
    calls = page.locator("#windows .tabs button").count()
    assert calls > 1
    page.keyboard.press("n")
    assert page.url.endswith("#q=q7&w=2")
    page.keyboard.press("p")
    assert page.url.endswith("#q=q7")
    page.keyboard.press("?")
    assert page.is_visible("#help")
    page.keyboard.press("Escape")
    assert not page.is_visible("#help")
    page.keyboard.press("o")
    assert page.is_visible("#overview")
    page.focus("#list li:first-child a")
    page.keyboard.press("ArrowDown")
    assert page.evaluate("document.activeElement.dataset.query") == "0"
    page.keyboard.press("ArrowDown")
    assert page.url.endswith("#q=q2")


def test_the_focus_stays_where_it_was_when_a_part_is_drawn_again(open_page: Open) -> None:
    page = open_page("bees", "#q=q4")
    for selector in ("#window-tab-1", "#ranking .more", '#ranking [data-by="first"]', "#key-j", "#key-k"):
        page.click(selector)
        assert page.evaluate("(selector) => document.activeElement.matches(selector)", selector), selector


def test_back_and_forward_lead_from_query_to_query(open_page: Open) -> None:
    page = open_page()
    page.click("#list a >> text=q2")
    page.click("text=next ›")
    assert "what stops honey" in page.title()
    page.go_back()
    assert "foragers tell" in text(page, "#query h1")
    page.go_back()
    assert page.is_visible("#overview")
    page.go_forward()
    assert page.is_visible("#query")


def test_an_address_opens_a_passage_of_a_window_of_a_query(open_page: Open) -> None:
    page = open_page("bees", "#q=q4&w=3&p=9")
    assert text(page, ".slopes .in li.on .name") == "The Test Frame"
    assert text(page, '#list [aria-current="true"] .id') == "q4"
    page.evaluate("location.hash = '#q=nobody'")
    page.wait_for_selector("#overview", state="visible")
    assert text(page, '[role="status"].note') == "This report has no query nobody. This is its overview."
    page.evaluate("location.hash = '#q=%E0%A4%A&w=x&p=-1'")
    assert page.is_visible("#overview")


def test_the_bars_of_the_overview_open_their_queries(open_page: Open) -> None:
    page = open_page()
    page.locator('#overview a[href="#q=q9"], #overview a[*|href="#q=q9"]').first.click()
    assert text(page, "#query .id") == "q9"


def test_it_is_light_or_dark_as_the_system_is_or_as_it_is_told(open_page: Open) -> None:
    def ground(page: Any) -> list[int]:
        colour = page.evaluate("getComputedStyle(document.body).backgroundColor")
        return [int(number) for number in re.findall(r"\d+", colour)[:3]]

    dark = open_page(color_scheme="dark")
    assert max(ground(dark)) < 60
    light = open_page(color_scheme="light")
    assert min(ground(light)) > 200
    light.click("#theme")
    assert min(ground(light)) > 200
    light.click("#theme")
    assert max(ground(light)) < 60
    light.reload()
    assert max(ground(light)) < 60


@pytest.mark.parametrize("name", ["bees", "two", "many", "hostile", "large"])
def test_nothing_is_wider_than_the_window(open_page: Open, name: str) -> None:
    page = open_page(name)
    for width in (1280, 800, 420):
        page.set_viewport_size({"width": width, "height": 800})
        for key in ("o", "j"):
            page.keyboard.press(key)
            sizes = page.evaluate(
                """['html', 'main', '.side'].map((s) => document.querySelector(s))
                .map((element) => element.scrollWidth - element.clientWidth)"""
            )
            assert sizes == [0, 0, 0], width


def test_overview_and_query_are_printed(open_page: Open) -> None:
    page = open_page("bees", "#q=q4")
    page.emulate_media(media="print")
    assert page.is_visible("#overview")
    assert page.is_visible("#query")
    assert page.is_visible(".words")
    assert not page.is_visible(".side")
    assert not page.is_visible(".tools")
