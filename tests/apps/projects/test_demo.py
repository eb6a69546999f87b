"""The demo project of a new panel."""

import threading
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from django.db import connection

from agents.compose.load import check
from apps.hosts.models import Host
from apps.operations.models import Operation, OperationState
from apps.projects.demo import FOLDER, seed_demo
from apps.projects.models import Project
from apps.projects.starters import STARTERS, read_folder
from tests.waiting import wait_until


@pytest.mark.parametrize("folder", [FOLDER, *(starter.name for starter in STARTERS)], ids=str)
def test_every_example_can_be_deployed(folder):
    files = read_folder(folder) if isinstance(folder, Path) else find(folder).files
    checked = check({file.path: file.content for file in files}, project_name="example")
    assert checked.problems == ()


def find(name):
    return next(starter for starter in STARTERS if starter.name == name)


@pytest.fixture
def seeded(transactional_db, cast, panel_redis_server, panel_pki):
    """Seed in a thread, as the host's answer has to come while the command waits."""
    results = []

    def run():
        try:
            call_command("seed_demo", wait=20.0)
            results.append(None)
        except CommandError as error:
            results.append(error)
        finally:
            connection.close()

    thread = threading.Thread(target=run)
    thread.start()
    wait_until(lambda: Operation.objects.exists(), "the demo's operation")
    yield results, thread
    thread.join(timeout=20)


@pytest.mark.redis
def test_it_is_deployed_once(seeded, cast):
    results, thread = seeded
    wait_until(lambda: Operation.objects.get().state == OperationState.SENT, "the command")
    Operation.objects.update(state=OperationState.SUCCEEDED)
    thread.join(timeout=20)
    assert results == [None]
    again = seed_demo(1.0)
    assert (again, Operation.objects.count()) == (Project.objects.get(name="demo"), 1)


@pytest.mark.redis
def test_a_failure_is_told_with_its_reason(seeded, cast):
    results, thread = seeded
    errors = '[{"code":"conflict","message":"Port 8088 is taken."}]'
    wait_until(lambda: Operation.objects.get().state == OperationState.SENT, "the command")
    Operation.objects.update(state=OperationState.FAILED, errors_json=errors)
    thread.join(timeout=20)
    assert "Port 8088 is taken." in str(results[0])


def test_a_removed_demo_does_not_come_back(cast):
    project = Project.objects.create(team=cast.team, host=cast.host, name="demo", removed_at=None)
    Project.objects.update(removed_at=project.created_at)
    assert seed_demo(1.0) == project
    assert not Operation.objects.exists()


def test_without_a_host_it_says_so(db):
    Host.objects.all().delete()
    with pytest.raises(CommandError, match="No host came online in time"):
        call_command("seed_demo", wait=0.0)
