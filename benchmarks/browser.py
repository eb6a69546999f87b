"""A browser in which the owner is signed in."""

from collections.abc import Iterator
from contextlib import contextmanager

from playwright.sync_api import Page, sync_playwright

from tests.e2e.chromium import CHROMIUM, FLAGS
from tests.installed import InstalledPanel
from tests.panel_client import PanelClient


@contextmanager
def open_browser(panel: InstalledPanel, client: PanelClient) -> Iterator[Page]:
    """Open one window of the panel."""
    with sync_playwright() as running:
        browser = running.chromium.launch(executable_path=CHROMIUM, args=list(FLAGS))
        context = browser.new_context(base_url=panel.address)
        context.add_cookies(client.browser_cookies())
        yield context.new_page()
        browser.close()
