"""Projects that exist for a measurement."""

import re
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from tests.panel_client import PanelClient
from tests.waiting import wait_until


@dataclass(frozen=True)
class BenchProject:
    """A project that has not been deployed."""

    client: PanelClient
    name: str
    path: str
    text: str

    @property
    def form(self) -> dict[str, str]:
        """What the browser sends when somebody presses Deploy."""
        return {"path": "compose.yml", "content": self.text, "note": ""}

    def deploy(self) -> None:
        """Press Deploy."""
        page = self.client.post(f"{self.path}deploy/", self.form)
        assert page.status == 200, page.text


@contextmanager
def bench_project(client: PanelClient, text: str) -> Iterator[BenchProject]:
    """Make a project on the panel's first host, and remove it."""
    name = f"bench-{secrets.token_hex(4)}"
    found = re.search(r'name="host".*?value="(\w+)"', client.get("/projects/new/").text, re.DOTALL)
    assert found, "the form of a new project names no host"
    values = {"name": name, "host": found.group(1), "starter": "blank", "pasted": text}
    page = client.post("/projects/new/", values)
    made = re.search(r"/projects/[0-9a-f]+/", page.address)
    assert made, page.text
    project = BenchProject(client, name, made.group(), text)
    try:
        yield project
    finally:
        values = {"confirm": name, "remove_volumes": "on"}
        page = client.post(f"{project.path}remove/", values)
        assert page.status in (200, 404), page.text
        wait_until(lambda: client.get(project.path).status == 404, f"{name} to be removed", 60)
