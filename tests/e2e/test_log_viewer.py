"""The log viewer in a real browser, against connections that break."""

import contextlib

import pytest
from playwright.sync_api import TimeoutError

from tests.e2e.log_source import LogSource, served

COUNT = 300
WANTED = [f"<b>{name}</b> {n}" for n in range(1, COUNT + 1) for name in ("web", "cache")]

pytestmark = pytest.mark.browser


@pytest.fixture
def open_page(browser):
    with contextlib.ExitStack() as stack:

        def open_source(source):
            page = browser.new_page()
            address = stack.enter_context(served(source))
            stack.callback(page.close)
            open_until_it_runs(page, address)
            return page

        yield open_source


def open_until_it_runs(page, address):
    """Chromium drops what it loads when a network interface of the machine comes or goes."""
    for _ in range(5):
        page.goto(address)
        with contextlib.suppress(TimeoutError):
            page.wait_for_function("customElements.get('log-viewer') !== undefined", timeout=5_000)
            return
    raise AssertionError(f"the scripts of {address} do not load")


def texts(page):
    """Wait until all lines came, or more than all, and return what the page shows."""
    lines = "document.querySelectorAll('.log-text').length"
    page.wait_for_function(f"{lines} >= {len(WANTED)}", timeout=60_000)
    return page.locator(".log-text").all_text_contents()


def test_lines_of_two_services_come_in_order_of_time(open_page):
    page = open_page(LogSource(COUNT, lambda connection, position: "send"))
    assert texts(page) == WANTED


def test_no_line_is_lost_or_doubled_when_the_connection_breaks(open_page):
    source = LogSource(
        COUNT,
        lambda connection, position: "hang up" if position > 60 * (connection + 1) else "send",
    )
    assert texts(open_page(source)) == WANTED
    assert source.connections > 2


def test_a_line_that_was_sent_twice_is_shown_once(open_page):
    page = open_page(LogSource(COUNT, lambda connection, position: "twice"))
    assert texts(page) == WANTED


def test_a_line_that_was_lost_on_the_way_is_asked_for_again(open_page):
    source = LogSource(
        COUNT,
        lambda connection, position: "lose" if not connection and position == 50 else "send",
    )
    assert texts(open_page(source)) == WANTED
    assert source.connections == 2


def test_a_service_can_be_left_out(open_page):
    page = open_page(LogSource(COUNT, lambda connection, position: "send"))
    texts(page)
    page.get_by_role("button", name="cache", exact=True).click()
    assert page.locator(".log-text:visible").all_text_contents() == WANTED[::2]


def test_a_search_shows_the_lines_that_match(open_page):
    page = open_page(LogSource(COUNT, lambda connection, position: "send"))
    texts(page)
    page.keyboard.press("/")
    page.keyboard.type("/web.* 29\\d$/")
    page.locator("[data-part=count]", has_text="10 of 600 lines").wait_for(timeout=5_000)


def test_scrolling_up_holds_the_page_still(open_page):
    page = open_page(LogSource(COUNT, lambda connection, position: "send"))
    texts(page)
    page.locator(".log-pane").hover()
    page.mouse.wheel(0, -500)
    follow = page.get_by_role("button", name="Follow")
    page.wait_for_function("!document.querySelector('log-viewer').follow.on", timeout=5_000)
    page.keyboard.press("G")
    page.wait_for_function("document.querySelector('log-viewer').follow.on", timeout=5_000)
    assert follow.get_attribute("aria-pressed") == "true"
