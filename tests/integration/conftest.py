"""The panel, seen from a network behind NAT, and machines on it."""

import html
import os
import re
from collections.abc import Callable, Iterator
from contextlib import ExitStack

import pytest

from tests.installed import InstalledPanel
from tests.integration.lan import Lan, make_lan
from tests.integration.machine import Machine, make_machine
from tests.panel_client import PanelClient

CODE = re.compile(r"<pre[^>]*><code>(.*?)</code></pre>", re.DOTALL)


@pytest.fixture(scope="module")
def lan(installed_panel: InstalledPanel) -> Iterator[Lan]:
    """A network whose router lets only the panel's two ports through."""
    with ExitStack() as undo:
        yield make_lan(undo, (installed_panel.https_port, installed_panel.redis_port))


@pytest.fixture(scope="module")
def owner(installed_panel: InstalledPanel, lan: Lan) -> PanelClient:
    """The owner, signed in to the panel, which now goes by its address on the network too."""
    client = installed_panel.sign_in()
    os.environ["WEBPANEL_ADDRESS"] = lan.panel
    try:
        installed_panel.setup("up")
    finally:
        del os.environ["WEBPANEL_ADDRESS"]
    return client


@pytest.fixture(scope="module")
def boot(lan: Lan) -> Iterator[Callable[[str], Machine]]:
    """Starts machines on the network, by name."""
    with ExitStack() as stack:
        made: list[Machine] = []

        def start(name: str) -> Machine:
            made.append(stack.enter_context(make_machine(lan, name, 10 + len(made))))
            return made[-1]

        yield start


@pytest.fixture(scope="module")
def lines(owner: PanelClient) -> Callable[[], tuple[str, str]]:
    """Makes a join token on the page “Add host”; returns its lines, with curl and without."""

    def make() -> tuple[str, str]:
        page = owner.post("/hosts/add/", {})
        curl, python = (html.unescape(each) for each in CODE.findall(page.text))
        return curl, python

    return make
