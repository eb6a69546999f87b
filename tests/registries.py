"""A real registry on loopback for tests, stopped by its process number."""

import json
import re
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from tests.certificates import Authority

PROGRAM = "docker-registry"
START_SECONDS = 15.0


@dataclass
class Registry:
    """One registry; ``name`` is how images' names begin."""

    folder: Path
    tls: Authority | None = None
    auth: dict[str, object] = field(default_factory=dict)
    name: str = ""

    @property
    def storage(self) -> Path:
        return self.folder / "storage"

    def blob(self, digest: str) -> Path:
        """Return the file of a blob on the registry's disk."""
        digits = digest.removeprefix("sha256:")
        return self.storage / f"docker/registry/v2/blobs/sha256/{digits[:2]}/{digits}/data"

    def log(self) -> str:
        """Return what the registry wrote, with a line for each request."""
        return (self.folder / "log").read_text()

    def write_config(self) -> Path:
        http: dict[str, object] = {"addr": "127.0.0.1:0", "secret": "for these tests"}
        if self.tls is not None:
            pair = self.tls.issue("registry")
            http["tls"] = {"certificate": str(pair.certificate), "key": str(pair.key)}
        config = {
            "version": 0.1,
            "log": {"level": "info", "formatter": "json"},
            "storage": {
                "filesystem": {"rootdirectory": str(self.storage)},
                "delete": {"enabled": True},
            },
            "http": http,
        }
        if self.auth:
            config["auth"] = self.auth
        path = self.folder / "config.yml"
        # JSON is YAML, too.
        path.write_text(json.dumps(config))
        return path


@contextmanager
def running_registry(
    folder: Path, *, tls: Authority | None = None, auth: dict[str, object] | None = None
) -> Iterator[Registry]:
    """Run a registry with its storage in ``folder``; skips the test where there is none."""
    if shutil.which(PROGRAM) is None:
        pytest.skip(f"{PROGRAM} is not installed")
    folder.mkdir(parents=True, exist_ok=True)
    registry = Registry(folder, tls, auth or {})
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(
            [PROGRAM, "serve", str(registry.write_config())],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
        )
    try:
        registry.name = wait_for_address(process, folder / "log")
        yield registry
    finally:
        process.terminate()
        process.wait(timeout=START_SECONDS)


def wait_for_address(process: subprocess.Popen, log: Path) -> str:
    """Return where it listens, once it does."""
    deadline = time.monotonic() + START_SECONDS
    while not (found := re.search(r"listening on (127\.0\.0\.1:\d+)", log.read_text())):
        assert process.poll() is None, log.read_text()
        assert time.monotonic() < deadline, f"{PROGRAM} did not start: {log.read_text()}"
        time.sleep(0.01)
    return found[1]


def htpasswd(folder: Path, username: str, password: str) -> dict[str, object]:
    """Return the settings for basic authentication with one user."""
    if shutil.which("htpasswd") is None:
        pytest.skip("htpasswd is not installed")
    made = subprocess.run(
        ["htpasswd", "-Bbn", username, password], capture_output=True, check=True, text=True
    )
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "htpasswd"
    path.write_text(made.stdout)
    return {"htpasswd": {"realm": "tests", "path": str(path)}}
