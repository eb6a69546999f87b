"""What the agent remembers, and its configuration."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from agents import config
from agents.config import AgentConfig, Secret
from agents.errors import ConflictError, InvalidInputError, NotFoundError
from agents.state import State, outbox


@pytest.fixture
def state(tmp_path: Path) -> Iterator[State]:
    made = State(tmp_path)
    yield made
    made.close()


def some_config(root: Path) -> AgentConfig:
    return AgentConfig(
        panel="https://panel.example",
        uid="a" * 32,
        name="host",
        root=root,
        run=root / "run",
        redis_urls=("unix:///redis.sock",),
        redis_username="host-a",
        redis_password=Secret("swordfish"),
        private_key=root / "host.key",
        certificate=root / "host.pem",
        ca_certificate=root / "ca.pem",
        panel_key=root / "panel.pem",
    )


def test_a_secret_shows_itself_to_nobody(tmp_path: Path):
    made = some_config(tmp_path)
    assert "swordfish" not in f"{made!r} {made} {made.redis_password!s} {[made.redis_password]}"


def test_the_configuration_survives_and_is_private(tmp_path: Path):
    path = tmp_path / "agent.json"
    config.save(some_config(tmp_path), path)
    assert path.stat().st_mode & 0o777 == 0o600
    loaded = config.load(path)
    assert loaded.redis_password.reveal() == "swordfish"
    assert loaded.root == tmp_path


def test_only_root_may_enter_the_agent_s_folder_whoever_made_it(tmp_path: Path):
    root = tmp_path / "agent"
    root.mkdir()
    root.chmod(0o777)
    State(root).close()
    assert root.stat().st_mode & 0o777 == 0o700


def test_a_missing_configuration_says_what_to_do(tmp_path: Path):
    with pytest.raises(NotFoundError, match="has not joined") as caught:
        config.load(tmp_path / "agent.json")
    assert "Add host" in caught.value.hint


def test_a_damaged_configuration_says_where(tmp_path: Path):
    path = tmp_path / "agent.json"
    path.write_text('{"panel": "https://panel.example", "uid": 7}')
    with pytest.raises(InvalidInputError, match="uid"):
        config.load(path)


def test_an_operation_is_accepted_once(state: State):
    assert state.journal.accept("op", b"{}", expires_at=1.0) is not None
    assert state.journal.accept("op", b"{}", expires_at=1.0) is None


def test_an_operation_that_did_not_end_is_there_after_a_restart(tmp_path: Path):
    before = State(tmp_path)
    for name in ("first", "second", "third"):
        before.journal.accept(name, b"{}", expires_at=1.0)
    before.journal.begin("first")
    before.journal.end("second", b"end")
    before.journal.note_seq("first", 7)
    before.close()
    after = State(tmp_path)
    found = after.journal.unended()
    assert [(one.operation_id, one.attempts, one.last_seq) for one in found] == [
        ("first", 1, 7),
        ("third", 0, 0),
    ]
    assert after.incarnation == before.incarnation + 1
    after.close()


def test_only_one_agent_may_hold_the_state(state: State, tmp_path: Path):
    with pytest.raises(ConflictError, match="another agent"):
        State(tmp_path)


def test_a_message_is_seen_until_it_expires(state: State):
    assert state.seen.add("m1", 100.0)
    assert not state.seen.add("m1", 100.0)
    state.seen.forget_expired(101.0)
    assert state.seen.add("m1", 200.0)


def test_events_wait_in_their_order(state: State):
    for number in range(5):
        state.outbox.put(str(number).encode(), droppable=False)
    first = state.outbox.first(3)
    assert [one.event for one in first] == [b"0", b"1", b"2"]
    state.outbox.remove(first)
    assert [one.event for one in state.outbox.first(9)] == [b"3", b"4"]


def test_too_many_output_lines_give_way_and_nothing_else(state: State, monkeypatch):
    monkeypatch.setattr(outbox, "MAX_DROPPABLE", 2)
    for number in range(4):
        state.outbox.put(f"line {number}".encode(), droppable=True)
        state.outbox.put(f"end {number}".encode(), droppable=False)
    state.outbox.trim()
    kept = [one.event.decode() for one in state.outbox.first(9)]
    assert kept == ["end 0", "end 1", "line 2", "end 2", "line 3", "end 3"]


@pytest.mark.root
def test_events_go_on_in_memory_when_the_disk_is_full(tmp_path: Path):
    if os.geteuid() != 0:
        pytest.skip("mounting a small file system needs root")
    from agents.linux import process

    process.run(("mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(tmp_path)))
    try:
        state = State(tmp_path)
        (tmp_path / "filler").write_bytes(b"")
        _fill(tmp_path / "filler")
        for number in range(200):
            state.outbox.put(f"{number:05}".encode() * 1000, droppable=False)
        found = []
        while waiting := state.outbox.first(50):
            found += [one.event[:5].decode() for one in waiting]
            state.outbox.remove(waiting)
        assert found == [f"{number:05}" for number in range(200)]
        state.close()
    finally:
        process.run(("umount", str(tmp_path)))


def _fill(path: Path) -> None:
    with path.open("wb", buffering=0) as file:
        try:
            while True:
                file.write(b"x" * 4096)
        except OSError:
            return
