"""Two people, or two processes of the panel, do the same at the same moment.

Each act runs in a thread with a database connection of its own; SQLite and PostgreSQL must
come to the same end.
"""

import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from django.core.exceptions import PermissionDenied
from django.db import connection
from django.http import Http404
from django.utils import timezone

from agents.protocol import PROTOCOL_VERSION, keys
from agents.protocol.enrolment import EnrolmentRequest
from agents.protocol.events import OperationFinished, OperationStarted, ProjectApplied
from agents.protocol.records import AppliedProject
from apps.accounts import actions as team_actions
from apps.accounts.models import Membership, Role
from apps.core.errors import ConflictError, GoneError, PanelError
from apps.core.ids import new_uid
from apps.hosts import joining
from apps.hosts.models import Host
from apps.operations import actions, inbox, transitions
from apps.operations.models import Operation, OperationState
from apps.operations.sending import send_if_queued
from apps.projects.actions import FilesAndVariables, create_project, deploy_project
from apps.projects.models import Project
from tests import factories
from tests.certificates import certificate_request
from tests.observed import compose_files, make_project

pytestmark = [
    pytest.mark.redis,
    pytest.mark.django_db(transaction=True),
    pytest.mark.usefixtures("panel_redis_server", "panel_pki"),
]
CONTENT = FilesAndVariables(files=compose_files())


def together(*acts: Callable[[], object]) -> list[object]:
    """Begin all acts at once; return what each returned, or the refusal it raised."""
    barrier = threading.Barrier(len(acts))

    def run(act: Callable[[], object]) -> object:
        try:
            barrier.wait(10)
            return act()
        except (PanelError, PermissionDenied, Http404) as error:
            return error
        finally:
            connection.close()

    with ThreadPoolExecutor(len(acts)) as pool:
        return list(pool.map(run, acts))


def errors(results: list[object]) -> list[type]:
    return [type(each) for each in results if isinstance(each, PanelError)]


def test_an_operation_ends_once(cast):
    operation = factories.make_operation(cast.host, state=OperationState.RUNNING)

    def finish(state: str) -> bool:
        event = OperationFinished(operation_id=operation.uid, at=time.time(), state=state)
        own = Operation.objects.select_related("team").get(pk=operation.pk)
        return transitions.mark_finished(own, event, timezone.now())

    ends = ["succeeded", "failed", "cancelled", "failed"]
    changed = together(*(partial(finish, state) for state in ends))
    assert sorted(changed) == [False, False, False, True]
    operation.refresh_from_db()
    assert operation.state == ends[changed.index(True)]


def test_a_message_that_comes_twice_is_taken_once(cast):
    operation = factories.make_operation(cast.host, state=OperationState.SENT)
    event = OperationStarted(operation_id=operation.uid, at=time.time())
    sealed = factories.seal_event(cast.host, event)
    receive = partial(inbox.receive, cast.host, sealed)
    assert sorted(together(receive, receive, receive)) == [False, False, True]


def test_a_join_token_lets_one_host_in(cast):
    token = joining.create_join_token(cast.member, cast.team).token.reveal()
    request = EnrolmentRequest(
        token=token,
        hostname="builder",
        certificate_request=certificate_request(Ed25519PrivateKey.generate()),
        redis_password_sha256="0" * 64,
        agent_version="0.1.0",
        protocol_version=PROTOCOL_VERSION,
    )
    enrol = partial(joining.enrol_host, request)
    assert errors(together(enrol, enrol, enrol)) == [GoneError, GoneError]
    assert Host.objects.filter(name__startswith="builder").count() == 1


def test_two_deployments_get_a_revision_each(cast):
    project = make_project(cast.host)
    deploy = partial(deploy_project, cast.member, project, CONTENT)
    assert errors(together(deploy, deploy, deploy)) == []
    assert [each.number for each in project.revisions.all()] == [3, 2, 1]


def test_a_name_is_given_to_one_project(cast):
    create = partial(
        create_project, cast.member, team=cast.team, host=cast.host, name="shop", content=CONTENT
    )
    assert errors(together(create, create, create)) == [ConflictError, ConflictError]


def test_a_host_that_reports_a_project_and_a_person_who_makes_it_agree(cast):
    applied = AppliedProject(
        uid=new_uid(),
        name="shop",
        revision=1,
        files=compose_files(),
        applied_at=time.time(),
        applied_by="ada",
        operation_id=new_uid(),
    )
    event = ProjectApplied(operation_id="", at=time.time(), project=applied)
    receive = partial(inbox.receive, cast.host, factories.seal_event(cast.host, event))
    create = partial(
        create_project, cast.member, team=cast.team, host=cast.host, name="shop", content=CONTENT
    )
    assert together(receive, create)[0] is True
    assert Project.objects.called(cast.host, "shop").get().revisions.count() == 1


def test_two_owners_who_remove_each_other_leave_one(cast):
    other = factories.make_member(cast.team, Role.OWNER)
    rows = Membership.objects.filter(team=cast.team, role=Role.OWNER).select_related("team", "user")
    first, second = rows.get(user=cast.owner), rows.get(user=other)
    results = together(
        partial(team_actions.remove_member, cast.owner, second),
        partial(team_actions.remove_member, other, first),
    )
    # Who comes late is the only owner by then, or nobody any more.
    assert results.count(None) == 1
    assert rows.count() == 1


def test_what_is_cancelled_while_it_is_sent_is_cancelled_on_the_host_too(cast, panel_redis_server):
    operation = factories.make_operation(cast.host)
    send = partial(send_if_queued, operation.pk)
    together(send, partial(actions.cancel_operation, cast.member, operation))
    operation.refresh_from_db()
    assert operation.state in (OperationState.CANCELLED, OperationState.CANCELLING)
    [(_, fields)] = panel_redis_server.admin().xrange(keys.control(cast.host.uid))
    assert operation.uid in fields["m"]
