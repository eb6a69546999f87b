"""What the pages of hosts show."""

from dataclasses import dataclass
from datetime import datetime

from django.conf import settings
from django.utils import timezone

from agents.protocol.records import HostFacts
from apps.accounts.access import writable_teams
from apps.accounts.models import User
from apps.core.moments import moment
from apps.core.tokens import Secret
from apps.hosts import pki
from apps.hosts.access import hosts_for
from apps.hosts.models import Host, HostState, JoinToken

_GIB = 1024**3


@dataclass(frozen=True, kw_only=True)
class Gauge:
    """How much of something is used; ``percent`` is 0 to 100."""

    label: str
    used: str
    total: str
    percent: int

    @property
    def tone(self) -> str:
        """The colour of its bar: calm until it is nearly full."""
        return "danger" if self.percent >= 95 else ""


@dataclass(frozen=True, kw_only=True)
class HostRow:
    """A host in a list."""

    uid: str
    name: str
    team: str
    state: HostState
    last_seen_at: datetime | None
    os: str
    address: str
    engines: str
    gauges: tuple[Gauge, ...]


@dataclass(frozen=True, kw_only=True)
class HostPage:
    """A host with what its agent reported."""

    row: HostRow
    facts: HostFacts | None
    booted_at: datetime | None
    joined_at: datetime
    added_by: str
    may_write: bool

    @property
    def warnings(self) -> tuple[str, ...]:
        """What the agent finds wrong with its machine."""
        return self.facts.warnings if self.facts else ()


@dataclass(frozen=True, kw_only=True)
class JoinLines:
    """What to paste on a new host; each holds the token."""

    curl: str
    python: str


def host_rows(user: User) -> list[HostRow]:
    """Return the user's hosts, by name; two queries at most."""
    return [host_row(host) for host in hosts_for(user)]


def host_row(host: Host) -> HostRow:
    """Return a host as a list shows it."""
    facts = host.facts
    return HostRow(
        uid=host.uid,
        name=host.name,
        team=host.team.name,
        state=host.state_choice,
        last_seen_at=host.last_seen_at,
        os=facts.os if facts else "",
        address=facts.addresses[0] if facts and facts.addresses else "",
        engines=", ".join(f"{each.name} {each.version}" for each in facts.engines) if facts else "",
        gauges=_gauges(host, facts) if facts and host.is_online else (),
    )


def host_page(host: Host, *, may_write: bool) -> HostPage:
    """Return what a host's page shows."""
    facts = host.facts
    return HostPage(
        row=host_row(host),
        facts=facts,
        booted_at=moment(facts.booted_at) if facts else None,
        joined_at=host.created_at,
        added_by=str(host.added_by or "set-up"),
        may_write=may_write,
    )


def open_tokens(user: User) -> list[JoinToken]:
    """Return the join tokens with which a host could still join the user's teams."""
    rows = JoinToken.objects.filter(
        team__in=writable_teams(user),
        used_at=None,
        revoked_at=None,
        expires_at__gt=timezone.now(),
    )
    return list(rows.select_related("team", "created_by").order_by("-id"))


def join_lines(token: Secret, panel: str = "") -> JoinLines:
    """Return the lines to paste; both pin the panel's key before they trust a byte."""
    panel = panel or settings.PUBLIC_URLS[0]
    digest = pki.ca_sha256()
    words = f"--panel {panel} --token {token.reveal()} --ca-sha256 {digest}"
    pin = pki.panel_key_pin()
    fetch = f"curl -fsSk --pinnedpubkey '{pin}' {panel}/agent/install.py"
    return JoinLines(
        curl=f"{fetch} | {_AS_ROOT} python3 - {words}",
        python=f'{_AS_ROOT} python3 -c "{_PYTHON.format(panel=panel, digest=digest)}" {words}',
    )


# Root's own shell often has no sudo.
_AS_ROOT = "$(command -v sudo)"
_PYTHON = (
    "import hashlib,ssl,urllib.request as u;p='{panel}/agent/';"
    "c=u.urlopen(p+'ca.pem',context=ssl._create_unverified_context()).read().decode();"
    "d=hashlib.sha256(ssl.PEM_cert_to_DER_cert(c)).hexdigest();"
    "d=='{digest}' or exit('This is not the panel that made the line.');"
    "exec(u.urlopen(p+'install.py',context=ssl.create_default_context(cadata=c)).read())"
)


def _gauges(host: Host, facts: HostFacts) -> tuple[Gauge, ...]:
    load = host.load or 0.0
    return (
        Gauge(
            label="Load",
            used=f"{load:.2f}",
            total=f"{facts.cpus} CPUs",
            percent=_percent(load, facts.cpus),
        ),
        _bytes_gauge("Memory", host.memory_used or 0, facts.memory),
        _bytes_gauge("Disk", host.disk_used or 0, facts.disk),
    )


def _bytes_gauge(label: str, used: int, total: int) -> Gauge:
    return Gauge(
        label=label,
        used=f"{used / _GIB:.1f}",
        total=f"{total / _GIB:.1f} GiB",
        percent=_percent(used, total),
    )


def _percent(part: float, whole: float) -> int:
    return round(min(100.0, max(0.0, 100 * part / whole))) if whole > 0 else 0
