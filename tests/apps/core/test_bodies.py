"""Nobody can fill the disk with one long request."""

import pytest
from asgiref.sync import async_to_sync
from asgiref.testing import ApplicationCommunicator

from webpanel.asgi import application

PIECE = b"x" * 1000


@pytest.fixture(autouse=True)
def small_bound(settings):
    settings.DATA_UPLOAD_MAX_MEMORY_SIZE = 10 * len(PIECE)


async def post(pieces: int, *headers: tuple[bytes, bytes]) -> int:
    """Send pieces without end, as chunked transfer does; return the status."""
    scope = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": "POST",
        "path": "/agent/token",
        "query_string": b"",
        "headers": [(b"host", b"localhost"), *headers],
    }
    sender = ApplicationCommunicator(application, scope)
    for number in range(pieces):
        more = number < pieces - 1
        await sender.send_input({"type": "http.request", "body": PIECE, "more_body": more})
    status: int = (await sender.receive_output(5))["status"]
    await sender.wait(5)
    return status


@pytest.mark.django_db(transaction=True)
def test_a_short_body_is_taken():
    assert async_to_sync(post)(10) == 200


def test_a_body_longer_than_the_bound_is_refused_unread():
    assert async_to_sync(post)(100) == 413


def test_a_length_that_is_announced_is_refused_before_a_byte_came():
    assert async_to_sync(post)(0, (b"content-length", b"99999999")) == 413
