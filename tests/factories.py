"""Rows for tests of the panel; each name is new."""

from datetime import timedelta
from functools import cache
from itertools import count

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from django.utils import timezone

from agents.protocol import keys
from agents.protocol.commands import ReportAll
from agents.protocol.envelope import seal
from agents.protocol.events import Event
from apps.accounts.models import Membership, Role, Team, User
from apps.core.ids import new_uid
from apps.hosts.models import Host, HostState
from apps.operations.models import Operation
from tests.certificates import Authority

_numbers = count(1)


def make_user(name: str = "person") -> User:
    return User.objects.create_user(username=f"{name}-{next(_numbers)}", password=None)


def make_team(name: str = "team") -> Team:
    return Team.objects.create(name=f"{name} {next(_numbers)}")


def make_member(team: Team, role: Role) -> User:
    user = make_user(role.value)
    Membership.objects.create(team=team, user=user, role=role)
    return user


@cache
def host_key(uid: str) -> Ed25519PrivateKey:
    """The key of a host made here; tests sign its events with it."""
    return Ed25519PrivateKey.generate()


def make_host(team: Team, authority: Authority, **fields) -> Host:
    """A host with a real certificate."""
    uid = new_uid()
    certificate = authority.certify(uid, host_key(uid).public_key())
    given = {"name": f"host-{next(_numbers)}", "state": HostState.ONLINE, **fields}
    return Host.objects.create(
        uid=uid, team=team, certificate=certificate, last_seen_at=timezone.now(), **given
    )


def seal_event(host: Host, event: Event, **changes) -> bytes:
    """An event as the host's agent sends it; ``changes`` make it a wrong one."""
    given = {
        "key": host_key(host.uid),
        "kind": "event",
        "sender": keys.recipient(host.uid),
        "recipient": keys.PANEL_RECIPIENT,
        "lifetime": 60,
        **changes,
    }
    return seal(event, **given).encode()


def make_operation(host: Host, **fields) -> Operation:
    uid = new_uid()
    given = {
        "verb": "report",
        "target_kind": "host",
        "target_uid": host.uid,
        "target_name": host.name,
        "requested_by_name": "somebody",
        "expires_at": timezone.now() + timedelta(hours=1),
        **fields,
    }
    operation = Operation(uid=uid, host=host, team=host.team, **given)
    operation.keep_command(ReportAll(operation_id=uid))
    operation.save()
    return operation
