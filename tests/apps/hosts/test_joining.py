"""Hosts join with a one-time token, and leave for good."""

from datetime import timedelta

import msgspec
import pytest
import redis
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.x509.oid import NameOID
from django.test import Client
from django.utils import timezone
from redis.backoff import NoBackoff
from redis.retry import Retry

from agents.protocol import PROTOCOL_VERSION, keys
from agents.protocol.enrolment import EnrolmentProblem, EnrolmentReply, EnrolmentRequest
from apps.accounts.models import AuditEntry, Membership
from apps.core.tokens import token_digest
from apps.hosts import joining
from apps.hosts.models import Host, HostState, JoinToken
from tests.certificates import certificate_request

pytestmark = [pytest.mark.redis, pytest.mark.usefixtures("panel_redis_server", "panel_pki")]
PASSWORD = "a password of the agent's own"


@pytest.fixture
def token(cast) -> str:
    return joining.create_join_token(cast.member, cast.team).token.reveal()


def enrol(token: str, **changes):
    request = EnrolmentRequest(
        token=token,
        hostname="builder",
        certificate_request=certificate_request(Ed25519PrivateKey.generate()),
        redis_password_sha256=token_digest(PASSWORD),
        agent_version="0.1.0",
        protocol_version=PROTOCOL_VERSION,
    )
    body = msgspec.json.encode(msgspec.structs.replace(request, **changes))
    return Client().post("/agent/enrol", body, content_type="application/json")


def problem(response) -> EnrolmentProblem:
    return msgspec.json.decode(response.content, type=EnrolmentProblem)


def connect(server, uid: str) -> redis.Redis:
    name = keys.acl_user(uid)
    once = Retry(NoBackoff(), 0)
    path = str(server.socket)
    return redis.Redis(unix_socket_path=path, username=name, password=PASSWORD, retry=once)


def test_a_host_joins_with_a_token(cast, token, panel_redis_server):
    reply = msgspec.json.decode(enrol(token).content, type=EnrolmentReply)
    host = Host.objects.get(uid=reply.host_uid)
    assert (host.name, host.team, host.state) == ("builder", cast.team, HostState.PENDING)
    subject = x509.load_pem_x509_certificate(reply.certificate.encode()).subject
    assert subject.get_attributes_for_oid(NameOID.COMMON_NAME)[0].value == host.uid
    assert AuditEntry.objects.get(verb="join").actor == cast.member
    with connect(panel_redis_server, host.uid) as client:
        assert client.xadd(keys.events(host.uid), {"m": "x"})


def test_the_hosts_user_reaches_nothing_of_others(token, panel_redis_server):
    uid = msgspec.json.decode(enrol(token).content, type=EnrolmentReply).host_uid
    with connect(panel_redis_server, uid) as client:
        for name in ("panel.default", keys.events("0" * 32), keys.queue("0" * 32)):
            with pytest.raises(redis.exceptions.NoPermissionError):
                client.lpush(name, "x")


def test_a_token_works_once(token):
    assert enrol(token).status_code == 200
    response = enrol(token)
    assert response.status_code == 410
    assert "used or revoked" in problem(response).message
    assert Host.objects.filter(name="builder").count() == 1


def test_an_expired_token_is_refused(token):
    JoinToken.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
    assert enrol(token).status_code == 410


def test_a_revoked_token_is_refused(cast, token):
    joining.revoke_join_token(cast.member, JoinToken.objects.get())
    assert enrol(token).status_code == 410


def test_a_token_of_somebody_who_was_removed_is_refused(cast, token):
    Membership.objects.filter(user=cast.member).delete()
    assert enrol(token).status_code == 410
    assert not Host.objects.filter(name="builder").exists()
    assert JoinToken.objects.get().used_at is None


def test_an_unknown_token_is_refused(db):
    response = enrol("never made")
    assert (response.status_code, problem(response).code) == (403, "refused")


def test_asking_about_a_token_does_not_use_it_up(token):
    def ask(text: str) -> EnrolmentProblem:
        return problem(Client().post("/agent/token", text, content_type="text/plain"))

    assert ask(token).message == ask(token).message == ""
    assert ask("never made").message == "This join token is not known."
    enrol(token)
    assert "used or revoked" in ask(token).message


@pytest.mark.parametrize(
    ("changes", "status"),
    [
        ({"protocol_version": PROTOCOL_VERSION + 1}, 409),
        ({"certificate_request": "nonsense"}, 422),
        ({"redis_password_sha256": "> +@all"}, 422),
    ],
)
def test_a_wrong_request_leaves_the_token_good(token, changes, status):
    assert enrol(token, **changes).status_code == status
    assert enrol(token).status_code == 200


def test_two_hosts_of_one_name_get_names_of_their_own(cast):
    for _ in range(2):
        enrol(joining.create_join_token(cast.member, cast.team).token.reveal())
    assert set(Host.objects.filter(name__startswith="builder").values_list("name", flat=True)) == {
        "builder",
        "builder (2)",
    }


def test_a_revoked_host_is_cut_off(cast, token, panel_redis_server):
    uid = msgspec.json.decode(enrol(token).content, type=EnrolmentReply).host_uid
    with connect(panel_redis_server, uid) as client:
        client.ping()
        joining.revoke_host(cast.owner, Host.objects.get(uid=uid))
        with pytest.raises(redis.exceptions.AuthenticationError):
            client.ping()
    assert Host.objects.get(uid=uid).state == HostState.REVOKED
    joining.revoke_host(cast.owner, Host.objects.get(uid=uid))
