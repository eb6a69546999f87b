"""Every address of the panel, asked by everybody: a new one must be put into the tables here."""

import re
from collections.abc import Iterator

import pytest
from django.core.cache import cache
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver

from apps.accounts.models import Invitation, Membership
from apps.hosts import joining
from apps.operations.models import Operation, OperationState
from apps.projects.actions import FilesAndVariables, deploy_project
from apps.services.observation import observe_container
from tests import factories
from tests.observed import make_project, make_record

pytestmark = [pytest.mark.redis, pytest.mark.usefixtures("panel_redis_server", "panel_pki")]

# Anybody may ask these; what is behind them is secret in itself (a token) or no secret.
FOR_ALL = {"setup", "join", "password", "healthz"}
# Of a person's own, or of the own team's things: lists, in which others' are left out.
OWN = {"", "styleguide", "settings/", "team/", "audit/", "hosts/", "operations/", "projects/"}
# A person of any team begins something of their own here.
BEGIN = {"hosts/add/", "projects/new/", "team/invite/"}
# Asked by POST, but they change nothing.
READS = {"projects/<str:uid>/files/check/", "projects/<str:uid>/files/plan/"}


@pytest.fixture(autouse=True)
def nobody_has_tried_yet() -> Iterator[None]:
    """Failed sign-ins are counted in the cache, which outlives a test."""
    cache.clear()
    yield
    cache.clear()


def addresses(patterns=None, prefix="") -> Iterator[str]:
    for each in get_resolver().url_patterns if patterns is None else patterns:
        text = prefix + str(each.pattern)
        if isinstance(each, URLResolver):
            yield from addresses(each.url_patterns, text)
        elif isinstance(each, URLPattern) and not text.startswith(("accounts/", "agent/")):
            yield text


ALL = [each for each in addresses() if each.split("/")[0] not in FOR_ALL]
ONE_THING = [each for each in ALL if each not in OWN | BEGIN]


@pytest.fixture
def things(cast) -> dict[str, str]:
    """One of each thing of the team, by the word that stands for it in addresses."""
    project = make_project(cast.host, "shop")
    deploy_project(cast.member, project, FilesAndVariables(files=project.draft.files))
    record = make_record()
    observe_container(cast.host, record, 1.0)
    invitation = Invitation.objects.create(
        team=cast.team, role="viewer", token_digest="x", expires_at=cast.team.created_at
    )
    return {
        "projects": project.uid,
        "hosts": cast.host.uid,
        "operations": factories.make_operation(cast.host, state=OperationState.RUNNING).uid,
        "tokens": joining.create_join_token(cast.member, cast.team).record.uid,
        "invitations": str(invitation.pk),
        "members": str(Membership.objects.get(user=cast.member).pk),
        "host_uid": cast.host.uid,
        "container_id": record.id,
        "action": "stop",
        "number": "1",
    }


def fill(address: str, things: dict[str, str]) -> str:
    """Put a real thing in each place, so that an address answers if one may."""

    def thing(place: re.Match[str]) -> str:
        word, folder = place[1], address[: place.start()].rstrip("/").split("/")[-1]
        return things.get(word) or things[folder]

    return "/" + re.sub(r"<\w+:(\w+)>", thing, address)


def answers(client: Client, address: str) -> list[int]:
    """The statuses to GET and POST; 405 is left out."""
    found = (client.get(address).status_code, client.post(address, {}).status_code)
    return [status for status in found if status != 405]


@pytest.mark.parametrize("address", ALL)
def test_who_is_not_signed_in_is_sent_to_sign_in(things, address):
    for method in ("get", "post"):
        answer = getattr(Client(), method)(fill(address, things))
        if answer.status_code != 405:
            assert answer.status_code == 302
            assert answer["Location"].startswith("/accounts/login/?next=")


@pytest.mark.parametrize("address", ONE_THING)
def test_a_stranger_finds_nothing(cast, things, address):
    before = Operation.objects.count()
    assert set(answers(cast.client(cast.stranger), fill(address, things))) == {404}
    assert Operation.objects.count() == before


@pytest.mark.parametrize("address", sorted({*ALL} - READS))
def test_a_viewer_changes_nothing(cast, things, address):
    before = Operation.objects.count()
    answer = cast.client(cast.viewer).post(fill(address, things), {})
    assert answer.status_code in {403, 405}
    assert Operation.objects.count() == before


@pytest.mark.parametrize("address", ALL)
def test_no_form_is_taken_from_another_site(cast, things, address):
    client = Client(enforce_csrf_checks=True)
    client.force_login(cast.owner)
    assert client.post(fill(address, things), {}).status_code == 403


@pytest.mark.parametrize(
    "page", ["/", "/hosts/", "/operations/", "/projects/", "/team/", "/audit/"]
)
def test_a_stranger_s_lists_have_nothing_of_the_team(cast, things, page):
    text = cast.client(cast.stranger).get(f"/{page}").text
    for word in ("projects", "hosts", "operations", "container_id"):
        assert things[word] not in text
    assert cast.host.name not in text
    assert cast.member.username not in text


@pytest.mark.parametrize("elsewhere", ["https://elsewhere.example/", "//elsewhere.example"])
def test_signing_in_leads_to_no_other_site(cast, client, elsewhere):
    cast.viewer.set_password("a long enough password")
    cast.viewer.save()
    form = {"login": cast.viewer.username, "password": "a long enough password"}
    answer = client.post("/accounts/login/", {**form, "next": elsewhere})
    assert (answer.status_code, answer["Location"]) == (302, "/")


def test_a_password_is_not_guessed_for_long(cast, client):
    form = {"login": cast.owner.username, "password": "wrong"}
    pages = [client.post("/accounts/login/", form) for _ in range(12)]
    assert "Too many" in pages[-1].text or pages[-1].status_code == 429


@pytest.mark.parametrize("secure", [True, False])
def test_the_session_s_cookie_is_for_the_panel_alone(cast, client, secure):
    cast.viewer.set_password("a long enough password")
    cast.viewer.save()
    form = {"login": cast.viewer.username, "password": "a long enough password"}
    cookie = client.post("/accounts/login/", form, secure=secure).cookies["sessionid"]
    assert (bool(cookie["secure"]), cookie["httponly"], cookie["samesite"]) == (secure, True, "Lax")


def test_a_name_that_is_not_the_panel_s_is_refused(client):
    assert client.get("/", headers={"host": "elsewhere.example"}).status_code == 400
