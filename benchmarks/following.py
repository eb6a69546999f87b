"""From a container's write to the line in the browser."""

import os
import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import Page

from benchmarks.browser import open_browser
from benchmarks.figures import Figure, measured
from benchmarks.projects import bench_project
from tests.installed import InstalledPanel

RUNS = 40
BETWEEN = 0.1
# The container has no clock finer than a second, so it writes the times that it is handed.
ECHO = """\
services:
  echo:
    image: busybox
    stop_grace_period: 0s
    command: ["sh", "-c", "exec 3<>/pipe/in; while read -r line <&3; do echo $$line; done"]
    volumes: ["FOLDER:/pipe"]
"""
NOTE_ARRIVALS = """() => {
  window.arrivals = {};
  new MutationObserver(() => {
    const now = Date.now();
    for (const { textContent } of document.querySelectorAll(".log-text")) {
      window.arrivals[textContent] ??= now;
    }
  }).observe(document.querySelector(".log-lines"), { childList: true, subtree: true });
}"""


def measure(panel: InstalledPanel) -> list[Figure]:
    """Follow a container in a browser while it writes."""
    client = panel.sign_in()
    with (
        _pipe() as pipe,
        bench_project(client, ECHO.replace("FOLDER", str(pipe.parent))) as project,
        open_browser(panel, client) as page,
    ):
        project.deploy()
        page.goto(f"{project.path}logs/")
        page.locator(".live[data-part=status]", has_text="Live").wait_for()
        page.evaluate(NOTE_ARRIVALS)
        _write(pipe, "begin")
        page.locator(".log-text", has_text="begin").wait_for(state="attached")
        delays = [_one(page, pipe) for _ in range(RUNS)]
    return [measured("container writes, until the line is in the browser", "ms", delays, bar=100)]


@contextmanager
def _pipe() -> Iterator[Path]:
    folder = Path(tempfile.mkdtemp(prefix="webpanel-bench-", dir="/var/tmp"))
    os.mkfifo(folder / "in")
    try:
        yield folder / "in"
    finally:
        shutil.rmtree(folder)


def _one(page: Page, pipe: Path) -> float:
    """Return how many milliseconds one line took."""
    time.sleep(BETWEEN)
    written = str(time.time_ns())
    _write(pipe, written)
    arrival = page.wait_for_function("line => window.arrivals[line]", arg=written)
    return float(arrival.json_value()) - int(written) / 1e6


def _write(pipe: Path, line: str) -> None:
    """Have the container write a line."""
    with pipe.open("w") as file:
        file.write(f"{line}\n")
