"""A real Redis for one test or session: own folder, unix socket, TLS port and ACL file.

with running_redis(tmp_path) as server:
    server.admin().ping()
    server.add_host(uid, password)
"""

import hashlib
import secrets
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import redis

from agents.protocol import keys
from tests.certificates import Authority

START_SECONDS = 10.0


def find_program() -> str | None:
    """Return the server: Debian's redis-tools has it as redis-check-rdb, which goes by argv[0]."""
    return shutil.which("redis-server") or shutil.which("redis-check-rdb")


class RedisServer:
    """One redis-server, stopped by its process number."""

    def __init__(self, folder: Path, *, persist: bool = False) -> None:
        self.folder = folder
        self.folder.mkdir(parents=True, exist_ok=True)
        self.authority = Authority(folder / "pki")
        self.socket = folder / "redis.sock"
        self.password = secrets.token_hex(16)
        self.port = free_port()
        self._persist = persist
        self._process: subprocess.Popen[bytes] | None = None
        self._admins: list[redis.Redis] = []
        acl = folder / "users.acl"
        acl.write_text(f"user default on >{self.password} ~* &* +@all\n")
        self._write_config(acl)

    @property
    def unix_url(self) -> str:
        return f"unix://{self.socket}"

    @property
    def tls_url(self) -> str:
        return f"rediss://127.0.0.1:{self.port}"

    @property
    def admin_url(self) -> str:
        """A URL for the panel's side, with the password."""
        return f"unix://:{self.password}@{self.socket}"

    def start(self) -> None:
        config = self.folder / "redis.conf"
        self._process = subprocess.Popen(
            ["redis-server", str(config)], executable=find_program(), stdin=subprocess.DEVNULL
        )
        deadline = time.monotonic() + START_SECONDS
        while not self._answers():
            assert self._process.poll() is None, (self.folder / "redis.log").read_text()
            assert time.monotonic() < deadline, "redis-server did not start"
            time.sleep(0.01)

    def stop(self) -> None:
        if self._process is not None:
            self._process.terminate()
            self._process.wait(timeout=START_SECONDS)
            self._process = None

    def admin(self) -> redis.Redis:
        """Return a client that may do everything; closed with the server."""
        client = redis.Redis(
            unix_socket_path=str(self.socket), password=self.password, decode_responses=True
        )
        self._admins.append(client)
        return client

    def close(self) -> None:
        for client in self._admins:
            client.close()
        self.stop()

    def add_host(self, uid: str, password: str) -> None:
        """Make the host's user as the panel does."""
        digest = hashlib.sha256(password.encode()).hexdigest()
        rules = keys.acl_rules(uid, digest)
        client = self.admin()
        client.execute_command("ACL", "SETUSER", keys.acl_user(uid), *rules)
        client.execute_command("ACL", "SAVE")

    def _answers(self) -> bool:
        client = redis.Redis(unix_socket_path=str(self.socket), password=self.password)
        try:
            return bool(client.ping())
        except redis.ConnectionError:
            return False
        finally:
            client.close()

    def _write_config(self, acl: Path) -> None:
        pair = self.authority.issue("redis")
        lines = [
            "port 0",
            f"tls-port {self.port}",
            "bind 127.0.0.1",
            f"unixsocket {self.socket}",
            "unixsocketperm 700",
            f"dir {self.folder}",
            f"logfile {self.folder}/redis.log",
            f"aclfile {acl}",
            f"tls-cert-file {pair.certificate}",
            f"tls-key-file {pair.key}",
            f"tls-ca-cert-file {self.authority.certificate}",
            "tls-auth-clients yes",
            f"appendonly {'yes' if self._persist else 'no'}",
            'save ""',
        ]
        (self.folder / "redis.conf").write_text("\n".join(lines) + "\n")


def free_port() -> int:
    """Return a TCP port that nobody listens on at the moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def running_redis(folder: Path, *, persist: bool = False) -> Iterator[RedisServer]:
    """Run a Redis of one's own in ``folder``; skips the test where there is none."""
    if find_program() is None:
        pytest.skip("neither redis-server nor redis-tools is installed")
    server = RedisServer(folder, persist=persist)
    try:
        server.start()
        yield server
    finally:
        server.close()
