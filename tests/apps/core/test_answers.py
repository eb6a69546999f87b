"""What every answer bears, and what is refused before it reaches a view."""

import json

import pytest
from django.test import Client

from apps.core.origin import is_same_origin
from apps.operations.models import OperationState
from tests import factories


def test_every_answer_has_a_strict_policy(cast):
    response = cast.client(cast.viewer).get("/team/")
    policy = response.headers["Content-Security-Policy"]
    assert "script-src 'self';" in policy
    assert "unsafe" not in policy
    assert response.headers["X-Frame-Options"] == "DENY"


def test_cookies_are_secure_on_a_secure_request(cast):
    client = cast.client(cast.viewer)
    cookies = client.get("/team/", secure=True).cookies
    assert all(cookie["secure"] for cookie in cookies.values())
    assert cookies["csrftoken"]["secure"]


def test_an_error_of_the_panel_reaches_htmx_as_a_toast(cast):
    operation = factories.make_operation(cast.host, state=OperationState.FAILED)
    response = cast.client(cast.member).post(
        f"/operations/{operation.uid}/cancel/", headers={"HX-Request": "true"}
    )
    assert response.status_code == 409
    toast = json.loads(response.headers["HX-Trigger"])["toast"]
    assert toast["title"] == "This operation has failed."


@pytest.mark.redis
def test_healthz_says_that_database_and_redis_answer(db, panel_redis_server):
    response = Client().get("/healthz")
    assert (response.status_code, response.json()) == (200, {"database": True, "redis": True})


def test_healthz_says_that_redis_is_away(db, settings, tmp_path):
    from apps.core.redis import redis_client

    settings.REDIS_URL = f"unix://{tmp_path}/nothing.sock"
    redis_client.cache_clear()
    response = Client().get("/healthz")
    redis_client.cache_clear()
    assert (response.status_code, response.json()["redis"]) == (503, False)


@pytest.mark.parametrize(
    ("origin", "host", "same"),
    [
        ("https://localhost:8443", "localhost:8443", True),
        ("http://127.0.0.1:8000", "127.0.0.1:8000", True),
        # A page that a container publishes on the panel's machine has its cookies.
        ("http://localhost:8088", "localhost:8443", False),
        ("https://evil.example", "localhost:8443", False),
        ("https://evil.example", "evil.example", False),
        ("", "localhost:8443", False),
        ("null", "localhost:8443", False),
    ],
)
def test_sockets_open_from_the_panels_own_pages_alone(origin, host, same):
    assert is_same_origin(origin.encode(), host.encode()) is same
