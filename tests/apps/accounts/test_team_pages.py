"""Who may open and do what on the pages of the team."""

import re

import pytest
from django.test import Client

from apps.accounts import actions
from apps.accounts.models import AuditEntry, Invitation, Membership, Role, User
from apps.accounts.setup import owner_exists, renew_setup_token
from tests import factories

CHOICE = {"username": "grace", "password": "a-long-one-7", "repeated": "a-long-one-7"}


def test_somebody_who_is_not_signed_in_is_sent_to_the_sign_in_page(db):
    response = Client().get("/team/")
    assert response.url == "/accounts/login/?next=/team/"


def test_the_first_owner_comes_in_by_the_setup_link(db):
    client = Client()
    link = f"/setup/{renew_setup_token().reveal()}/"
    assert client.get(link).status_code == 200
    assert client.post(link, CHOICE).url == "/"
    assert User.objects.get().username == "grace"
    assert owner_exists()
    assert client.get("/team/").status_code == 200


def test_the_setup_link_works_once(db):
    link = f"/setup/{renew_setup_token().reveal()}/"
    Client().post(link, CHOICE)
    response = Client().get(link)
    assert response.status_code == 410
    assert "used or revoked" in response.content.decode()


def test_a_new_setup_link_ends_the_one_before(db):
    first = renew_setup_token().reveal()
    renew_setup_token()
    assert Client().get(f"/setup/{first}/").status_code == 410


def test_an_owner_makes_every_open_setup_link_worthless(cast):
    assert Client().get(f"/setup/{renew_setup_token().reveal()}/").status_code == 410


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"password": "short", "repeated": "short"}, "too short"),
        ({"repeated": "another-one-7"}, "differ"),
        ({"username": "bad name"}, "valid username"),
    ],
)
def test_a_wrong_choice_is_told_and_makes_nobody(db, changes, words):
    link = f"/setup/{renew_setup_token().reveal()}/"
    response = Client().post(link, {**CHOICE, **changes})
    assert response.status_code == 422
    assert words in response.content.decode()
    assert not User.objects.exists()


def test_an_owner_invites_and_the_link_lets_one_person_in(cast):
    page = cast.client(cast.owner).post("/team/invite/", {"role": "viewer", "note": "Grace"})
    [path] = re.findall(r"/join/[^/<]+/", page.content.decode())
    assert Client().post(path, CHOICE).url == "/"
    assert Membership.objects.get(user__username="grace", team=cast.team).role == Role.VIEWER
    assert Client().post(path, {**CHOICE, "username": "second"}).status_code == 410
    assert AuditEntry.objects.filter(verb="invite", actor=cast.owner).exists()


@pytest.mark.parametrize("who", ["member", "viewer"])
def test_only_owners_manage_the_team(cast, who):
    client = cast.client(getattr(cast, who))
    membership = Membership.objects.get(user=cast.viewer)
    actions.invite(cast.owner, cast.team, Role.MEMBER)
    invitation = Invitation.objects.get()
    for path in (
        "/team/invite/",
        f"/team/members/{membership.pk}/role/",
        f"/team/members/{membership.pk}/remove/",
        f"/team/invitations/{invitation.pk}/revoke/",
    ):
        assert client.post(path, {"role": "owner"}).status_code == 403, path
    assert Membership.objects.get(user=cast.viewer).role == Role.VIEWER


def test_a_stranger_finds_no_member_of_the_team(cast):
    membership = Membership.objects.get(user=cast.viewer)
    client = cast.client(cast.stranger)
    assert client.post(f"/team/members/{membership.pk}/remove/").status_code == 404
    assert str(cast.owner) not in client.get("/team/").content.decode()


def test_an_owner_changes_a_role_and_removes_a_member(cast):
    client = cast.client(cast.owner)
    membership = Membership.objects.get(user=cast.viewer)
    client.post(f"/team/members/{membership.pk}/role/", {"role": "member"})
    assert Membership.objects.get(pk=membership.pk).role == Role.MEMBER
    client.post(f"/team/members/{membership.pk}/remove/")
    assert not Membership.objects.filter(pk=membership.pk).exists()


@pytest.mark.parametrize("end", ["role", "remove"])
def test_who_is_no_owner_any_more_has_no_way_back_by_an_older_link(cast, end):
    second = factories.make_member(cast.team, Role.OWNER)
    token = actions.invite(second, cast.team, Role.OWNER).reveal()
    kept = actions.invite(cast.owner, cast.team, Role.VIEWER).reveal()
    membership = Membership.objects.get(user=second)
    if end == "role":
        actions.change_role(cast.owner, membership, Role.VIEWER)
    else:
        actions.remove_member(cast.owner, membership)
    assert Client().get(f"/join/{token}/").status_code == 410
    assert Client().get(f"/join/{kept}/").status_code == 200


def test_the_last_owner_stays(cast):
    membership = Membership.objects.get(user=cast.owner)
    response = cast.client(cast.owner).post(f"/team/members/{membership.pk}/remove/")
    assert response.status_code == 409
    assert "only owner" in response.content.decode()
    assert Membership.objects.filter(pk=membership.pk).exists()


def test_somebody_with_an_account_joins_a_second_team(cast):
    token = actions.invite(cast.owner, cast.team, Role.MEMBER).reveal()
    assert cast.client(cast.stranger).post(f"/join/{token}/").url == "/"
    assert Membership.objects.filter(user=cast.stranger).count() == 2


def test_nobody_signs_up_by_themselves(db):
    response = Client().post("/accounts/signup/", {**CHOICE, "password1": CHOICE["password"]})
    assert response.status_code == 200
    assert not User.objects.exists()


def test_signing_in_and_failing_to_are_on_record(cast):
    cast.owner.set_password("a-long-one-7")
    cast.owner.save()
    for password in ("wrong", "a-long-one-7"):
        credentials = {"login": cast.owner.username, "password": password}
        Client().post("/accounts/login/", credentials)
    verbs = list(AuditEntry.objects.filter(actor=cast.owner).values_list("verb", flat=True))
    assert verbs == ["sign in", "fail to sign in"]


def test_the_audit_log_shows_the_teams_entries_alone(cast):
    actions.invite(cast.owner, cast.team, Role.MEMBER, note="for Grace")
    assert "for Grace" in cast.client(cast.viewer).get("/audit/").content.decode()
    assert "for Grace" not in cast.client(cast.stranger).get("/audit/").content.decode()


def test_the_audit_log_is_searched(cast):
    actions.invite(cast.owner, cast.team, Role.MEMBER, note="for Grace")
    client = cast.client(cast.owner)
    assert "for Grace" in client.get("/audit/", {"q": "grace invit"}).content.decode()
    assert "for Grace" not in client.get("/audit/", {"q": "nobody"}).content.decode()
    assert "for Grace" not in client.get("/audit/", {"verb": "deploy"}).content.decode()


def test_a_long_audit_log_is_read_page_by_page(cast, django_assert_max_num_queries):
    for number in range(60):
        actions.invite(cast.owner, cast.team, Role.MEMBER, note=f"number {number}.")
    client = cast.client(cast.owner)
    with django_assert_max_num_queries(6):
        first = client.get("/audit/").content.decode()
    [older] = re.findall(r"before=(\d+)", first)
    second = client.get("/audit/", {"before": older}).content.decode()
    assert "number 59." in first
    assert "number 0." in second
    assert "number 59." not in second


def test_the_team_page_does_not_query_for_each_member(cast, django_assert_max_num_queries):
    for _ in range(10):
        factories.make_member(cast.team, Role.VIEWER)
    client = cast.client(cast.owner)
    with django_assert_max_num_queries(9):
        client.get("/team/")


@pytest.mark.parametrize(
    "path",
    [
        "/settings/",
        "/accounts/password/change/",
        "/accounts/2fa/",
        "/accounts/logout/",
    ],
)
def test_everybody_manages_their_own_account(cast, path):
    cast.viewer.set_password("a-long-one-7")
    cast.viewer.save()
    assert cast.client(cast.viewer).get(path).status_code == 200
