"""The host's own key, certificate request and Redis password: made here, kept here."""

import hashlib
import secrets
from dataclasses import dataclass

from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.x509.oid import NameOID

from agents.config import Secret

MAX_COMMON_NAME = 64


@dataclass(frozen=True, kw_only=True)
class Identity:
    """What makes a host this host; only the request and the hash are told to anybody."""

    key: Ed25519PrivateKey
    redis_password: Secret

    def private_pem(self) -> bytes:
        """Return the private key as PEM (PKCS #8)."""
        return self.key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )

    def certificate_request(self, name: str) -> str:
        """Return a certificate request (PKCS #10, PEM); the panel chooses the real name."""
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name[:MAX_COMMON_NAME])])
        request = x509.CertificateSigningRequestBuilder().subject_name(subject)
        signed = request.sign(self.key, None)
        return signed.public_bytes(serialization.Encoding.PEM).decode()

    def password_sha256(self) -> str:
        """Return the hash by which Redis knows the password."""
        return hashlib.sha256(self.redis_password.reveal().encode()).hexdigest()


def make_identity() -> Identity:
    """Make a new identity: an Ed25519 key and a password of 256 bits."""
    password = Secret(secrets.token_hex(32))
    return Identity(key=Ed25519PrivateKey.generate(), redis_password=password)
