"""Who may open, cancel and retry operations."""

import msgspec
import pytest

from agents.protocol.events import ErrorInfo
from apps.operations.models import Operation, OperationState
from tests import factories


@pytest.fixture
def operation(cast):
    return factories.make_operation(cast.host, verb="deploy", target_name="shop")


@pytest.mark.parametrize(("who", "status"), [("viewer", 200), ("stranger", 404)])
def test_an_operation_is_there_for_its_team_alone(cast, operation, who, status):
    path = f"/operations/{operation.uid}/"
    assert cast.client(getattr(cast, who)).get(path).status_code == status


@pytest.mark.parametrize(("who", "status"), [("viewer", 403), ("stranger", 404), ("member", 302)])
def test_only_members_cancel(cast, operation, who, status):
    path = f"/operations/{operation.uid}/cancel/"
    assert cast.client(getattr(cast, who)).post(path).status_code == status
    operation.refresh_from_db()
    assert (operation.state == OperationState.CANCELLED) is (who == "member")


@pytest.mark.parametrize(("who", "status"), [("viewer", 403), ("stranger", 404), ("member", 302)])
def test_only_members_retry(cast, who, status):
    operation = factories.make_operation(cast.host, state=OperationState.FAILED)
    path = f"/operations/{operation.uid}/retry/"
    assert cast.client(getattr(cast, who)).post(path).status_code == status
    assert Operation.objects.filter(retry_of=operation).exists() is (who == "member")


def test_cancelling_what_has_ended_says_so(cast):
    operation = factories.make_operation(cast.host, state=OperationState.SUCCEEDED)
    response = cast.client(cast.member).post(f"/operations/{operation.uid}/cancel/")
    assert response.status_code == 409
    assert "has succeeded" in response.content.decode()


def test_all_further_errors_name_their_place(cast):
    errors = [
        ErrorInfo(code="x", message="first"),
        ErrorInfo(code="x", message="No such port", hint="Free it", file="compose.yml", line=7),
    ]
    operation = factories.make_operation(
        cast.host, state=OperationState.FAILED, errors_json=msgspec.json.encode(errors).decode()
    )
    page = cast.client(cast.viewer).get(f"/operations/{operation.uid}/").content.decode()
    assert "No such port" in page
    assert "compose.yml:7" in page
    assert "Free it" in page


def test_the_list_is_filtered_by_state(cast, operation):
    factories.make_operation(cast.host, state=OperationState.FAILED, target_name="bakery")
    client = cast.client(cast.viewer)
    active = client.get("/operations/", {"state": "active"}).content.decode()
    failed = client.get("/operations/", {"state": "failed"}).content.decode()
    assert ("shop" in active, "bakery" in active) == (True, False)
    assert ("shop" in failed, "bakery" in failed) == (False, True)


def test_the_list_does_not_query_for_each_operation(cast, django_assert_max_num_queries):
    for _ in range(20):
        factories.make_operation(cast.host)
    client = cast.client(cast.viewer)
    with django_assert_max_num_queries(7):
        client.get("/operations/")


def test_the_fragment_for_htmx_is_the_list_without_the_page(cast, operation):
    response = cast.client(cast.viewer).get("/operations/", headers={"HX-Request": "true"})
    assert "shop" in response.content.decode()
    assert "<html" not in response.content.decode()
