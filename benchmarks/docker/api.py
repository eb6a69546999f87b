"""Docker's HTTP API over its Unix socket; see https://docs.docker.com/reference/api/engine/."""

import http.client
import json
import socket
import threading
from pathlib import Path
from typing import Any

TIMEOUT = 60.0


class _Connection(http.client.HTTPConnection):
    """HTTP over a Unix socket."""

    def __init__(self, path: Path) -> None:
        super().__init__("localhost", timeout=TIMEOUT)
        self._path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(TIMEOUT)
        self.sock.connect(str(self._path))


class DockerApi:
    """A client with one lasting connection for each thread."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._local = threading.local()

    def call(self, method: str, path: str, body: object = None) -> Any:
        """Make one call with a JSON body and return the answer's JSON, None if it is empty.

        Raises RuntimeError with what Docker says.
        """
        data = None if body is None else json.dumps(body).encode()
        answer = self.send(method, path, data, "application/json")
        return json.loads(answer) if answer else None

    def send(self, method: str, path: str, data: bytes | None, kind: str) -> bytes:
        """Make one call and return what it answers as it is."""
        connection = self._connection()
        connection.request(method, path, body=data, headers={"Content-Type": kind})
        response = connection.getresponse()
        answer = response.read()
        if response.status >= 400:
            raise RuntimeError(f"{method} {path}: {response.status} {answer.decode()}")
        return answer

    def is_up(self) -> bool:
        """Return whether anybody answers."""
        try:
            return self.send("GET", "/_ping", None, "") == b"OK"
        except OSError:
            self.close()
            return False

    def close(self) -> None:
        """End the calling thread's connection; the next call makes another. Idempotent."""
        if hasattr(self._local, "connection"):
            self._local.connection.close()

    def _connection(self) -> _Connection:
        if not hasattr(self._local, "connection"):
            self._local.connection = _Connection(self._path)
        connection: _Connection = self._local.connection
        return connection
