"""The page of a container, and who may use its buttons."""

import msgspec
import pytest

from agents.protocol.commands import ContainerAction
from apps.operations.models import Operation
from apps.services.observation import observe_container
from tests.observed import make_record


@pytest.fixture
def container(cast):
    record = make_record("shop", "web", labels={"a": "<b>"})
    observe_container(cast.host, record, 1.0)
    return record


def address(cast, container, tail=""):
    return f"/containers/{cast.host.uid}/{container.id}/{tail}"


def test_a_viewer_sees_it_without_buttons(cast, container):
    page = cast.client(cast.viewer).get(address(cast, container))
    assert page.status_code == 200
    assert container.name in page.text
    assert "act/stop" not in page.text
    assert "&lt;b&gt;" in page.text


def test_its_port_is_a_link_to_where_the_browser_found_the_panel(cast, container):
    page = cast.client(cast.viewer).get(address(cast, container))
    assert 'href="http://testserver:18080/"' in page.text


def test_it_says_when_root_inside_is_root_on_the_host(cast, container):
    def shown(**fields):
        record = msgspec.structs.replace(container, sequence=shown.sequence, **fields)
        shown.sequence += 1
        observe_container(cast.host, record, 2.0)
        return cast.client(cast.viewer).get(address(cast, container)).text

    shown.sequence = container.sequence + 1
    assert "Isolation" not in shown()
    assert "root inside is nobody on the host" in shown(user_namespace="private")
    told = shown(user_namespace="host", user_namespace_reason="the container is privileged")
    assert "root on the host" in told
    assert "the container is privileged" in told


def test_it_says_what_it_was_not_given(cast, container):
    record = msgspec.structs.replace(
        container, sequence=container.sequence + 1, warnings=("No port is published: <why>.",)
    )
    observe_container(cast.host, record, 2.0)
    page = cast.client(cast.viewer).get(address(cast, container))
    assert "No port is published: &lt;why&gt;." in page.text


def test_a_stranger_does_not_find_it(cast, container):
    assert cast.client(cast.stranger).get(address(cast, container)).status_code == 404


def test_a_member_restarts_it(cast, container):
    answer = cast.client(cast.member).post(address(cast, container, "act/restart/"))
    operation = Operation.objects.get(target_kind="container")
    assert answer["Location"] == f"/operations/{operation.uid}/"
    command = operation.command
    assert isinstance(command, ContainerAction)
    assert (command.container_id, command.action) == (container.id, "restart")


def test_a_viewer_may_not_stop_it(cast, container):
    answer = cast.client(cast.viewer).post(address(cast, container, "act/stop/"))
    assert answer.status_code == 403
    assert not Operation.objects.exists()


def test_a_stranger_cannot_even_tell_that_it_is_there(cast, container):
    answer = cast.client(cast.stranger).post(address(cast, container, "act/stop/"))
    assert answer.status_code == 404


def test_an_unknown_action_is_refused(cast, container):
    answer = cast.client(cast.member).post(address(cast, container, "act/explode/"))
    assert answer.status_code == 400


@pytest.mark.parametrize(
    ("panel", "link"), [("127.0.0.1:8000", "localhost"), ("localhost:8443", "127.0.0.1")]
)
def test_on_loopback_no_link_takes_the_session_to_the_container(cast, container, panel, link):
    page = cast.client(cast.viewer).get(address(cast, container), headers={"host": panel})
    assert f'href="http://{link}:18080/"' in page.text
