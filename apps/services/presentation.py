"""Containers as pages show them."""

import socket
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import urlsplit

from django.http import HttpRequest

from agents.protocol.records import PortRecord
from apps.core.moments import moment
from apps.hosts.models import Host
from apps.services.choices import Shown
from apps.services.models import Container

_EVERYWHERE = {"", "0.0.0.0", "::"}  # noqa: S104  compared with, not bound to
_LOOPBACK = {"localhost", "127.0.0.1", "::1"}


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
    started = moment(record.started_at) if record.started_at else None
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
    first address that it reported. On loopback it goes by its other name: cookies know no
    ports, so a container would be sent the session of whoever follows a link to it (RFC 6265,
    8.5). Elsewhere the panel is behind TLS, and its cookies are not sent without.
    """
    facts = host.facts
    if facts is None or facts.hostname == socket.gethostname():
        return _other_name(browser_host)
    return next(iter(facts.addresses), facts.hostname)


def _other_name(browser_host: str) -> str:
    if browser_host not in _LOOPBACK:
        return browser_host
    return "127.0.0.1" if browser_host == "localhost" else "localhost"


def _link(port: PortRecord, address: str) -> PortLink:
    suffix = "/udp" if port.protocol == "udp" else ""
    text = f"{port.host_port}→{port.container_port}{suffix}"
    anywhere = port.host_ip in _EVERYWHERE or {port.host_ip, address} <= _LOOPBACK
    where = address if anywhere else port.host_ip
    bracketed = f"[{where}]" if ":" in where else where
    url = "" if suffix else f"http://{bracketed}:{port.host_port}/"
    return PortLink(text=text, url=url)
