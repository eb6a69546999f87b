"""How a message is signed, addressed and checked (Ed25519, RFC 8032).

A sealed message is the UTF-8 JSON object ``{"p": payload, "s": signature}``; ``payload`` is
a string that holds the JSON of an :class:`Envelope`, and the signature (base64) is over
exactly the bytes of that string, so nothing has to be put in canonical form.

The signature covers the kind, sender, recipient and expiry, so a command cannot pass as
an event, reach another host, or live longer than its sender meant.
"""

import base64
import binascii
import time
import uuid
from typing import Literal

import msgspec
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from agents.protocol import PROTOCOL_VERSION

Kind = Literal["command", "control", "event"]
RefusalReason = Literal[
    "unsigned", "altered", "expired", "replayed", "misaddressed", "unknown_version", "malformed"
]

# Clocks of two machines differ; a message may seem to come from this far in the future.
MAX_CLOCK_SKEW = 120.0


class Refusal(Exception):
    """A sealed message failed its check; ``reason`` says which."""

    def __init__(self, reason: RefusalReason, detail: str = "", message_id: str = "") -> None:
        super().__init__(f"{reason}: {detail}" if detail else reason)
        self.reason: RefusalReason = reason
        self.detail = detail
        self.message_id = message_id


class Envelope(msgspec.Struct, frozen=True, kw_only=True):
    """A message with its address; ``body`` is the JSON of the message itself.

    ``message_id`` is new for every envelope; the receiver remembers it until ``expires_at``.
    """

    version: int
    kind: Kind
    message_id: str
    sender: str
    recipient: str
    issued_at: float
    expires_at: float
    body: msgspec.Raw


class Sealed(msgspec.Struct, frozen=True, kw_only=True):
    """The outer form, as it travels."""

    p: str
    s: str = ""


def seal(
    message: msgspec.Struct | msgspec.Raw,
    *,
    key: Ed25519PrivateKey,
    kind: Kind,
    sender: str,
    recipient: str,
    lifetime: float,
    now: float | None = None,
) -> str:
    """Sign ``message`` for ``recipient``; it is good for ``lifetime`` seconds."""
    issued_at = time.time() if now is None else now
    envelope = Envelope(
        version=PROTOCOL_VERSION,
        kind=kind,
        message_id=uuid.uuid4().hex,
        sender=sender,
        recipient=recipient,
        issued_at=issued_at,
        expires_at=issued_at + lifetime,
        body=msgspec.Raw(msgspec.json.encode(message)),
    )
    payload = msgspec.json.encode(envelope)
    signature = base64.b64encode(key.sign(payload)).decode()
    return msgspec.json.encode(Sealed(p=payload.decode(), s=signature)).decode()


def unseal(
    sealed: str | bytes,
    *,
    key: Ed25519PublicKey,
    kind: Kind,
    sender: str,
    recipient: str,
    now: float | None = None,
) -> Envelope:
    """Check a sealed message and return its envelope.

    Raises :class:`Refusal`. Replays are the caller's to find: it keeps ``message_id``.
    """
    envelope = _verify(sealed, key)
    _check_address(envelope, kind, sender, recipient)
    _check_time(envelope, time.time() if now is None else now)
    return envelope


def _verify(sealed: str | bytes, key: Ed25519PublicKey) -> Envelope:
    """Check the signature before anything inside is looked at."""
    try:
        outer = msgspec.json.decode(sealed, type=Sealed)
    except msgspec.MsgspecError as error:
        raise Refusal("malformed", str(error)) from error
    if not outer.s:
        raise Refusal("unsigned")
    try:
        key.verify(base64.b64decode(outer.s, validate=True), outer.p.encode())
    except (InvalidSignature, binascii.Error) as error:
        raise Refusal("altered", "the signature does not fit") from error
    try:
        return msgspec.json.decode(outer.p, type=Envelope)
    except msgspec.MsgspecError as error:
        raise Refusal("malformed", str(error)) from error


def _check_address(envelope: Envelope, kind: Kind, sender: str, recipient: str) -> None:
    if envelope.version != PROTOCOL_VERSION:
        raise Refusal("unknown_version", str(envelope.version), envelope.message_id)
    found = (envelope.kind, envelope.sender, envelope.recipient)
    if found != (kind, sender, recipient):
        raise Refusal("misaddressed", " ".join(found), envelope.message_id)


def _check_time(envelope: Envelope, now: float) -> None:
    if now >= envelope.expires_at:
        raise Refusal("expired", f"{now - envelope.expires_at:.0f} s ago", envelope.message_id)
    if envelope.issued_at > now + MAX_CLOCK_SKEW:
        raise Refusal("expired", "issued in the future: check the clocks", envelope.message_id)
