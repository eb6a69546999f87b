"""Who may open and do what on the pages of hosts; what agents may fetch."""

import re

import pytest
from django.test import Client

from apps.accounts.models import AuditEntry
from apps.hosts.models import Host, HostState, JoinToken
from tests import factories

pytestmark = [pytest.mark.redis, pytest.mark.usefixtures("panel_redis_server", "panel_pki")]


def get(cast, who: str, path: str) -> int:
    return cast.client(getattr(cast, who)).get(path).status_code


@pytest.mark.parametrize(("who", "status"), [("viewer", 200), ("member", 200), ("stranger", 404)])
def test_a_host_is_there_for_its_team_alone(cast, who, status):
    assert get(cast, who, f"/hosts/{cast.host.uid}/") == status


def test_a_list_shows_the_teams_hosts_alone(cast):
    assert cast.host.name in cast.client(cast.viewer).get("/hosts/").content.decode()
    assert cast.host.name not in cast.client(cast.stranger).get("/hosts/").content.decode()


def test_the_list_does_not_query_for_each_host(cast, authority, django_assert_max_num_queries):
    for _ in range(10):
        factories.make_host(cast.team, authority)
    client = cast.client(cast.viewer)
    with django_assert_max_num_queries(7):
        client.get("/hosts/")


@pytest.mark.parametrize(("who", "status"), [("viewer", 403), ("stranger", 404)])
@pytest.mark.parametrize("act", ["rename", "revoke"])
def test_only_members_change_a_host(cast, who, status, act):
    data = {"name": "other", "confirm": cast.host.name}
    response = cast.client(getattr(cast, who)).post(f"/hosts/{cast.host.uid}/{act}/", data)
    assert response.status_code == status
    cast.host.refresh_from_db()
    assert (cast.host.state, cast.host.name) == (HostState.ONLINE, cast.host.name)


def test_a_member_renames_a_host(cast):
    cast.client(cast.member).post(f"/hosts/{cast.host.uid}/rename/", {"name": "garage"})
    assert Host.objects.get(pk=cast.host.pk).name == "garage"
    assert AuditEntry.objects.get(verb="rename").detail == f"was {cast.host.name}"


def test_a_host_is_removed_only_by_typing_its_name(cast):
    client = cast.client(cast.member)
    path = f"/hosts/{cast.host.uid}/revoke/"
    assert client.post(path, {"confirm": "wrong"}).status_code == 422
    assert client.post(path, {"confirm": cast.host.name}).status_code == 302
    assert Host.objects.get(pk=cast.host.pk).state == HostState.REVOKED


def test_a_viewer_cannot_make_a_join_line(cast):
    assert cast.client(cast.viewer).post("/hosts/add/").status_code == 403
    assert not JoinToken.objects.exists()


def test_a_join_line_pins_the_panel_and_is_shown_once(cast):
    client = cast.client(cast.member)
    shown = client.post("/hosts/add/").content.decode()
    assert re.search(r"--pinnedpubkey &#x27;sha256//[A-Za-z0-9+/]{43}=&#x27;", shown)
    [token] = set(re.findall(r"--token (\S+)", shown))
    assert token not in client.get("/hosts/add/").content.decode()
    assert JoinToken.objects.get().token_digest != token


def test_a_stranger_cannot_revoke_a_join_line(cast):
    cast.client(cast.member).post("/hosts/add/")
    token = JoinToken.objects.get()
    path = f"/hosts/tokens/{token.uid}/revoke/"
    assert cast.client(cast.stranger).post(path).status_code == 404
    assert cast.client(cast.viewer).post(path).status_code == 403
    assert cast.client(cast.member).post(path).status_code == 302
    token.refresh_from_db()
    assert not token.is_usable()


def test_agents_fetch_authority_and_installer_without_signing_in():
    assert b"BEGIN CERTIFICATE" in Client().get("/agent/ca.pem").content
    assert b"def main()" in Client().get("/agent/install.py").content


def test_only_wheels_and_their_sums_are_served(settings, tmp_path):
    settings.WHEELS_DIR = tmp_path / "wheels"
    settings.WHEELS_DIR.mkdir()
    (settings.WHEELS_DIR / "thing-1-py3-none-any.whl").write_bytes(b"wheel")
    (settings.WHEELS_DIR / "secret.txt").write_text("no")
    (tmp_path / "outside.whl").write_text("no")
    client = Client()
    assert client.get("/agent/wheels/").content == b"thing-1-py3-none-any.whl\n"
    assert client.get("/agent/wheels/thing-1-py3-none-any.whl").content == b"wheel"
    for name in ("secret.txt", "..%2Foutside.whl", "missing.whl"):
        assert client.get(f"/agent/wheels/{name}").status_code == 404
