"""Names of images, as Docker reads them: ``nginx`` is ``docker.io/library/nginx:latest``.

The grammar is that of the distribution project's reference package.
"""

import re
from dataclasses import dataclass, replace

from agents.errors import InvalidInputError

DEFAULT_DOMAIN = "docker.io"
LEGACY_DOMAIN = "index.docker.io"
OFFICIAL = "library/"
DEFAULT_TAG = "latest"
LONGEST_PATH = 255

_LABEL = r"(?:[a-zA-Z0-9]|[a-zA-Z0-9][a-zA-Z0-9-]*[a-zA-Z0-9])"
_DOMAIN = rf"(?:{_LABEL}(?:\.{_LABEL})*|\[[a-fA-F0-9:]+\])(?::[0-9]+)?"
_COMPONENT = r"[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*"
_PATH = rf"{_COMPONENT}(?:/{_COMPONENT})*"
_TAG = r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}"
_DIGEST = r"[A-Za-z][A-Za-z0-9]*(?:[-_+.][A-Za-z][A-Za-z0-9]*)*:[0-9a-fA-F]{32,}"
_REFERENCE = re.compile(
    rf"(?:(?P<domain>{_DOMAIN})/)?(?P<path>{_PATH})(?::(?P<tag>{_TAG}))?(?:@(?P<digest>{_DIGEST}))?"
)
_IDENTIFIER = re.compile(r"[a-f0-9]{64}")
_HASH_LENGTHS = {"sha256": 64, "sha384": 96, "sha512": 128}


@dataclass(frozen=True, kw_only=True)
class Reference:
    """A complete name: ``domain`` and ``path`` are set, ``tag`` and ``digest`` may be empty."""

    domain: str
    path: str
    tag: str = ""
    digest: str = ""

    @property
    def name(self) -> str:
        """Return the repository: ``docker.io/library/nginx``."""
        return f"{self.domain}/{self.path}"

    @property
    def familiar_name(self) -> str:
        """Return the repository as people write it: ``nginx``."""
        if self.domain != DEFAULT_DOMAIN:
            return self.name
        short = self.path.removeprefix(OFFICIAL)
        return short if "/" not in short else self.path

    def familiar(self) -> str:
        """Return the whole name as people write it: ``nginx:latest``."""
        return self.familiar_name + self._suffix()

    def tagged(self) -> "Reference":
        """Return the same with the tag ``latest`` if it has neither tag nor digest."""
        return self if self.tag or self.digest else replace(self, tag=DEFAULT_TAG)

    def __str__(self) -> str:
        return self.name + self._suffix()

    def _suffix(self) -> str:
        tag = f":{self.tag}" if self.tag else ""
        return tag + (f"@{self.digest}" if self.digest else "")


def parse_reference(text: str) -> Reference:
    """Return a name in full, without adding a tag. Raises ``InvalidInputError``."""
    if _IDENTIFIER.fullmatch(text):
        raise _invalid(text, "64 hexadecimal digits are an image's id, not a name")
    domain, rest = _split_domain(text)
    found = _REFERENCE.fullmatch(f"{domain}/{rest}")
    if found is None or found["domain"] != domain:
        raise _explain(text, rest)
    if len(found["path"]) > LONGEST_PATH:
        raise _invalid(text, f"a repository's name has at most {LONGEST_PATH} characters")
    digest = found["digest"] or ""
    if digest and not _is_digest(digest):
        raise _invalid(text, "its digest is malformed")
    return Reference(domain=domain, path=found["path"], tag=found["tag"] or "", digest=digest)


def normalise(text: str) -> Reference:
    """Return the name that a store files an image under: in full, with tag or digest.

    A tag beside a digest is dropped, as Docker does. Raises ``InvalidInputError``.
    """
    reference = parse_reference(text)
    return replace(reference, tag="") if reference.digest else reference.tagged()


def _split_domain(text: str) -> tuple[str, str]:
    first, slash, rest = text.partition("/")
    looks_like_domain = (
        first == "localhost" or "." in first or ":" in first or first != first.lower()
    )
    if not slash or not looks_like_domain:
        first, rest = DEFAULT_DOMAIN, text
    if first == LEGACY_DOMAIN:
        first = DEFAULT_DOMAIN
    if first == DEFAULT_DOMAIN and "/" not in rest:
        rest = OFFICIAL + rest
    return first, rest


def _is_digest(text: str) -> bool:
    algorithm, _, digits = text.partition(":")
    return _HASH_LENGTHS.get(algorithm) == len(digits) and digits == digits.lower()


def _explain(text: str, rest: str) -> InvalidInputError:
    path = rest.partition("@")[0].rpartition(":")[0] or rest
    if path != path.lower():
        return _invalid(text, "the repository's name must be in lower case")
    return _invalid(text, "write it as [registry/]name[:tag]")


def _invalid(text: str, why: str) -> InvalidInputError:
    return InvalidInputError(f"{text!r} is no image reference: {why}.", field="image")
