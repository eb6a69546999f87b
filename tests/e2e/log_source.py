"""A page with the log viewer alone, and a websocket that treats it badly."""

import contextlib
import json
import mimetypes
import threading
from pathlib import Path

import uvicorn
from django.template.loader import render_to_string

ROOT = Path(__file__).parents[2]
SERVICES = {"c-web": "web", "c-cache": "cache"}


class LogSource:
    """Serves ``count`` lines of each of two containers.

    ``trouble(connection, position)`` says what to do with the lines up to a position on the
    n-th connection: "send", "twice", "lose" or "hang up".
    """

    def __init__(self, count, trouble):
        self.count = count
        self.trouble = trouble
        self.connections = 0

    async def __call__(self, scope, receive, send):
        if scope["type"] == "http":
            await self._serve(scope["path"], send)
        elif scope["type"] == "websocket":
            await receive()
            await send({"type": "websocket.accept"})
            await self._stream(receive, send)

    async def _serve(self, path, send):
        file = ROOT / path.lstrip("/")
        body = file.read_bytes() if file.is_file() else page().encode()
        kind = mimetypes.guess_type(file.name)[0] or "text/html; charset=utf-8"
        headers = [(b"content-type", kind.encode())]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": body})

    async def _stream(self, receive, send):
        connection = self.connections
        self.connections += 1
        cursors = json.loads((await receive())["text"])["cursors"]
        await send_json(send, {"type": "status", "state": "live"})
        for lines in batches(cursors, self.count):
            what = self.trouble(connection, lines[-1]["p"])
            if what == "hang up":
                await send({"type": "websocket.close", "code": 1012})
                return
            for _ in range({"lose": 0, "twice": 2}.get(what, 1)):
                await send_json(send, {"type": "lines", "lines": lines})
        while (await receive())["type"] != "websocket.disconnect":
            pass


async def send_json(send, message):
    await send({"type": "websocket.send", "text": json.dumps(message)})


def batches(cursors, count):
    """Ten positions at a time, of both containers in turn."""
    for start in range(0, count, 10):
        lines = [
            line(container, position)
            for position in range(start + 1, start + 11)
            for container in SERVICES
            if position > cursors.get(container, 0)
        ]
        if lines:
            yield lines


def line(container, position):
    service = SERVICES[container]
    return {
        "c": container,
        "s": service,
        "n": 1,
        "p": position,
        "q": position - 1,
        "t": 1_700_000_000_000 + position,
        "o": "stdout",
        "x": f"<b>{service}</b> \x1b[32m{position}\x1b[0m",
    }


def page():
    """Everything of a page but its frame."""
    viewer = {"url": "/ws/logs/", "name": "shop"}
    return render_to_string("components/head.html") + render_to_string(
        "components/log_viewer.html", viewer
    )


@contextlib.contextmanager
def served(source):
    """Serve on a port that the kernel picks; yields the address."""
    config = uvicorn.Config(
        source, port=0, lifespan="off", log_level="error", ws="websockets-sansio"
    )
    server = uvicorn.Server(config)
    socket = config.bind_socket()
    socket.listen()
    thread = threading.Thread(target=server.run, kwargs={"sockets": [socket]}, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{socket.getsockname()[1]}/"
    finally:
        server.should_exit = True
        thread.join(10)
        socket.close()
