"""A small server of tokens that a real registry takes: signed JWTs in the distribution's form."""

import base64
import datetime
import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.x509.oid import NameOID

SERVICE, ISSUER = "tests", "the tests"


@dataclass
class TokenServer:
    """Lets ``username`` do all, and everybody pull from repositories below ``public/``.

    ``asked`` are the queries that came; ``lifetime`` is what a token says, in seconds.
    """

    folder: Path
    username: str = "ann"
    password: str = "sesame"
    lifetime: int = 300
    asked: list[dict[str, list[str]]] = field(default_factory=list)
    realm: str = ""
    key: ec.EllipticCurvePrivateKey = field(
        default_factory=lambda: ec.generate_private_key(ec.SECP256R1())
    )

    def __post_init__(self) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        self.certificate = self._certify()
        self.bundle = self.folder / "tokens.pem"
        self.bundle.write_bytes(self.certificate.public_bytes(serialization.Encoding.PEM))

    def settings(self) -> dict[str, object]:
        """Return the registry's settings for this server."""
        return {
            "token": {
                "realm": self.realm,
                "service": SERVICE,
                "issuer": ISSUER,
                "rootcertbundle": str(self.bundle),
            }
        }

    def answer(self, query: dict[str, list[str]], authorization: str) -> tuple[int, bytes]:
        """Return status and body for one request."""
        self.asked.append(query)
        pair = f"{self.username}:{self.password}".encode()
        is_ann = authorization == f"Basic {base64.b64encode(pair).decode()}"
        if authorization and not is_ann:
            return 401, b"{}"
        access = [grant(scope, everything=is_ann) for scope in query.get("scope", [])]
        token = self._sign(access)
        return 200, json.dumps({"token": token, "expires_in": self.lifetime}).encode()

    def _sign(self, access: list[dict[str, object]]) -> str:
        now = int(time.time())
        chain = [base64.b64encode(self.certificate.public_bytes(serialization.Encoding.DER))]
        header = {"typ": "JWT", "alg": "ES256", "x5c": [one.decode() for one in chain]}
        claims = {"iss": ISSUER, "sub": "x", "aud": SERVICE, "jti": str(now), "access": access}
        claims |= {"iat": now, "nbf": now - 10, "exp": now + self.lifetime}
        text = f"{encode(json.dumps(header).encode())}.{encode(json.dumps(claims).encode())}"
        signature = self.key.sign(text.encode(), ec.ECDSA(hashes.SHA256()))
        numbers = b"".join(one.to_bytes(32, "big") for one in decode_dss_signature(signature))
        return f"{text}.{encode(numbers)}"

    def _certify(self) -> x509.Certificate:
        name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "tokens")])
        now = datetime.datetime.now(datetime.UTC)
        return (
            x509.CertificateBuilder()
            .subject_name(name)
            .issuer_name(name)
            .public_key(self.key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - datetime.timedelta(hours=1))
            .not_valid_after(now + datetime.timedelta(hours=1))
            .sign(self.key, hashes.SHA256())
        )


def grant(scope: str, *, everything: bool) -> dict[str, object]:
    """Return what one may do of what one asks for."""
    kind, name, actions = scope.split(":")
    wanted = actions.split(",")
    allowed = wanted if everything else ["pull"] if name.startswith("public/") else []
    return {"type": kind, "name": name, "actions": [one for one in wanted if one in allowed]}


def encode(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


@contextmanager
def running_token_server(folder: Path) -> Iterator[TokenServer]:
    """Serve tokens on loopback."""
    tokens = TokenServer(folder)

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            query = parse_qs(urlsplit(self.path).query)
            status, body = tokens.answer(query, self.headers.get("Authorization", ""))
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    tokens.realm = f"http://127.0.0.1:{server.server_port}/token"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield tokens
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
