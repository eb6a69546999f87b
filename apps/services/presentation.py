"""Containers as pages show them."""

import socket
from dataclasses import dataclass
from datetime import UTC, datetime
from urllib.parse import urlsplit

from django.http import HttpRequest

from agents.protocol.records import PortRecord
from apps.hosts.models import Host
from apps.services.choices import Shown
from apps.services.models import Container

_EVERYWHERE = {"", "0.0.0.0", "::"}  # noqa: S104  compared with, not bound to


@dataclass(frozen=True, kw_only=True)
class PortLink:
    """A published port: ``8088→80``, with an address to open if it is a TCP port."""

    text: str
    url: str


@dataclass(frozen=True, kw_only=True)
class ContainerView:
    """One container as a row of a page."""

    row: Container
    url: str
    shown: Shown
    ports: tuple[PortLink, ...]
    started_at: datetime | None
    error: str


def view_container(row: Container, address: str) -> ContainerView:
    """Return the container as a page shows it; ``address`` is where its ports are reached."""
    record = row.record
    started = datetime.fromtimestamp(record.started_at, UTC) if record.started_at else None
    return ContainerView(
        row=row,
        url=f"/containers/{row.host.uid}/{row.container_id}/",
        shown=row.shown,
        ports=tuple(_link(port, address) for port in record.ports),
        started_at=started,
        error=record.error,
    )


def browser_host(request: HttpRequest) -> str:
    """Return the name by which the browser found the panel, without a port."""
    host = urlsplit(f"//{request.get_host()}").hostname
    return host or "localhost"


def address_of(host: Host, browser_host: str) -> str:
    """Return where a browser reaches the host's published ports.

    The panel's own machine is where the browser found the panel; another host is at the
    first address that it reported.
    """
    facts = host.facts
    if facts is None or facts.hostname == socket.gethostname():
        return browser_host
    return next(iter(facts.addresses), facts.hostname)


def _link(port: PortRecord, address: str) -> PortLink:
    suffix = "/udp" if port.protocol == "udp" else ""
    text = f"{port.host_port}→{port.container_port}{suffix}"
    where = address if port.host_ip in _EVERYWHERE else port.host_ip
    bracketed = f"[{where}]" if ":" in where else where
    url = "" if suffix else f"http://{bracketed}:{port.host_port}/"
    return PortLink(text=text, url=url)
