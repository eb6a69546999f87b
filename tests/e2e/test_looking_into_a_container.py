"""A container's pages with a real container behind them: figures, processes, health, kernel."""

import re

import pytest
from playwright.sync_api import Page, expect

from tests.e2e.people import Visitor

pytestmark = [pytest.mark.browser, pytest.mark.root, pytest.mark.slow]

BUSY = """\
services:
  web:
    image: busybox
    stop_grace_period: 0s
    cpus: 0.5
    mem_limit: 64m
    command: ["sh", "-c", "while :; do i=$$((i+1)); done"]
    healthcheck: {test: [CMD-SHELL, "echo all is well"], interval: 1s}
"""


def part(page: Page, name: str):
    return page.locator(f"container-figures [data-part={name}]")


def test_a_person_looks_into_a_container(projects, owner: Visitor) -> None:
    project = projects(BUSY)
    project.deploy()
    project.operation_ends("Succeeded")
    project.runs()
    page = owner.page
    page.locator("a.container-name").first.click()
    expect(part(page, "status")).to_have_text("Once a second", timeout=15_000)
    expect(part(page, "cpu")).to_have_text(re.compile(r"^0\.[45]\d$"), timeout=15_000)
    expect(part(page, "cpu_note")).to_contain_text("of its limit of 0.5")
    expect(part(page, "memory_note")).to_contain_text("of 64.0")
    expect(part(page, "cpu_line")).to_have_attribute("points", re.compile(r"\d \d"))
    tabs = page.get_by_role("navigation", name="Container")
    tabs.get_by_role("link", name="Processes").click()
    expect(page.locator("td.process-command").first).to_contain_text("while :; do")
    tabs.get_by_role("link", name="Health").click()
    expect(page.locator(".check-output").first).to_contain_text("all is well", timeout=15_000)
    tabs.get_by_role("link", name="Kernel").click()
    expect(page.get_by_text("The kernel has what was recorded")).to_be_visible(timeout=15_000)
    expect(page.get_by_role("region", name="Namespaces")).to_contain_text("net")
    page.get_by_role("button", name="Look again").click()
    expect(page.get_by_role("region", name="Limits in force")).to_contain_text("67108864")
    tabs.get_by_role("link", name="Overview").click()
    expect(part(page, "cpu")).to_have_text(re.compile(r"^0\."), timeout=15_000)
    other = owner.page.context.new_page()
    other.goto(page.url)
    other.get_by_role("button", name="Stop", exact=True).click()
    expect(part(page, "status")).to_have_text("The container does not run", timeout=15_000)
    expect(part(page, "cpu")).to_have_text("–")
    assert owner.troubles == []
