"""The processes of the panel, run for real: web, worker and beat on a Redis of their own."""

import json
import os
import signal
import ssl
import subprocess
import sys
import time
import urllib.error
import urllib.request
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from tests.redis_server import free_port

ROOT = Path(__file__).resolve().parents[2]
PROGRAMS = {
    "web": ["webpanel.serve"],
    "worker": ["celery", "-A", "webpanel", "worker", "--pool", "threads", "--concurrency", "2"],
    "beat": ["celery", "-A", "webpanel", "beat"],
}
START_SECONDS = 30.0

pytestmark = [pytest.mark.redis, pytest.mark.slow]


@pytest.fixture
def home(tmp_path, redis_process):
    """A panel that was set up, but is not running."""
    redis_process.admin().flushall()
    folder = tmp_path / "home"
    folder.mkdir()
    (folder / "secrets.json").write_text(json.dumps({"secret_key": "for this test"}))
    settings = {
        "WEBPANEL_HTTP_PORT": free_port(),
        "WEBPANEL_HTTPS_PORT": free_port(),
        "WEBPANEL_REDIS_URL": redis_process.admin_url,
    }
    (folder / "panel.env").write_text("".join(f"{k}={v}\n" for k, v in settings.items()))
    for words in (["init_pki"], ["migrate", "--verbosity", "0"]):
        command = [sys.executable, "manage.py", *words]
        subprocess.run(command, check=True, cwd=ROOT, env=environment(folder))
    return folder


def environment(home: Path) -> dict[str, str]:
    settings = {"DJANGO_SETTINGS_MODULE": "webpanel.settings.production"}
    return {**os.environ, **settings, "WEBPANEL_HOME": str(home)}


@contextmanager
def running(name: str, home: Path):
    words = [sys.executable, "-m", *PROGRAMS[name]]
    words += ["--schedule", str(home / "beat")] if name == "beat" else []
    with (home / f"{name}.log").open("wb") as log:
        process = subprocess.Popen(words, cwd=ROOT, env=environment(home), stdout=log, stderr=log)
    try:
        yield process
    finally:
        process.send_signal(signal.SIGTERM)
        assert process.wait(15) in (0, -signal.SIGTERM), (home / f"{name}.log").read_text()


def await_answer(url: str, context: ssl.SSLContext | None = None) -> dict[str, bool]:
    deadline = time.monotonic() + START_SECONDS
    while True:
        try:
            with urllib.request.urlopen(url, context=context, timeout=5) as reply:
                return json.load(reply)
        except (urllib.error.URLError, ConnectionError):
            assert time.monotonic() < deadline, f"{url} does not answer"
            time.sleep(0.05)


def port(home: Path, name: str) -> str:
    lines = dict(line.split("=", 1) for line in (home / "panel.env").read_text().splitlines())
    return lines[f"WEBPANEL_{name}_PORT"]


def resident_megabytes(process: subprocess.Popen) -> float:
    status = Path(f"/proc/{process.pid}/status").read_text()
    [line] = [line for line in status.splitlines() if line.startswith("VmRSS")]
    return int(line.split()[1]) / 1024


def test_web_answers_on_loopback_and_over_tls_and_all_fit_into_350_mb(home):
    trusting = ssl.create_default_context(cafile=str(home / "pki" / "ca.pem"))
    healthy = {"database": True, "redis": True}
    with ExitStack() as stack:
        programs = [stack.enter_context(running(name, home)) for name in PROGRAMS]
        assert await_answer(f"http://127.0.0.1:{port(home, 'HTTP')}/healthz") == healthy
        secure = f"https://127.0.0.1:{port(home, 'HTTPS')}/healthz"
        assert await_answer(secure, trusting) == healthy
        await_ready(home)
        used = sum(resident_megabytes(each) for each in programs)
    assert used < 350, f"{used:.0f} MB"


def await_ready(home: Path) -> None:
    """Wait until the worker has loaded all that it needs."""
    deadline = time.monotonic() + START_SECONDS
    while "ready" not in (home / "worker.log").read_text():
        assert time.monotonic() < deadline, (home / "worker.log").read_text()
        time.sleep(0.05)
