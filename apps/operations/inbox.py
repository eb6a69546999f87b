"""One message from a host's event stream: checked, then handed to the handlers."""

from datetime import UTC, datetime

import msgspec
from django.db import transaction

from agents.protocol import keys
from agents.protocol.envelope import Envelope, Refusal, unseal
from agents.protocol.events import AnyEvent, Event, Heartbeat
from apps.core.events import dispatch
from apps.hosts.certificates import host_key
from apps.hosts.models import Host, HostState
from apps.operations import refusals
from apps.operations.models import SeenMessage

# An inventory with the files of many projects is the longest message there is.
MAX_BYTES = 64 * 1024 * 1024


def receive(host: Host, sealed: bytes) -> bool:
    """Check the message and handle it, in one transaction; says whether it was taken.

    A message that is not the host's own, is altered, expired, meant for somebody else or
    came before is refused and audited. What a handler raises is raised, with nothing done.
    """
    try:
        envelope, event = _open(host, sealed)
    except Refusal as refusal:
        refusals.record(host, refusal.reason, refusal.detail, by_agent=False)
        return False
    with transaction.atomic():
        if not _is_new(envelope, event):
            refusals.record(host, "replayed", envelope.message_id, by_agent=False)
            return False
        dispatch(host, event)
    return True


def _open(host: Host, sealed: bytes) -> tuple[Envelope, Event]:
    if host.state == HostState.REVOKED:
        raise Refusal("misaddressed", "the host was revoked")
    if len(sealed) > MAX_BYTES:
        raise Refusal("malformed", f"longer than {MAX_BYTES // 1024**2} MiB")
    envelope = unseal(
        sealed,
        key=host_key(host.certificate),
        kind="event",
        sender=keys.recipient(host.uid),
        recipient=keys.PANEL_RECIPIENT,
    )
    try:
        return envelope, msgspec.json.decode(envelope.body, type=AnyEvent)
    except msgspec.MsgspecError as error:
        raise Refusal("malformed", str(error), envelope.message_id) from error


def _is_new(envelope: Envelope, event: Event) -> bool:
    """Remember the message; heartbeats go by their time instead, as they are so many."""
    if isinstance(event, Heartbeat):
        return True
    expires = datetime.fromtimestamp(envelope.expires_at, UTC)
    _, created = SeenMessage.objects.get_or_create(
        message_id=envelope.message_id[:64], defaults={"expires_at": expires}
    )
    return created
