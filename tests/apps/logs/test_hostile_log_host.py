"""A host that publishes nonsense in place of lines."""

import pytest

from agents.protocol import keys
from apps.logs.consumers import TRY_AGAIN_LATER
from tests.apps.logs.conftest import Viewer

pytestmark = [pytest.mark.redis, pytest.mark.django_db(transaction=True)]


async def end_of(viewer: Viewer) -> int:
    """Return the code with which the panel ends the socket."""
    while (message := await viewer.socket.receive())["type"] != "websocket.close":
        pass
    return message["code"]


@pytest.mark.parametrize("line", ["nonsense", "{}", '{"container_id": 1}'])
async def test_what_is_no_line_ends_the_viewer_with_a_word(cast, stage, panel_redis_server, line):
    viewer = await Viewer(cast.viewer, stage.address).open({stage.web: 0})
    await viewer.until(lambda: viewer.told("status"))
    stream = keys.log(cast.host.uid, stage.web)
    panel_redis_server.admin().xadd(stream, {"l": line}, id="999999999-0")
    assert await end_of(viewer) == TRY_AGAIN_LATER
    await viewer.close()


async def test_a_log_that_is_no_stream_ends_the_viewer_with_a_word(cast, stage, panel_redis_server):
    panel_redis_server.admin().lpush(keys.log(cast.host.uid, stage.web), "a list")
    viewer = await Viewer(cast.viewer, stage.address).open({stage.web: 0})
    assert await end_of(viewer) == TRY_AGAIN_LATER
    await viewer.close()
