"""The panel's end of the seam, as small as it can be: it sends commands and reads events."""

import time
from collections.abc import Callable
from typing import TypeVar
from uuid import uuid4

import msgspec
from celery import Celery
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from kombu import Exchange, Queue

from agents.protocol import keys
from agents.protocol.commands import Command, RemoveProject, ReportAll
from agents.protocol.control import Control
from agents.protocol.envelope import seal, unseal
from agents.protocol.events import AnyEvent, Event, HostReport, Inventory, OperationFinished
from tests.redis_server import RedisServer

E = TypeVar("E", bound=Event)
WAIT_SECONDS = 60.0


class PanelSide:
    """Talks to one host's agent through a real Redis, with a real Celery sender."""

    def __init__(self, server: RedisServer, uid: str, host_key: Ed25519PublicKey) -> None:
        self.server = server
        self.uid = uid
        self.key = Ed25519PrivateKey.generate()
        self.host_key = host_key
        self.redis = server.admin()
        self.events: list[AnyEvent] = []
        self._cursor = "0-0"
        self._app = Celery("panel", broker=f"redis+socket://:{server.password}@{server.socket}")
        self._app.conf.update(task_serializer="json", result_backend=None)

    def close(self) -> None:
        self._app.close()

    def start_afresh(self, project: str) -> None:
        """Remove a project from the host, report everything, and forget what was told before."""
        self.finish(RemoveProject(operation_id=uuid4().hex, project=project, remove_volumes=True))
        self.events.clear()
        self.finish(ReportAll(operation_id=uuid4().hex))
        self.events = [event for event in self.events if isinstance(event, HostReport | Inventory)]

    def sealed(self, message: msgspec.Struct, **changes) -> str:
        """Return a message sealed for the host; ``changes`` spoil it."""
        recipe = {
            "key": self.key,
            "kind": "command" if isinstance(message, Command) else "control",
            "sender": keys.PANEL_RECIPIENT,
            "recipient": keys.recipient(self.uid),
            "lifetime": 60.0,
        }
        return seal(message, **{**recipe, **changes})

    def send(self, command: Command) -> None:
        self.send_sealed(self.sealed(command))

    def send_sealed(self, sealed: str) -> None:
        name = keys.queue(self.uid)
        queue = Queue(name, Exchange(name, type="direct"), routing_key=name)
        self._app.send_task(keys.COMMAND_TASK, args=[sealed], queue=queue)

    def ask(self, request: Control) -> None:
        self.redis.xadd(keys.control(self.uid), {"m": self.sealed(request)})

    def read_events(self, block: int = 100) -> None:
        answer = self.redis.xread({keys.events(self.uid): self._cursor}, block=block)
        for _, entries in answer or []:
            for self._cursor, fields in entries:
                envelope = unseal(
                    fields["m"],
                    key=self.host_key,
                    kind="event",
                    sender=keys.recipient(self.uid),
                    recipient=keys.PANEL_RECIPIENT,
                )
                self.events.append(msgspec.json.decode(envelope.body, type=AnyEvent))

    def wait_for(self, kind: type[E], test: Callable[[E], bool] = lambda _: True) -> E:
        """Return the first such event, past or future."""
        deadline = time.monotonic() + WAIT_SECONDS
        while time.monotonic() < deadline:
            for event in self.events:
                if isinstance(event, kind) and test(event):
                    return event
            self.read_events()
        raise AssertionError(f"no {kind.__name__} came, but {self.events[-20:]}")

    def finish(self, command: Command) -> OperationFinished:
        """Send a command and wait for the operation's end."""
        self.send(command)
        return self.wait_for(
            OperationFinished, lambda event: event.operation_id == command.operation_id
        )
