"""A certificate authority for tests: real certificates, good for an hour."""

import datetime
import ipaddress
from dataclasses import dataclass
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.x509.oid import NameOID

NAMES = [
    x509.DNSName("localhost"),
    x509.IPAddress(ipaddress.ip_address("127.0.0.1")),
]


@dataclass(frozen=True, kw_only=True)
class Pair:
    """A private key and its certificate, as PEM files."""

    key: Path
    certificate: Path


class Authority:
    """Makes a CA in ``folder`` and signs certificates for hosts and servers."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        self._key = Ed25519PrivateKey.generate()
        self._name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "test CA")])
        own = self._builder("test CA", self._key.public_key(), ca=True)
        self._certificate = own.sign(self._key, None)
        self.certificate = folder / "ca.pem"
        self.certificate.write_bytes(self._certificate.public_bytes(serialization.Encoding.PEM))

    def issue(self, name: str) -> Pair:
        """Return a fresh pair for ``name``, valid on loopback."""
        key = Ed25519PrivateKey.generate()
        pair = Pair(key=self.folder / f"{name}.key", certificate=self.folder / f"{name}.pem")
        pair.key.write_bytes(private_pem(key))
        pair.certificate.write_bytes(self._sign(name, key.public_key()))
        return pair

    def sign_request(self, request: str, name: str) -> str:
        """Sign a PKCS #10 request in PEM for the subject ``name``."""
        parsed = x509.load_pem_x509_csr(request.encode())
        assert parsed.is_signature_valid
        return self._sign(name, parsed.public_key()).decode()

    def certify(self, name: str, public_key) -> str:
        """Sign a key for the subject ``name``; PEM."""
        return self._sign(name, public_key).decode()

    def _sign(self, name, public_key) -> bytes:
        certificate = self._builder(name, public_key, ca=False).sign(self._key, None)
        return certificate.public_bytes(serialization.Encoding.PEM)

    def _builder(self, name, public_key, *, ca) -> x509.CertificateBuilder:
        now = datetime.datetime.now(datetime.UTC)
        return (
            x509.CertificateBuilder()
            .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)]))
            .issuer_name(self._name)
            .public_key(public_key)
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - datetime.timedelta(minutes=5))
            .not_valid_after(now + datetime.timedelta(hours=1))
            .add_extension(x509.BasicConstraints(ca=ca, path_length=None), critical=True)
            .add_extension(x509.SubjectAlternativeName(NAMES), critical=False)
        )


def private_pem(key) -> bytes:
    """Return a private key as unencrypted PKCS #8 PEM."""
    return key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )


def public_pem(key) -> bytes:
    """Return a public key as PEM."""
    return key.public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )


def certificate_request(key) -> str:
    """Return a PKCS #10 request in PEM, signed by the key."""
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "host")])
    builder = x509.CertificateSigningRequestBuilder().subject_name(subject)
    return builder.sign(key, None).public_bytes(serialization.Encoding.PEM).decode()
