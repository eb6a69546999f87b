"""Joining over HTTPS, with the panel's part played by a small HTTPS server."""

import hashlib
import http.server
import json
import secrets
import ssl
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from cryptography import x509

from agents import config
from agents.__main__ import main
from agents.enrolment import JoinRequest, join
from agents.errors import ConflictError, EnrolmentError, InvalidInputError, UnreachableError
from tests.certificates import Authority, public_pem

TOKEN = "one-time"  # a token of the test's own server


class EnrolmentServer(http.server.ThreadingHTTPServer):
    """Signs requests that bear the token, as the panel does."""

    def __init__(self, authority: Authority) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.authority = authority
        self.requests: list[dict[str, object]] = []
        pair = authority.issue("panel")
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(pair.certificate, pair.key)
        self.socket = context.wrap_socket(self.socket, server_side=True)

    @property
    def url(self) -> str:
        return f"https://127.0.0.1:{self.server_address[1]}"

    @property
    def pin(self) -> str:
        der = ssl.PEM_cert_to_DER_cert(self.authority.certificate.read_text())
        return hashlib.sha256(der).hexdigest()

    def handle_error(self, request, client_address) -> None:
        """A client that breaks the handshake off is what some tests want."""


class Handler(http.server.BaseHTTPRequestHandler):
    server: EnrolmentServer

    def do_GET(self):
        self._answer(200, self.server.authority.certificate.read_bytes())

    def do_POST(self):
        request = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.server.requests.append(request)
        if request["token"] != TOKEN:
            problem = {"code": "token", "message": "the join token is not valid", "hint": "Ask."}
            return self._answer(403, json.dumps(problem).encode())
        uid = secrets.token_hex(16)
        pem = request["certificate_request"]
        reply = {
            "host_uid": uid,
            "redis_urls": ["rediss://127.0.0.1:1"],
            "redis_username": f"host-{uid}",
            "panel_key": public_pem(x509.load_pem_x509_csr(pem.encode()).public_key()).decode(),
            "ca_certificate": self.server.authority.certificate.read_text(),
            "certificate": self.server.authority.sign_request(pem, uid),
        }
        return self._answer(200, json.dumps(reply).encode())

    def _answer(self, status: int, body: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_) -> None:
        pass


@pytest.fixture
def panel(tmp_path: Path) -> Iterator[EnrolmentServer]:
    server = EnrolmentServer(Authority(tmp_path / "pki"))
    thread = threading.Thread(target=server.serve_forever, args=(0.05,))
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


def request(server: EnrolmentServer, root: Path, **changes) -> JoinRequest:
    recipe = {"panel": server.url, "token": TOKEN, "root": root, "run": root / "run"}
    return JoinRequest(**{**recipe, "ca_sha256": server.pin, **changes})


def test_joining_writes_private_files_that_work(panel: EnrolmentServer, tmp_path: Path):
    made = join(request(panel, tmp_path / "agent", name="far"))
    loaded = config.load(tmp_path / "agent/agent.json")
    assert (loaded.uid, loaded.name) == (made.uid, "far")
    for path in (made.private_key, made.root / "agent.json"):
        assert path.stat().st_mode & 0o077 == 0
    certificate = x509.load_pem_x509_certificate(made.certificate.read_bytes())
    assert certificate.public_key() == made.load_private_key().public_key()
    assert made.load_panel_key()


def test_neither_the_key_nor_the_password_leaves_the_host(panel: EnrolmentServer, tmp_path: Path):
    made = join(request(panel, tmp_path / "agent"))
    told = json.dumps(panel.requests)
    password = made.redis_password.reveal()
    assert password not in told
    assert "PRIVATE" not in told
    assert hashlib.sha256(password.encode()).hexdigest() in told


def test_joining_again_changes_nothing(panel: EnrolmentServer, tmp_path: Path):
    first = join(request(panel, tmp_path / "agent"))
    again = join(request(panel, tmp_path / "agent", token="used up"))
    assert again.uid == first.uid
    assert len(panel.requests) == 1


def test_joining_another_panel_is_refused(panel: EnrolmentServer, tmp_path: Path):
    join(request(panel, tmp_path / "agent"))
    with pytest.raises(ConflictError, match="already joined"):
        join(request(panel, tmp_path / "agent", panel="https://other.example"))


def test_a_bad_token_is_told_in_the_panels_words(panel: EnrolmentServer, tmp_path: Path):
    with pytest.raises(EnrolmentError, match="not valid"):
        join(request(panel, tmp_path / "agent", token="wrong"))
    assert not (tmp_path / "agent/agent.json").exists()


def test_a_panel_with_another_ca_gets_no_token(panel: EnrolmentServer, tmp_path: Path):
    with pytest.raises(EnrolmentError, match="not the one"):
        join(request(panel, tmp_path / "agent", ca_sha256="0" * 64))
    assert panel.requests == []


def test_without_a_pin_an_unknown_ca_is_not_trusted(panel: EnrolmentServer, tmp_path: Path):
    with pytest.raises(UnreachableError, match="not to be trusted"):
        join(request(panel, tmp_path / "agent", ca_sha256=""))
    assert panel.requests == []


def test_plain_http_is_refused(panel: EnrolmentServer, tmp_path: Path):
    with pytest.raises(InvalidInputError):
        join(request(panel, tmp_path / "agent", panel="http://panel.example"))


def test_the_command_line_joins_says_so_and_leaves(panel: EnrolmentServer, tmp_path: Path, capsys):
    root = str(tmp_path / "agent")
    path = f"{root}/agent.json"
    assert main(["status", "--config", path]) == 3
    arguments = ["--panel", panel.url, "--token", TOKEN, "--ca-sha256", panel.pin, "--root", root]
    assert main(["join", *arguments, "--run", f"{root}/run", "--name", "far"]) == 0
    assert "This host is far" in capsys.readouterr().out
    assert main(["status", "--config", path]) == 3
    assert "stopped" in capsys.readouterr().out
    assert main(["leave", "--config", path]) == 0
    assert main(["leave", "--config", path]) == 0
    assert list((tmp_path / "agent/pki").iterdir()) == []


def test_errors_of_the_command_line_are_one_sentence(tmp_path: Path):
    argv = [sys.executable, "-m", "agents", "run", "--config", str(tmp_path / "agent.json")]
    done = subprocess.run(argv, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert done.stderr.startswith("webpanel-agent: the file")
    assert len(done.stderr.splitlines()) == 1


def test_the_agent_needs_nothing_of_the_panel():
    """Importing Django or the panel is barred, and the agent's worker still loads."""
    code = """
import sys
class Bar:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in {"django", "channels", "apps", "webpanel"}:
            raise ImportError(name)
sys.meta_path.insert(0, Bar())
import agents.__main__, agents.worker.process, agents.worker.logs, agents.enrolment
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
