"""The panel's keys and certificates, in ``<home>/pki`` (folder 0700, keys 0600).

``ca.pem, ca.key``        the authority of this panel: signs its hosts and its own certificate
``panel.pem, panel.key``  shown by the panel (HTTPS) and by Redis (TLS)
``command.key``           Ed25519; signs every command and control request

Agents pin the authority by the SHA-256 of its certificate when they join. Browsers know no
Ed25519 certificates, so the first two pairs are ECDSA on P-256.
"""

import hashlib
from functools import cache
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ec import (
    SECP256R1,
    EllipticCurvePrivateKey,
    generate_private_key,
)
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from django.conf import settings

from apps.core.errors import SetupError
from apps.hosts import certificates

_PEM = serialization.Encoding.PEM


def init_pki(names: tuple[str, ...]) -> None:
    """Make what is missing; idempotent.

    The panel's certificate is made anew, with its old key, when ``names`` (DNS names and IP
    addresses) has one that it lacks, or when it ends within 30 days.
    """
    pki_path("").mkdir(mode=0o700, parents=True, exist_ok=True)
    if not pki_path("command.key").exists():
        _write_key("command.key", Ed25519PrivateKey.generate())
    if not pki_path("ca.key").exists():
        _write_key("ca.key", generate_private_key(SECP256R1()))
    if not pki_path("ca.pem").exists():
        _write("ca.pem", certificates.make_authority(_ecdsa_key("ca.key")).public_bytes(_PEM))
    if not pki_path("panel.key").exists():
        _write_key("panel.key", generate_private_key(SECP256R1()))
    if not _panel_certificate_serves(names):
        _write("panel.pem", _new_panel_certificate(names).public_bytes(_PEM))


def pki_path(name: str) -> Path:
    """Return where a file of the panel's keys lies."""
    return Path(settings.PKI_DIR) / name


@cache
def command_key() -> Ed25519PrivateKey:
    """Return the key that signs commands; raises :class:`SetupError`."""
    key = serialization.load_pem_private_key(_read("command.key"), password=None)
    if not isinstance(key, Ed25519PrivateKey):
        raise SetupError(f"{pki_path('command.key')} does not hold an Ed25519 key.")
    return key


def command_public_key_pem() -> str:
    """Return the key with which agents verify commands."""
    public = command_key().public_key()
    return public.public_bytes(_PEM, serialization.PublicFormat.SubjectPublicKeyInfo).decode()


def ca_certificate_pem() -> str:
    """Return the authority's certificate; raises :class:`SetupError`."""
    return _read("ca.pem").decode()


def ca_sha256() -> str:
    """Return the SHA-256 of the authority's certificate (DER), by which agents pin it."""
    certificate = x509.load_pem_x509_certificate(_read("ca.pem"))
    der = certificate.public_bytes(serialization.Encoding.DER)
    return hashlib.sha256(der).hexdigest()


def sign_host(request: certificates.HostRequest, uid: str) -> str:
    """Return the host's certificate (PEM), for TLS to Redis and to verify its events."""
    authority = x509.load_pem_x509_certificate(_read("ca.pem"))
    signed = certificates.sign_host(request, uid, authority, _ecdsa_key("ca.key"))
    return signed.public_bytes(_PEM).decode()


def panel_key_pin() -> str:
    """Return the pin of the panel's TLS key as curl's ``--pinnedpubkey`` takes it."""
    public = _ecdsa_key("panel.key").public_key()
    return certificates.public_key_pin(public)


def _new_panel_certificate(names: tuple[str, ...]) -> x509.Certificate:
    authority = x509.load_pem_x509_certificate(_read("ca.pem"))
    key = _ecdsa_key("panel.key").public_key()
    return certificates.make_server(names, key, authority, _ecdsa_key("ca.key"))


def _panel_certificate_serves(names: tuple[str, ...]) -> bool:
    path = pki_path("panel.pem")
    if not path.exists():
        return False
    return certificates.serves(x509.load_pem_x509_certificate(path.read_bytes()), names)


def _ecdsa_key(name: str) -> EllipticCurvePrivateKey:
    key = serialization.load_pem_private_key(_read(name), password=None)
    if not isinstance(key, EllipticCurvePrivateKey):
        raise SetupError(f"{pki_path(name)} does not hold an ECDSA key.")
    return key


def _read(name: str) -> bytes:
    path = pki_path(name)
    if not path.exists():
        raise SetupError(f"{path} is missing.", hint="Run `manage.py init_pki`.")
    return path.read_bytes()


def _write_key(name: str, key: Ed25519PrivateKey | EllipticCurvePrivateKey) -> None:
    pem = key.private_bytes(_PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    _write(name, pem, mode=0o600)


def _write(name: str, content: bytes, mode: int = 0o644) -> None:
    """Write whole or not at all, with the mode from the first byte on."""
    temporary = pki_path(f".{name}.new")
    temporary.unlink(missing_ok=True)
    temporary.touch(mode=mode)
    temporary.write_bytes(content)
    temporary.rename(pki_path(name))
