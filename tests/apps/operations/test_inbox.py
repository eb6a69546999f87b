"""Events from hosts: what is taken, and what is refused."""

import time

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from agents.protocol import keys
from agents.protocol.events import (
    MessageRefused,
    OperationFinished,
    OperationOutput,
    OperationStarted,
    OutputLine,
)
from apps.accounts.models import AuditEntry
from apps.hosts.models import HostState
from apps.operations import handlers, inbox
from apps.operations.models import OperationState
from tests import factories


@pytest.fixture
def operation(cast):
    return factories.make_operation(cast.host, state=OperationState.SENT)


def started(operation) -> OperationStarted:
    return OperationStarted(operation_id=operation.uid, at=time.time())


def finished(operation, state="succeeded") -> OperationFinished:
    return OperationFinished(operation_id=operation.uid, at=time.time(), state=state)


def refusal(host) -> str:
    return AuditEntry.objects.get(verb="refuse event", target_uid=host.uid).detail


def test_a_signed_event_moves_its_operation(cast, operation):
    assert inbox.receive(cast.host, factories.seal_event(cast.host, started(operation)))
    operation.refresh_from_db()
    assert operation.state == OperationState.RUNNING
    assert operation.lease_expires_at is not None


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"key": Ed25519PrivateKey.generate()}, "altered"),
        ({"sender": keys.recipient("0" * 32)}, "misaddressed"),
        ({"recipient": keys.recipient("0" * 32)}, "misaddressed"),
        ({"kind": "command"}, "misaddressed"),
        ({"lifetime": -1}, "expired"),
    ],
)
def test_a_wrong_event_is_refused_and_audited(cast, operation, changes, reason):
    sealed = factories.seal_event(cast.host, started(operation), **changes)
    assert not inbox.receive(cast.host, sealed)
    operation.refresh_from_db()
    assert operation.state == OperationState.SENT
    assert refusal(cast.host).startswith(reason)


def test_an_unsigned_event_is_refused(cast, operation):
    assert not inbox.receive(cast.host, b'{"p": "{}"}')
    assert refusal(cast.host) == "unsigned"


def test_a_replayed_event_is_refused(cast, operation):
    sealed = factories.seal_event(cast.host, started(operation))
    assert inbox.receive(cast.host, sealed)
    assert not inbox.receive(cast.host, sealed)
    assert refusal(cast.host).startswith("replayed")


def test_a_revoked_host_is_not_heard(cast, operation):
    cast.host.state = HostState.REVOKED
    assert not inbox.receive(cast.host, factories.seal_event(cast.host, started(operation)))


def test_a_host_cannot_end_the_operation_of_another(cast, authority, operation):
    other = factories.make_host(cast.team, authority)
    assert inbox.receive(other, factories.seal_event(other, finished(operation)))
    operation.refresh_from_db()
    assert operation.state == OperationState.SENT


def test_lines_that_come_twice_are_kept_once(cast, operation):
    lines = tuple(OutputLine(seq=seq, at=1.0, text=f"line {seq}") for seq in (1, 2))
    event = OperationOutput(operation_id=operation.uid, at=2.0, lines=lines)
    for _ in range(2):
        inbox.receive(cast.host, factories.seal_event(cast.host, event))
    assert list(operation.lines.values_list("seq", flat=True)) == [1, 2]


def test_a_late_start_does_not_reopen_what_has_ended(cast, operation):
    inbox.receive(cast.host, factories.seal_event(cast.host, finished(operation, "failed")))
    inbox.receive(cast.host, factories.seal_event(cast.host, started(operation)))
    operation.refresh_from_db()
    assert operation.state == OperationState.FAILED


def test_the_agents_word_outranks_the_panels_guess_that_it_was_lost(cast, authority):
    operation = factories.make_operation(cast.host, state=OperationState.LOST)
    inbox.receive(cast.host, factories.seal_event(cast.host, finished(operation)))
    operation.refresh_from_db()
    assert operation.state == OperationState.SUCCEEDED


def test_output_without_end_is_kept_up_to_a_bound(cast, operation, monkeypatch):
    monkeypatch.setattr(handlers, "MAX_LINES", 3)
    lines = tuple(OutputLine(seq=seq, at=1.0, text="y" * 9000) for seq in range(1, 6))
    event = OperationOutput(operation_id=operation.uid, at=2.0, lines=lines)
    assert inbox.receive(cast.host, factories.seal_event(cast.host, event))
    kept = [line.text for line in operation.lines.all()]
    assert [len(text) for text in kept[:2]] == [handlers.MAX_TEXT] * 2
    assert kept[2:] == ["No more than 3 lines are kept."]


def test_a_host_cannot_flood_the_audit_log_with_reasons_of_its_own(cast):
    for number in range(20):
        event = MessageRefused(at=time.time(), reason=f"reason {number}", detail="x" * 1000)
        inbox.receive(cast.host, factories.seal_event(cast.host, event))
    assert refusal_count(cast.host) == 1


def refusal_count(host) -> int:
    return AuditEntry.objects.filter(verb="refuse command", target_uid=host.uid).count()
