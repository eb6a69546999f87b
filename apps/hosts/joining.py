"""How a host comes into the panel, and how it leaves."""

import re
from dataclasses import dataclass
from datetime import timedelta

from django.conf import settings
from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from agents.protocol import PROTOCOL_VERSION, keys
from agents.protocol.enrolment import EnrolmentReply, EnrolmentRequest
from apps.accounts import audit
from apps.accounts.access import role_in
from apps.accounts.models import Team, User
from apps.core.errors import ConflictError, GoneError, InvalidInputError, RefusedError
from apps.core.live import nudge
from apps.core.tokens import Secret, new_token, token_digest
from apps.hosts import certificates, pki, redis_users
from apps.hosts.models import Host, HostState, JoinToken

TOKEN_LIFETIME = timedelta(hours=1)
_DIGEST = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True, kw_only=True)
class MadeToken:
    """A new join token; its text is nowhere else."""

    token: Secret
    record: JoinToken


def create_join_token(
    user: User | None, team: Team, *, lifetime: timedelta = TOKEN_LIFETIME, ip: str = ""
) -> MadeToken:
    """Make a one-time token for a host of ``team``; the caller has checked the user's rights."""
    token = new_token()
    with transaction.atomic():
        record = JoinToken.objects.create(
            team=team,
            token_digest=token.digest(),
            created_by=user,
            expires_at=timezone.now() + lifetime,
        )
        target = audit.Target(kind="join token", uid=record.uid)
        audit.record("create", target, team=team, actor=user, ip=ip)
        nudge(f"team:{team.uid}")
    return MadeToken(token=token, record=record)


def revoke_join_token(user: User, record: JoinToken, *, ip: str = "") -> None:
    """Make a token worthless; a second time does nothing."""
    with transaction.atomic():
        unused = JoinToken.objects.filter(pk=record.pk, used_at=None, revoked_at=None)
        if unused.update(revoked_at=timezone.now()):
            target = audit.Target(kind="join token", uid=record.uid)
            audit.record("revoke", target, team=record.team, actor=user, ip=ip)
            nudge(f"team:{record.team.uid}")


def enrol_host(request: EnrolmentRequest, *, ip: str = "") -> EnrolmentReply:
    """Take a host in: use up its token, sign its key, make its Redis user.

    Raises :class:`RefusedError` for an unknown token, :class:`GoneError` for a spent one,
    and :class:`InvalidInputError`; then nothing was changed and the token is as good as before.
    """
    wanted = _check_request(request)
    # Whoever has no token must not keep writers waiting.
    check_token(request.token)
    with transaction.atomic():
        token = _use_token(request.token)
        host = _add_host(token, request.hostname, wanted)
        JoinToken.objects.filter(pk=token.pk).update(host=host)
        target = audit.Target(kind="host", uid=host.uid, name=host.name)
        audit.record("join", target, team=host.team, actor=token.created_by, ip=ip)
        redis_users.grant(host.uid, request.redis_password_sha256)
        nudge(f"team:{host.team.uid}")
        transaction.on_commit(redis_users.wake_receiver)
    return _reply(host)


def rename_host(user: User, host: Host, name: str, *, ip: str = "") -> None:
    """Give a host another name; raises :class:`InvalidInputError`."""
    name = name.strip()
    if not name or len(name) > 80 or not name.isprintable():
        raise InvalidInputError("A name has 1 to 80 characters that print.", field="name")
    with transaction.atomic():
        target = audit.Target(kind="host", uid=host.uid, name=name)
        audit.record("rename", target, team=host.team, actor=user, ip=ip, detail=f"was {host.name}")
        Host.objects.filter(pk=host.pk).update(name=name)
        nudge(f"host:{host.uid}", f"team:{host.team.uid}")


def revoke_host(user: User, host: Host, *, ip: str = "") -> None:
    """Shut a host out for good: its key and its Redis user are worthless; idempotent.

    What runs on it goes on. Raises :class:`UnavailableError`, and then changes nothing.
    """
    with transaction.atomic():
        rows = Host.objects.filter(pk=host.pk).exclude(state=HostState.REVOKED)
        if rows.update(state=HostState.REVOKED, revoked_at=timezone.now()):
            target = audit.Target(kind="host", uid=host.uid, name=host.name)
            audit.record("revoke", target, team=host.team, actor=user, ip=ip)
            nudge(f"host:{host.uid}", f"team:{host.team.uid}")
        redis_users.withdraw(host.uid)
        transaction.on_commit(redis_users.wake_receiver)


def check_token(text: str) -> None:
    """Check that a token would let a host in, without using it up; raises as ``enrol_host``."""
    rows = JoinToken.objects.filter(token_digest=token_digest(text))
    _refuse_token(rows.first(), is_good=_usable(rows).exists())


def _check_request(request: EnrolmentRequest) -> certificates.HostRequest:
    if request.protocol_version != PROTOCOL_VERSION:
        raise ConflictError(
            f"The agent speaks protocol {request.protocol_version}, the panel {PROTOCOL_VERSION}.",
            hint="Install the agent that this panel serves.",
        )
    if not _DIGEST.fullmatch(request.redis_password_sha256):
        raise InvalidInputError("The password's hash must be 64 hexadecimal digits.")
    return certificates.read_request(request.certificate_request)


def _use_token(text: str) -> JoinToken:
    """Spend the token in one guarded update, so that of two hosts only one gets in."""
    rows = JoinToken.objects.filter(token_digest=token_digest(text))
    spent = _usable(rows).update(used_at=timezone.now())
    return _refuse_token(rows.select_related("team", "created_by").first(), is_good=bool(spent))


def _usable(rows: QuerySet[JoinToken]) -> QuerySet[JoinToken]:
    return rows.filter(used_at=None, revoked_at=None, expires_at__gt=timezone.now())


def _refuse_token(token: JoinToken | None, *, is_good: bool) -> JoinToken:
    """Return the token, unless it is unknown or was spent."""
    if token is None:
        raise RefusedError("This join token is not known.", hint="Copy the line again.")
    if not is_good or not _maker_may_write(token):
        raise GoneError(
            "This join token was used or revoked, or has expired.",
            hint="Make a new one in the panel under Hosts, Add host.",
        )
    return token


def _maker_may_write(token: JoinToken) -> bool:
    """A line that somebody kept who was since removed from the team lets no host in."""
    if token.created_by is None:
        return True
    role = role_in(token.created_by, token.team)
    return role is not None and role.may_write


def _add_host(token: JoinToken, hostname: str, request: certificates.HostRequest) -> Host:
    host = Host(team=token.team, name=_free_name(token.team, hostname), added_by=token.created_by)
    host.certificate = pki.sign_host(request, host.uid)
    host.save()
    return host


def _free_name(team: Team, hostname: str) -> str:
    wished = hostname.strip()[:70] or "host"
    taken = set(
        Host.objects.filter(team=team)
        .exclude(state=HostState.REVOKED)
        .values_list("name", flat=True)
    )
    names = (
        wished if number == 1 else f"{wished} ({number})" for number in range(1, len(taken) + 2)
    )
    return next(name for name in names if name not in taken)


def _reply(host: Host) -> EnrolmentReply:
    return EnrolmentReply(
        host_uid=host.uid,
        redis_urls=settings.AGENT_REDIS_URLS,
        redis_username=keys.acl_user(host.uid),
        panel_key=pki.command_public_key_pem(),
        ca_certificate=pki.ca_certificate_pem(),
        certificate=host.certificate,
    )
