"""HTTPS to the panel while the host is not yet known to it."""

import hashlib
import http.client
import ssl
from dataclasses import dataclass
from typing import TypeVar
from urllib.parse import urlsplit

import msgspec

from agents.errors import EnrolmentError, InvalidInputError, TimedOutError, UnreachableError
from agents.protocol.enrolment import EnrolmentProblem, EnrolmentReply, EnrolmentRequest

TIMEOUT_SECONDS = 20.0
MAX_ANSWER = 1 << 20
HTTPS_PORT = 443

T = TypeVar("T")


@dataclass(frozen=True, kw_only=True)
class Answer:
    """An HTTP answer."""

    status: int
    body: bytes


class Panel:
    """The panel at ``url``; ``ca_sha256`` pins its CA (SHA-256 of the DER, hexadecimal).

    Without a pin the system's own list of authorities is what counts.
    """

    def __init__(self, url: str, ca_sha256: str = "") -> None:
        parts = urlsplit(url)
        if parts.scheme != "https" or not parts.hostname:
            raise InvalidInputError(f"“{url}” is no https:// address of a panel")
        self._host, self._port = parts.hostname, parts.port or HTTPS_PORT
        self._prefix = parts.path.rstrip("/")
        self._pin = ca_sha256.replace(":", "").lower()
        self._context = ssl.create_default_context()
        if self._pin:
            self._context = ssl.create_default_context(cadata=self._fetch_ca())

    def enrol(self, request: EnrolmentRequest) -> EnrolmentReply:
        """Ask for a place.

        Raises:
            EnrolmentError: the panel says no.
            UnreachableError: it cannot be reached, or is not the one that was pinned.
        """
        body = msgspec.json.encode(request)
        answer = self._ask(self._context, "POST", "/agent/enrol", body)
        if answer.status == http.client.OK:
            return _decode(answer.body, EnrolmentReply)
        problem = _decode(answer.body, EnrolmentProblem)
        raise EnrolmentError(problem.message, hint=problem.hint)

    def _fetch_ca(self) -> str:
        """Return the CA certificate: fetched from whoever answers, believed for its hash."""
        nobody = ssl.create_default_context()
        nobody.check_hostname = False
        nobody.verify_mode = ssl.CERT_NONE
        answer = self._ask(nobody, "GET", "/agent/ca.pem", b"")
        try:
            pem = answer.body.decode("ascii")
            found = hashlib.sha256(ssl.PEM_cert_to_DER_cert(pem)).hexdigest()
        except ValueError as error:
            raise EnrolmentError(f"{self._host} sent no certificate; is it a panel?") from error
        if found != self._pin:
            raise EnrolmentError(
                f"the panel at {self._host} is not the one that the join token is for",
                hint="Its CA has another fingerprint: copy the line again from the panel.",
            )
        return pem

    def _ask(self, context: ssl.SSLContext, method: str, path: str, body: bytes) -> Answer:
        connection = http.client.HTTPSConnection(
            self._host, self._port, timeout=TIMEOUT_SECONDS, context=context
        )
        headers = {"Content-Type": "application/json"} if body else {}
        try:
            connection.request(method, self._prefix + path, body or None, headers)
            response = connection.getresponse()
            return Answer(status=response.status, body=response.read(MAX_ANSWER))
        except TimeoutError as error:
            raise TimedOutError(f"the panel at {self._host} did not answer in time") from error
        except ssl.SSLCertVerificationError as error:
            raise UnreachableError(
                f"the panel at {self._host} shows a certificate that is not to be trusted:"
                f" {error.verify_message}",
                hint="Copy the line again from the panel; it names the panel's CA.",
            ) from error
        except (OSError, http.client.HTTPException) as error:
            raise UnreachableError(
                f"the panel at {self._host}:{self._port} cannot be reached: {error}",
                hint="See that this host can open that address and port.",
            ) from error
        finally:
            connection.close()


def _decode(body: bytes, kind: type[T]) -> T:
    try:
        return msgspec.json.decode(body, type=kind)
    except msgspec.MsgspecError as error:
        raise EnrolmentError("the panel's answer is not understood; is it a panel?") from error
