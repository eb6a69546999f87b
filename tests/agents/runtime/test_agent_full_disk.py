"""An agent whose disk is full says so, and begins nothing that it could not remember."""

import os
import time
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest
import redis
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from agents.linux import process
from agents.protocol import keys
from agents.protocol.commands import ReportAll
from agents.protocol.envelope import seal
from agents.protocol.events import AnyEvent, Heartbeat, OperationFinished
from agents.reporter import Reporter
from agents.state import Entry, State
from agents.tasks.acceptance import Acceptance

pytestmark = pytest.mark.root
UID = "a" * 32


@pytest.fixture
def state(tmp_path: Path) -> Iterator[State]:
    if os.geteuid() != 0:
        pytest.skip("mounting a small file system needs root")
    process.run(("mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(tmp_path)))
    try:
        made = State(tmp_path)
        fill(tmp_path / "filler")
        yield made
        made.close()
    finally:
        process.run(("umount", str(tmp_path)))


def fill(path: Path) -> None:
    with path.open("wb", buffering=0) as file:
        try:
            while True:
                file.write(b"x" * 4096)
        except OSError:
            return


def no_heartbeat() -> Heartbeat:
    return Heartbeat(at=time.time(), load=0, memory_used=0, disk_used=0)


def test_a_command_that_cannot_be_written_down_fails_at_once(state: State) -> None:
    panel, submitted = Ed25519PrivateKey.generate(), list[Entry]()
    reporter = Reporter(
        uid=UID,
        key=Ed25519PrivateKey.generate(),
        state=state,
        connect=lambda _connected: redis.Redis(),
        vitals=no_heartbeat,
        heartbeat_seconds=5,
        resync=lambda: None,
    )
    acceptance = Acceptance(
        uid=UID,
        panel_key=panel.public_key(),
        state=state,
        reporter=reporter,
        submit=submitted.append,
    )
    for number in range(300):
        acceptance.take(sealed(panel, f"{number:032}"), redelivered=False)
    told = [msgspec.json.decode(one.event, type=AnyEvent) for one in state.outbox.first(1000)]
    refused = {event.operation_id for event in told if isinstance(event, OperationFinished)}
    assert refused
    assert refused.isdisjoint(entry.operation_id for entry in submitted)
    assert len(refused) + len(submitted) == 300
    assert {event.errors[0].code for event in told} == {"no_space"}


def sealed(key: Ed25519PrivateKey, operation_id: str) -> str:
    return seal(
        ReportAll(operation_id=operation_id),
        key=key,
        kind="command",
        sender=keys.PANEL_RECIPIENT,
        recipient=keys.recipient(UID),
        lifetime=60,
    )
