"""A host with a project whose two containers write, and viewers of their logs."""

import json
from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from apps.accounts.models import User
from apps.projects.models import Project
from tests.apps.logs.log_host import LogHost
from tests.observed import make_project, run_project
from tests.websocket import WebSocket


@dataclass(frozen=True, kw_only=True)
class Stage:
    """A project with its host and the ids of its containers."""

    project: Project
    host: LogHost
    web: str
    clock: str

    @property
    def address(self) -> str:
        return f"/ws/logs/projects/{self.project.uid}/"


class Viewer:
    """A log viewer without a browser: keeps what arrived."""

    def __init__(self, user: User, address: str) -> None:
        self.socket = WebSocket(address, user)
        self.lines: list[dict] = []
        self.others: list[dict] = []

    async def open(self, cursors: dict[str, int] | None = None) -> "Viewer":
        assert await self.socket.connect() == 0
        await self.socket.send(json.dumps({"type": "resume", "cursors": cursors or {}}))
        return self

    async def until(self, reached) -> None:
        """Take messages until ``reached()`` holds; fails after some seconds of silence."""
        while not reached():
            message = await self.socket.receive_json()
            if message["type"] == "lines":
                self.lines += message["lines"]
            else:
                self.others.append(message)

    def texts(self, container_id: str = "") -> list[str]:
        return [line["x"] for line in self.lines if container_id in ("", line["c"])]

    def cursors(self) -> dict[str, int]:
        return {line["c"]: line["p"] for line in self.lines}

    def told(self, kind: str) -> list[dict]:
        return [message for message in self.others if message["type"] == kind]

    async def close(self) -> None:
        await self.socket.disconnect()


@pytest.fixture
def stage(transactional_db, cast, panel_redis_server, panel_pki) -> Iterator[Stage]:
    project = make_project(cast.host)
    web, clock = (record.id for record in run_project(project))
    with LogHost(panel_redis_server, cast.host) as host:
        yield Stage(project=project, host=host, web=web, clock=clock)
