"""From pressing Deploy to the containers running, the image being there."""

import sqlite3
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing

from benchmarks.browser import open_browser
from benchmarks.figures import Figure, measured
from benchmarks.projects import BenchProject, bench_project
from tests.installed import InstalledPanel
from tests.panel_client import PanelClient

RUNS = 10
DEADLINE = 30.0
STEP = 0.002
PAIR = """\
services:
  first:
    image: busybox
    stop_grace_period: 0s
    command: ["sleep", "1000"]
  second:
    image: busybox
    stop_grace_period: 0s
    command: ["sleep", "1000"]
"""
RUNNING = "SELECT count(*) FROM services_container WHERE project = ? AND state = 'running'"
NOTE_SUBMIT = """() => document.querySelector("#files-form").addEventListener(
  "submit", () => sessionStorage.setItem("began", Date.now()))"""
BOTH_RUN = """() => {
  const shown = [...document.querySelectorAll(".container-state .badge")];
  const running = shown.filter((badge) => badge.textContent.trim() === "Running");
  return running.length === 2 && Date.now() - Number(sessionStorage.getItem("began"));
}"""


def measure(panel: InstalledPanel) -> list[Figure]:
    """Deploy new projects of two services, by the form's POST and by a browser."""
    client = panel.sign_in()
    by_post = [_one_by_post(panel, client) for _ in range(RUNS)]
    by_browser = _by_browser(panel, client)
    return [
        measured("deploy 2 services, until the panel knows both run", "s", by_post, bar=1),
        measured("deploy 2 services, until the browser shows both run", "s", by_browser, bar=1),
    ]


def _one_by_post(panel: InstalledPanel, client: PanelClient) -> float:
    database = f"file:{panel.home / 'panel.sqlite3'}?mode=ro"
    with (
        bench_project(client, PAIR) as project,
        closing(sqlite3.connect(database, uri=True, isolation_level=None)) as rows,
        ThreadPoolExecutor(1) as thread,
    ):
        began = time.monotonic()
        pressed = thread.submit(project.deploy)
        _await_both(rows, project)
        took = time.monotonic() - began
        pressed.result()
    return took


def _await_both(rows: sqlite3.Connection, project: BenchProject) -> None:
    end = time.monotonic() + DEADLINE
    while rows.execute(RUNNING, (project.name,)).fetchone()[0] < 2:
        assert time.monotonic() < end, f"{project.name} does not run"
        time.sleep(STEP)


def _by_browser(panel: InstalledPanel, client: PanelClient) -> list[float]:
    taken = []
    with open_browser(panel, client) as page:
        for _ in range(RUNS):
            with bench_project(client, PAIR) as project:
                page.goto(f"{project.path}files/")
                page.locator(".cm-content").wait_for()
                page.evaluate(NOTE_SUBMIT)
                page.get_by_role("button", name="Deploy", exact=True).click()
                shown = page.wait_for_function(BOTH_RUN, timeout=DEADLINE * 1000)
                taken.append(shown.json_value() / 1000)
    return taken
