"""Links by which somebody chooses a new password."""

import io
import re

import pytest
from django.core.management import CommandError, call_command
from django.test import Client

from apps.accounts.models import AuditEntry, Membership, Role
from apps.accounts.passwords import find_user, make_password_path
from tests import factories

NEW = {"password": "another-long-one-8", "repeated": "another-long-one-8"}


def membership_of(person):
    return Membership.objects.get(user=person)


def opens(text: str) -> str:
    """Return the name of the one whose link stands in a text; a token tells its second."""
    pk, token = re.search(r"/password/(\d+)/([^/]+)/", text).groups()
    return find_user(int(pk), token).username


def offer(client, person):
    return client.post(f"/team/members/{membership_of(person).pk}/password/")


def test_an_owner_gets_a_link_for_a_member_and_it_is_on_record(cast):
    response = offer(cast.client(cast.owner), cast.member)
    assert opens(response.content.decode()) == cast.member.username
    entry = AuditEntry.objects.get(verb="offer password")
    assert (entry.actor, entry.target_uid) == (cast.owner, cast.member.username)


@pytest.mark.parametrize(("who", "status"), [("member", 403), ("viewer", 403), ("stranger", 404)])
def test_nobody_else_gets_one(cast, who, status):
    assert offer(cast.client(getattr(cast, who)), cast.member).status_code == status


def test_an_owner_cannot_take_over_who_is_in_another_team_too(cast):
    path = f"/team/members/{membership_of(cast.member).pk}/password/"
    Membership.objects.create(team=factories.make_team(), user=cast.member, role=Role.OWNER)
    assert cast.client(cast.owner).post(path).status_code == 403


def test_the_link_changes_the_password_once_and_ends_sessions(cast):
    signed_in = cast.client(cast.member)
    path = make_password_path(cast.member)
    assert Client().post(path, NEW).url == "/accounts/login/"
    assert Client().login(username=cast.member.username, password=NEW["password"])
    assert signed_in.get("/team/").status_code == 302
    assert Client().get(path).status_code == 410


def test_a_weak_password_is_refused_and_the_link_still_works(cast):
    path = make_password_path(cast.member)
    response = Client().post(path, {"password": "short", "repeated": "short"})
    assert response.status_code == 422
    assert "too short" in response.content.decode()
    assert Client().post(path, NEW).status_code == 302


def test_a_link_that_was_altered_is_refused(cast):
    path = make_password_path(cast.member)
    other = path.replace(f"/{cast.member.pk}/", f"/{cast.owner.pk}/", 1)
    assert Client().get(other).status_code == 410


def test_the_command_line_prints_a_link_for_an_owner(cast):
    out = io.StringIO()
    call_command("password_link", cast.owner.username, base_url="https://panel", stdout=out)
    assert out.getvalue().startswith("https://panel/password/")
    assert opens(out.getvalue()) == cast.owner.username


def test_the_command_line_says_who_is_not_there(db):
    with pytest.raises(CommandError, match="Nobody is called nobody"):
        call_command("password_link", "nobody")
