"""A real browser, with pictures of what a failed test saw, and people signed in to a real panel."""

import re
import uuid
from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import sync_playwright

from tests.e2e.chromium import CHROMIUM, FLAGS
from tests.e2e.pages import ProjectPage, make_project
from tests.e2e.people import Visitor
from tests.installed import ROOT, InstalledPanel
from tests.panel_client import PanelClient
from tests.waiting import wait_until

RESULTS = ROOT / "test-results"
FAILED = pytest.StashKey[bool]()
VISITORS = pytest.StashKey[list[Visitor]]()


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Iterator[None]:
    """Remember whether the test failed, for the fixtures that end after it; add what its
    windows told of themselves.
    """
    outcome = yield
    report = outcome.get_result()
    if report.failed:
        item.stash[FAILED] = True
        troubles = [line for each in item.stash.get(VISITORS, []) for line in each.troubles]
        report.sections.append(("Troubles in the browser", "\n".join(troubles)))


# Of one module, not of the run: a running Playwright holds this thread's event loop.
@pytest.fixture(scope="module")
def browser():
    if not CHROMIUM.exists():
        pytest.skip("Chromium is not installed.")
    with sync_playwright() as running:
        browser = running.chromium.launch(executable_path=CHROMIUM, args=list(FLAGS))
        yield browser
        browser.close()


@pytest.fixture
def visit(browser, request) -> Iterator[Callable[..., Visitor]]:
    """Open a window of its own: ``visit(address, cookies=…, **context options)``."""
    visitors = request.node.stash.setdefault(VISITORS, [])

    def open_window(address: str, cookies=(), **options) -> Visitor:
        context = browser.new_context(base_url=address, **options)
        context.add_cookies(list(cookies))
        visitors.append(Visitor(context.new_page()))
        return visitors[-1]

    yield open_window
    failed = request.node.stash.get(FAILED, False)
    for number, visitor in enumerate(visitors):
        if failed:
            name = re.sub(r"[^\w.-]+", "-", request.node.name)
            visitor.picture(RESULTS / f"failed-{name}-{number}.png")
        visitor.page.context.close()


@pytest.fixture(scope="module")
def panel(installed_panel: InstalledPanel) -> InstalledPanel:
    """The shared panel, with its own machine online."""
    client = installed_panel.sign_in()
    wait_until(lambda: ">Online<" in client.get("/hosts/").text, "the host online", 30)
    return installed_panel


@pytest.fixture(scope="module")
def client(panel: InstalledPanel) -> PanelClient:
    """The owner without a browser."""
    return panel.sign_in()


@pytest.fixture
def owner(panel: InstalledPanel, client: PanelClient, visit) -> Visitor:
    """The owner in a browser, signed in."""
    return visit(panel.address, client.browser_cookies())


@pytest.fixture
def projects(client: PanelClient, owner: Visitor) -> Iterator[Callable[[str], ProjectPage]]:
    """Make projects of the owner from a compose file; all are removed afterwards."""
    made: list[tuple[str, ProjectPage]] = []

    def make(text: str) -> ProjectPage:
        name = f"e2e-{uuid.uuid4().hex[:8]}"
        made.append((name, make_project(owner, name, text)))
        return made[-1][1]

    yield make
    for name, project in made:
        client.post(f"{project.path}remove/", {"confirm": name, "remove_volumes": "on"})
        wait_until(lambda p=project: client.get(p.path).status == 404, f"{name} removed", 60)
