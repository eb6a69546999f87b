"""The benchmarks' own client of Docker's API, against a server on a Unix socket."""

import socketserver
import threading
from collections.abc import Iterator
from contextlib import closing
from http.server import BaseHTTPRequestHandler
from pathlib import Path

import pytest

from benchmarks.docker.api import DockerApi


class Handler(BaseHTTPRequestHandler):
    """Answers with what it was asked; refuses what is called ``missing``."""

    protocol_version = "HTTP/1.1"

    def address_string(self) -> str:
        return "unix"

    def log_message(self, *_: object) -> None:
        return

    def do_GET(self) -> None:
        self._answer(200, b"OK")

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"] or 0))
        self._answer(404 if self.path == "/missing" else 201, body)

    def do_DELETE(self) -> None:
        self._answer(204, b"")

    def _answer(self, status: int, body: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


class Server(socketserver.ThreadingMixIn, socketserver.UnixStreamServer):
    """A server of a Unix socket with a thread for each connection."""

    daemon_threads = True


@pytest.fixture
def api(path: Path) -> Iterator[DockerApi]:
    with closing(DockerApi(path)) as made:
        yield made


@pytest.fixture
def path(tmp_path: Path) -> Iterator[Path]:
    with Server(str(tmp_path / "sock"), Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield tmp_path / "sock"
        server.shutdown()
        thread.join()


def test_json_goes_in_and_comes_out(api: DockerApi) -> None:
    assert api.call("POST", "/containers/create", {"Image": "x"}) == {"Image": "x"}


def test_an_empty_answer_is_nothing(api: DockerApi) -> None:
    assert [api.call("DELETE", "/containers/x") for _ in range(2)] == [None, None]


def test_what_docker_refuses_is_an_error_that_says_why(api: DockerApi) -> None:
    with pytest.raises(RuntimeError, match=r"POST /missing: 404 .*no such"):
        api.call("POST", "/missing", {"message": "no such container"})


def test_a_server_that_is_not_there_is_not_up(api: DockerApi, tmp_path: Path) -> None:
    assert api.is_up()
    assert not DockerApi(tmp_path / "nobody").is_up()
