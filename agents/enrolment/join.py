"""Joining a panel: ask for a place, and write down what came of it."""

import os
from dataclasses import dataclass
from pathlib import Path

import msgspec

from agents import __version__, config
from agents.config import AgentConfig, Secret
from agents.enrolment.identity import Identity, make_identity
from agents.enrolment.panel import Panel
from agents.errors import ConflictError, NotFoundError
from agents.protocol import PROTOCOL_VERSION
from agents.protocol.enrolment import EnrolmentReply, EnrolmentRequest


@dataclass(frozen=True, kw_only=True)
class JoinRequest:
    """What a person gives: the panel's address, a one-time token, where to keep things."""

    panel: str
    token: str
    root: Path
    run: Path
    ca_sha256: str = ""
    name: str = ""
    engines: tuple[str, ...] = ("native",)


def join(request: JoinRequest) -> AgentConfig:
    """Join the panel, or return the configuration of a host that has already joined it.

    Raises:
        ConflictError: this host belongs to another panel.
        EnrolmentError: the panel does not take it.
    """
    path = request.root / config.CONFIG_NAME
    existing = _existing(path)
    if existing is not None:
        if existing.panel.rstrip("/") == request.panel.rstrip("/"):
            return existing
        raise ConflictError(
            f"this host has already joined {existing.panel}",
            hint="Run `leave` first, or give another --root.",
        )
    name = request.name or os.uname().nodename
    identity = make_identity()
    reply = Panel(request.panel, request.ca_sha256).enrol(
        EnrolmentRequest(
            token=request.token,
            hostname=name,
            certificate_request=identity.certificate_request(name),
            redis_password_sha256=identity.password_sha256(),
            agent_version=__version__,
            protocol_version=PROTOCOL_VERSION,
        )
    )
    return _write(request, name, identity, reply)


def leave(path: Path) -> None:
    """Forget the panel: remove the configuration and the keys. Containers are left alone.

    Idempotent. What the panel knows of this host is removed there. Kept in ``left.json``,
    without the password, is where things lie, for :mod:`agents.worker.purge`.
    """
    existing = _existing(path)
    if existing is None:
        return
    config.save(
        msgspec.structs.replace(existing, redis_password=Secret("")),
        path.with_name(config.LEFT_NAME),
    )
    files = (existing.private_key, existing.certificate, existing.ca_certificate)
    for file in (path, *files, existing.panel_key):
        file.unlink(missing_ok=True)


def _existing(path: Path) -> AgentConfig | None:
    try:
        return config.load(path)
    except NotFoundError:
        return None


def _write(
    request: JoinRequest, name: str, identity: Identity, reply: EnrolmentReply
) -> AgentConfig:
    """Write the keys and then, last, the configuration that makes the host a member."""
    folder = request.root / "pki"
    made = AgentConfig(
        panel=request.panel,
        uid=reply.host_uid,
        name=name,
        root=request.root,
        run=request.run,
        redis_urls=reply.redis_urls,
        redis_username=reply.redis_username,
        redis_password=identity.redis_password,
        private_key=folder / "host.key",
        certificate=folder / "host.pem",
        ca_certificate=folder / "ca.pem",
        panel_key=folder / "panel.pem",
        engines=request.engines,
        heartbeat_seconds=reply.heartbeat_seconds,
    )
    config.write_private(made.private_key, identity.private_pem())
    config.write_private(made.certificate, reply.certificate.encode())
    config.write_private(made.ca_certificate, reply.ca_certificate.encode())
    config.write_private(made.panel_key, reply.panel_key.encode())
    config.save(made, request.root / config.CONFIG_NAME)
    (request.root / config.LEFT_NAME).unlink(missing_ok=True)
    return made
