"""The words of one registry (or mirror): manifests, blobs and uploads.

See the OCI distribution specification, spec.md; the comments name its ends ("end-3").
"""

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal
from urllib.parse import urlencode, urljoin, urlsplit

import msgspec
from urllib3.exceptions import HTTPError

from agents.engines.abilities.registries import Credentials
from agents.engines.native.images.config import digest_of
from agents.engines.native.images.documents import read_document
from agents.engines.native.images.media import INDEXES, LARGEST_DOCUMENT, MANIFESTS
from agents.engines.native.registry.authorization import LARGEST_ANSWER, Authorization, denied
from agents.engines.native.registry.settings import Endpoint, Scheme, is_loopback
from agents.engines.native.registry.transport import (
    Body,
    BrokenError,
    PlainError,
    Response,
    Transport,
    read_body,
    settle,
)
from agents.errors import InvalidInputError, NotFoundError, RegistryError

_ALGORITHMS = ("sha256", "sha384", "sha512")
_ACCEPT = ", ".join((*MANIFESTS, *INDEXES))
_REDIRECTS = (301, 302, 303, 307, 308)
_MOST_REDIRECTS = 5
_LONGEST_REASON = 300

Doing = Literal["pull", "push"]


class _Problem(msgspec.Struct, frozen=True, kw_only=True):
    code: str = ""
    message: str = ""


class _Problems(msgspec.Struct, frozen=True, kw_only=True):
    errors: tuple[_Problem, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Fetched:
    """A manifest or an index as it came, checked against its digest where one was asked for."""

    data: bytes
    digest: str
    media_type: str


def _is_promised(data: bytes, digest: str) -> bool:
    """Return whether a document has a digest, by any of the image specification's algorithms."""
    algorithm, _, wanted = digest.partition(":")
    return algorithm in _ALGORITHMS and hashlib.new(algorithm, data).hexdigest() == wanted


class Client:
    """One repository at one endpoint. Usable from several threads; all methods block.

    Raises ``RegistryError``, ``BrokenError`` (try again), ``AccessDeniedError`` besides what
    each method says.
    """

    def __init__(
        self,
        transport: Transport,
        endpoint: Endpoint,
        repository: str,
        credentials: Credentials | None,
        *,
        doing: Doing = "pull",
        also: str = "",
    ) -> None:
        self.address = endpoint.address
        self.repository = endpoint.prefix + repository
        self._transport = transport
        self._endpoint = endpoint
        self._scheme: Scheme = endpoint.scheme
        self._doing: Doing = doing
        self._authorization = Authorization(transport, credentials, endpoint)
        actions = "pull" if doing == "pull" else "pull,push"
        scopes = [f"repository:{self.repository}:{actions}"] if repository else []
        self._scopes = (*scopes, *([f"repository:{also}:pull"] if also else []))

    def check(self) -> None:
        """Ask whether the registry takes the credentials (end-1)."""
        response = self._ask("GET", self._url(""))
        try:
            if response.status != 200:
                raise self._refusal(response, "")
        finally:
            settle(response)

    def manifest(self, reference: str) -> Fetched:
        """Return the document of a tag or digest (end-3). Raises ``NotFoundError``."""
        response = self._ask("GET", self._url("manifests", reference), {"Accept": _ACCEPT})
        try:
            if response.status != 200:
                raise self._refusal(response, reference)
            data = self._read(response, LARGEST_DOCUMENT)
        finally:
            settle(response)
        promised = reference if ":" in reference else response.headers.get("Docker-Content-Digest")
        if promised and not _is_promised(data, promised):
            raise InvalidInputError(
                f"The registry {self.address} sends something else as {promised}.",
                hint="The registry or something in between is broken; tell who runs it.",
            )
        media_type = response.headers.get("Content-Type", "").partition(";")[0].strip()
        return Fetched(data=data, digest=digest_of(data), media_type=media_type)

    def blob(self, digest: str, offset: int = 0) -> Response:
        """Begin to read a blob from ``offset`` on (end-2); close the answer.

        Status 200 is all of it, 206 what was asked for, 416 that it ends before that.
        Raises ``NotFoundError``.
        """
        headers = {"Range": f"bytes={offset}-"} if offset else {}
        response = self._ask("GET", self._url("blobs", digest), headers)
        if response.status in (200, 206, 416):
            return response
        try:
            raise self._refusal(response, digest)
        finally:
            response.close()

    def has_blob(self, digest: str) -> bool:
        """Return whether the repository has a blob (end-2)."""
        response = self._ask("HEAD", self._url("blobs", digest))
        settle(response)
        if response.status == 404:
            return False
        if response.status != 200:
            raise self._refusal(response, digest)
        return True

    def mount(self, digest: str, source: str) -> bool:
        """Ask for a blob of another repository of the same registry (end-11)."""
        query = urlencode({"mount": digest, "from": source})
        response = self._ask("POST", f"{self._url('blobs', 'uploads/')}?{query}")
        settle(response)
        if response.status == 202:
            self._forget_upload(response)
        return response.status == 201

    def start_upload(self) -> str:
        """Begin an upload and return where to send it (end-4a)."""
        response = self._ask("POST", self._url("blobs", "uploads/"))
        self._expect(response, 202)
        location = response.headers.get("Location")
        if not location:
            # The end of the headers is missing: they were cut.
            raise BrokenError(f"The registry {self.address} does not say where to send to.")
        return self._away(self._base(), location)

    def finish_upload(self, location: str, digest: str, body: Body, size: int) -> None:
        """Send all of a blob (end-6)."""
        mark = "&" if "?" in location else "?"
        url = f"{location}{mark}{urlencode({'digest': digest})}"
        headers = {"Content-Type": "application/octet-stream", "Content-Length": str(size)}
        self._expect(self._ask("PUT", url, headers, body), 201)

    def put_manifest(self, reference: str, data: bytes, media_type: str) -> None:
        """Name a manifest whose blobs are all there (end-7)."""
        headers = {"Content-Type": media_type}
        self._expect(self._ask("PUT", self._url("manifests", reference), headers, data), 201)

    def _expect(self, response: Response, status: int) -> None:
        try:
            if response.status != status:
                raise self._refusal(response, "")
        finally:
            settle(response)

    def _forget_upload(self, response: Response) -> None:
        """Give up the upload that a registry begins when it cannot mount (end-13)."""
        location = response.headers.get("Location")
        if location:
            settle(self._ask("DELETE", self._away(self._base(), location)))

    def _ask(
        self,
        method: str,
        url: str,
        headers: Mapping[str, str] | None = None,
        body: Body | None = None,
    ) -> Response:
        """Send a request, with what the registry wants to know of us, and follow redirects."""
        shown = self._shown(url)
        response = self._send(method, url, {**(headers or {}), **shown}, body)
        if response.status != 401 or not self._is_ours(url):
            return self._follow(method, url, headers or {}, response)
        settle(response)
        met = self._authorization.meet(response, self._scopes, shown.get("Authorization", ""))
        if not met or not (body is None or isinstance(body, bytes)):
            raise denied(
                self.address, has_login=self._authorization.has_credentials, what=self._doing
            )
        again = self._authorization.headers(self._scopes)
        response = self._send(method, url, {**(headers or {}), **again}, body)
        return self._follow(method, url, headers or {}, response)

    def _follow(
        self, method: str, url: str, headers: Mapping[str, str], response: Response
    ) -> Response:
        """Follow redirects of reading requests; who we are is told to no other server."""
        for _ in range(_MOST_REDIRECTS):
            if response.status not in _REDIRECTS or method not in ("GET", "HEAD"):
                return response
            settle(response)
            url = self._away(url, response.headers.get("Location", ""))
            response = self._send(method, url, {**headers, **self._shown(url)}, None)
        raise RegistryError(f"The registry {self.address} sends us round in circles.")

    def _away(self, url: str, location: str) -> str:
        """Return where the registry sends us from ``url``, if we let ourselves be sent there."""
        try:
            target = urljoin(url, location)
            before, after = urlsplit(url), urlsplit(target)
        except ValueError as exc:
            raise RegistryError(f"The registry {self.address} sends us to no address.") from exc
        if after.scheme not in (before.scheme, "https"):
            raise RegistryError(f"The registry {self.address} sends us away from TLS.")
        if after.netloc == before.netloc:
            return target
        # A registry far away must not make us ask what listens on this host or near it.
        if is_loopback(after.netloc) and not is_loopback(self.address):
            raise RegistryError(f"The registry {self.address} sends us to this host.")
        if after.scheme == "http" and not self._transport.may_be_plain(target):
            raise RegistryError(
                f"The registry {self.address} sends us to {after.netloc}, without TLS.",
                hint="If that is meant so, name that address as insecure in registries.toml.",
            )
        return target

    def _shown(self, url: str) -> dict[str, str]:
        """Return what tells who we are, which is for the registry itself and nobody else."""
        return self._authorization.headers(self._scopes) if self._is_ours(url) else {}

    def _is_ours(self, url: str) -> bool:
        return url.startswith(f"{self._base()}/")

    def _send(
        self,
        method: str,
        url: str,
        headers: Mapping[str, str],
        body: Body | None,
    ) -> Response:
        response = self._transport.send(method, url, headers, body)
        if response.status >= 500 or response.status == 429:
            text = _reason(response)
            settle(response)
            raise BrokenError(f"The registry {self.address} answers {response.status}{text}.")
        return response

    def _url(self, kind: str, name: str = "") -> str:
        path = f"{self.repository}/{kind}/{name}" if kind else ""
        return f"{self._base()}/v2/{path}"

    def _base(self) -> str:
        if not self._scheme:
            self._scheme = self._find_scheme()
        return f"{self._scheme}://{self.address}"

    def _find_scheme(self) -> Scheme:
        """Find out whether a registry that may be without TLS has it."""
        if not self._endpoint.may_be_plain:
            return "https"
        try:
            settle(self._transport.send("GET", f"https://{self.address}/v2/", {}))
        except PlainError:
            return "http"
        except BrokenError as error:
            # Some servers without TLS hang up when they are spoken to in it.
            try:
                settle(self._transport.send("GET", f"http://{self.address}/v2/", {}))
            except RegistryError:
                raise error from None
            return "http"
        return "https"

    def _read(self, response: Response, most: int) -> bytes:
        data = read_body(response, most + 1, self.address)
        if len(data) > most:
            raise RegistryError(f"The registry {self.address} sends a document over {most} bytes.")
        return data

    def _refusal(self, response: Response, wanted: str) -> RegistryError | NotFoundError:
        """Return the error for an answer that is not what was asked for."""
        reason = _reason(response)
        if response.status in (401, 403):
            return denied(
                self.address, has_login=self._authorization.has_credentials, what=self._doing
            )
        if response.status == 404 and wanted:
            separator = "@" if ":" in wanted else ":"
            return NotFoundError(
                f"The registry {self.address} has no {self.repository}{separator}{wanted}.",
                hint="Check the image's name and tag.",
                field="image",
            )
        hint = "" if response.status != 404 else "Check that this is a registry."
        return RegistryError(
            f"The registry {self.address} answers {response.status}{reason}.", hint=hint
        )


def _reason(response: Response) -> str:
    """Return what a registry says is wrong, as ": text" on one line; "" if nothing."""
    try:
        problems = read_document(response.read(LARGEST_ANSWER), _Problems).errors
    except (msgspec.DecodeError, HTTPError):
        return ""
    text = "; ".join(one.message or one.code for one in problems)
    printable = re.sub(r"[^\x20-\x7e]+", " ", text).strip(" .")
    return f": {printable[:_LONGEST_REASON]}" if printable else ""
