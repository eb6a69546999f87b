"""A registry that means harm, or is broken: it never learns more, and never breaks more."""

import hashlib
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from agents.config import Secret
from agents.engines.abilities.registries import Credentials
from agents.engines.native.images import busybox
from agents.engines.native.registry.client import Client
from agents.engines.native.registry.settings import Endpoint, Places
from agents.engines.native.registry.transport import Transport
from agents.errors import InvalidInputError, RegistryError
from tests.agents.native.image_files import needs_root
from tests.agents.native.registry.conftest import Shop

pytestmark = [needs_root, pytest.mark.root]

ANN = Credentials(username="ann", password=Secret("sesame"))
DEEP = b'{"schemaVersion":2,"x":' + b"[" * 200_000
Answer = Callable[[str, str], bytes]


@dataclass
class Evil:
    """Answers what it is told to, byte for byte; ``shown`` are the logins that it saw."""

    address: str = ""
    answer: Answer = lambda _method, _path: b""
    shown: list[str] = field(default_factory=list)


def says(status: int, body: bytes = b"", *headers: str) -> bytes:
    """The bytes of an answer."""
    lines = "".join(f"{one}\r\n" for one in headers)
    head = f"HTTP/1.1 {status} X\r\n{lines}Content-Length: {len(body)}\r\n\r\n"
    return head.encode("latin-1") + body


class _Handler(BaseHTTPRequestHandler):
    evil: Evil

    def _any(self) -> None:
        self.rfile.read(int(self.headers.get("Content-Length") or 0))
        self.evil.shown.append(self.headers.get("Authorization", ""))
        self.close_connection = True
        self.wfile.write(self.evil.answer(self.command, self.path))

    do_GET = do_HEAD = do_POST = do_PUT = do_DELETE = _any

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def evils() -> Iterator[tuple[Evil, Evil]]:
    made = (Evil(), Evil())
    servers = []
    for one in made:
        handler = type("Handler", (_Handler,), {"evil": one})
        servers.append(ThreadingHTTPServer(("127.0.0.1", 0), handler))
        one.address = f"127.0.0.1:{servers[-1].server_port}"
        threading.Thread(target=servers[-1].serve_forever, args=(0.05,), daemon=True).start()
    yield made
    for server in servers:
        server.shutdown()
        server.server_close()


ANSWERS = {
    "a chunk of no size": b"HTTP/1.1 200 X\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n{",
    "a document without a bottom": says(200, DEEP),
    "an error without a bottom": says(400, DEEP),
    "an address that is none": says(307, b"", "Location: http://[bad"),
    "a file of the host": says(307, b"", "Location: file:///etc/passwd"),
    "a realm that is none": says(401, b"", 'WWW-Authenticate: Bearer realm="http://[bad"'),
    "a realm in a file": says(401, b"", 'WWW-Authenticate: Bearer realm="file:///etc/passwd"'),
}


@pytest.mark.parametrize("answer", ANSWERS.values(), ids=ANSWERS.keys())
def test_what_it_answers_is_refused_in_words(
    shop: Shop, evils: tuple[Evil, Evil], answer: bytes
) -> None:
    evils[0].answer = lambda _method, path: says(200, b"{}") if path == "/v2/" else answer
    with pytest.raises((RegistryError, InvalidInputError)):
        shop.pull(f"{evils[0].address}/app:1", credentials=ANN)
    assert shop.left() == []


@pytest.mark.parametrize("algorithm", ["sha256", "sha512", "md5"])
def test_something_else_than_was_asked_for_is_refused(
    shop: Shop, evils: tuple[Evil, Evil], algorithm: str
) -> None:
    evils[0].answer = lambda _method, _path: says(200, b"{}")
    digest = f"{algorithm}:{hashlib.new(algorithm, b'other').hexdigest()}"
    with pytest.raises(InvalidInputError, match="sends something else|digest is malformed"):
        shop.pull(f"{evils[0].address}/app@{digest}", credentials=ANN)
    assert shop.left() == []


@pytest.mark.parametrize("token", [b'{"token":"a\\r\\nX: y"}', b'{"token":"\\u2603"}', DEEP])
def test_a_token_that_is_none_is_refused_and_not_shown(
    shop: Shop, evils: tuple[Evil, Evil], token: bytes
) -> None:
    evil = evils[0]
    challenge = f'WWW-Authenticate: Bearer realm="http://{evil.address}/token"'

    def answer(_method: str, path: str) -> bytes:
        return says(200, token) if path.startswith("/token") else says(401, b"", challenge)

    evil.answer = answer
    with pytest.raises(RegistryError) as caught:
        shop.pull(f"{evil.address}/app:1", credentials=ANN)
    assert "X: y" not in caught.value.message


def test_an_upload_elsewhere_does_not_tell_who_we_are(shop: Shop, evils: tuple[Evil, Evil]) -> None:
    here, elsewhere = evils
    ask = says(401, b"", 'WWW-Authenticate: Basic realm="x"')
    away = says(202, b"", f"Location: http://{elsewhere.address}/upload")

    def answer(method: str, _path: str) -> bytes:
        if not here.shown[-1]:
            return ask
        return {"HEAD": says(404), "POST": away}.get(method, says(201))

    here.answer, elsewhere.answer = answer, lambda _method, _path: says(201)
    image = busybox.seed(shop.images, shop.root)
    name = f"{here.address}/app:1"
    shop.images.tag(image.id, name)
    shop.service.push(name, ANN, lambda _progress: None, lambda: False)
    assert any(here.shown)
    assert set(elsewhere.shown) == {""}


@pytest.mark.parametrize(
    ("location", "why"),
    [
        ("http://127.0.0.1:2375/", "to this host"),
        ("http://localhost/", "to this host"),
        ("http://169.254.169.254/latest", "without TLS"),
        ("ftp://registry.test/", "away from TLS"),
    ],
)
def test_a_registry_far_away_sends_us_to_nothing_near(shop: Shop, location: str, why: str) -> None:
    shop.settings('[registry."registry.test"]\ninsecure = true\n')
    place = Endpoint(
        registry="registry.test", address="registry.test", scheme="http", may_be_plain=True
    )
    client = Client(Transport(Places(shop.root)), place, "app", None)
    with pytest.raises(RegistryError, match=why):
        client._away("http://registry.test/v2/", location)
