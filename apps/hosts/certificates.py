"""X.509 certificates of the panel's own authority (RFC 5280); pure, no files."""

import base64
import datetime
import hashlib
import ipaddress
from dataclasses import dataclass

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric.ec import (
    EllipticCurvePrivateKey,
    EllipticCurvePublicKey,
)
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from apps.core.errors import InvalidInputError

_DAY = datetime.timedelta(days=1)
# Apple's limit for certificates that people trust by hand.
_SERVER_LIFE = 820 * _DAY
_AUTHORITY_LIFE = 7300 * _DAY
_HOST_LIFE = 3650 * _DAY
_RENEW_BEFORE = 30 * _DAY


@dataclass(frozen=True, kw_only=True)
class HostRequest:
    """A certificate request whose signature was checked."""

    key: Ed25519PublicKey


def read_request(pem: str) -> HostRequest:
    """Check a PKCS #10 request of an Ed25519 key; raises :class:`InvalidInputError`."""
    try:
        request = x509.load_pem_x509_csr(pem.encode())
        valid = request.is_signature_valid
        key = request.public_key()
    except (ValueError, UnsupportedAlgorithm, InvalidSignature) as error:
        raise InvalidInputError("The certificate request cannot be read.") from error
    if not valid or not isinstance(key, Ed25519PublicKey):
        raise InvalidInputError("The certificate request must be signed by its Ed25519 key.")
    return HostRequest(key=key)


def host_key(certificate_pem: str) -> Ed25519PublicKey:
    """Return the key that verifies a host's events; raises ``ValueError``."""
    key = x509.load_pem_x509_certificate(certificate_pem.encode()).public_key()
    if not isinstance(key, Ed25519PublicKey):
        raise ValueError("a host's certificate must hold an Ed25519 key")
    return key


def make_authority(key: EllipticCurvePrivateKey) -> x509.Certificate:
    """Return the self-signed certificate of a new authority."""
    name = _name("webpanel authority")
    builder = _builder(name, name, _AUTHORITY_LIFE).public_key(key.public_key())
    builder = builder.add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
    builder = builder.add_extension(_usage(authority=True), critical=True)
    identifier = x509.SubjectKeyIdentifier.from_public_key(key.public_key())
    return builder.add_extension(identifier, critical=False).sign(key, hashes.SHA256())


def make_server(
    names: tuple[str, ...],
    key: EllipticCurvePublicKey,
    authority: x509.Certificate,
    authority_key: EllipticCurvePrivateKey,
) -> x509.Certificate:
    """Return a certificate that serves under these DNS names and IP addresses."""
    builder = _builder(_name("webpanel"), authority.subject, _SERVER_LIFE).public_key(key)
    alternatives = x509.SubjectAlternativeName([_general_name(name) for name in names])
    builder = builder.add_extension(alternatives, critical=False)
    builder = _leaf(builder, ExtendedKeyUsageOID.SERVER_AUTH, authority_key)
    return builder.sign(authority_key, hashes.SHA256())


def sign_host(
    request: HostRequest,
    uid: str,
    authority: x509.Certificate,
    authority_key: EllipticCurvePrivateKey,
) -> x509.Certificate:
    """Return a host's client certificate; its common name is the host's uid."""
    builder = _builder(_name(uid), authority.subject, _HOST_LIFE).public_key(request.key)
    builder = _leaf(builder, ExtendedKeyUsageOID.CLIENT_AUTH, authority_key)
    return builder.sign(authority_key, hashes.SHA256())


def serves(certificate: x509.Certificate, names: tuple[str, ...]) -> bool:
    """Say whether a server's certificate has all the names and lives for 30 days more."""
    extension = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName)
    missing = {_general_name(name) for name in names} - set(extension.value)
    ends = certificate.not_valid_after_utc
    return not missing and ends > datetime.datetime.now(datetime.UTC) + _RENEW_BEFORE


def public_key_pin(key: EllipticCurvePublicKey) -> str:
    """Return ``sha256//<base64>`` of the key, see curl(1) ``--pinnedpubkey``."""
    der = key.public_bytes(
        serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    return "sha256//" + base64.b64encode(hashlib.sha256(der).digest()).decode()


def _builder(
    subject: x509.Name, issuer: x509.Name, life: datetime.timedelta
) -> x509.CertificateBuilder:
    """Begin a certificate; it is valid since yesterday, as clocks differ."""
    now = datetime.datetime.now(datetime.UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - _DAY)
        .not_valid_after(now + life)
    )


def _leaf(
    builder: x509.CertificateBuilder,
    use: x509.ObjectIdentifier,
    authority_key: EllipticCurvePrivateKey,
) -> x509.CertificateBuilder:
    issuer = x509.AuthorityKeyIdentifier.from_issuer_public_key(authority_key.public_key())
    return (
        builder.add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_usage(authority=False), critical=True)
        .add_extension(x509.ExtendedKeyUsage([use]), critical=False)
        .add_extension(issuer, critical=False)
    )


def _usage(*, authority: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not authority,
        key_cert_sign=authority,
        crl_sign=authority,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )


def _name(common: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common)])


def _general_name(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        return x509.DNSName(name)
