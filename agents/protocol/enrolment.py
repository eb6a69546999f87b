"""What travels over HTTPS when a host joins: ``POST /agent/enrol``.

The agent makes its key pair and its Redis password itself. The private key and the
password never leave the host: the panel gets a certificate request and a hash.
"""

import msgspec


class EnrolmentRequest(msgspec.Struct, frozen=True, kw_only=True):
    """Asks for a place in the panel; ``token`` is one-time.

    ``certificate_request`` is PEM (PKCS #10) of the host's Ed25519 key, which also signs its
    events. ``redis_password_sha256`` is 64 hexadecimal digits.
    """

    token: str
    hostname: str
    certificate_request: str
    redis_password_sha256: str
    agent_version: str
    protocol_version: int


class EnrolmentReply(msgspec.Struct, frozen=True, kw_only=True):
    """What an enrolled host needs to work.

    ``redis_urls`` has no password in it; the agent tries them in order. ``panel_key`` is the
    PEM public key that signs commands; ``ca_certificate`` verifies Redis and the panel;
    ``certificate`` is the host's own, shown to Redis over TLS.
    """

    host_uid: str
    redis_urls: tuple[str, ...]
    redis_username: str
    panel_key: str
    ca_certificate: str
    certificate: str
    heartbeat_seconds: float = 5.0


class EnrolmentProblem(msgspec.Struct, frozen=True, kw_only=True):
    """Why the panel did not take the host; status 403, 409 or 422."""

    code: str
    message: str
    hint: str = ""
