"""The panel's keys and certificates."""

import ssl
import stat

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from apps.core.errors import InvalidInputError, SetupError
from apps.hosts import certificates, pki
from tests.certificates import certificate_request


def contents(folder) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def names(folder) -> list[str]:
    certificate = x509.load_pem_x509_certificate((folder / "panel.pem").read_bytes())
    extension = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName)
    return [str(name.value) for name in extension.value]


def test_a_second_time_changes_nothing(panel_pki):
    before = contents(panel_pki)
    pki.init_pki(("localhost", "127.0.0.1"))
    assert contents(panel_pki) == before


def test_another_name_makes_another_certificate_of_the_same_key(panel_pki):
    before, pin = contents(panel_pki), pki.panel_key_pin()
    pki.init_pki(("localhost", "127.0.0.1", "192.0.2.7", "panel.example"))
    changed = {name for name, content in contents(panel_pki).items() if before[name] != content}
    assert changed == {"panel.pem"}
    assert names(panel_pki) == ["localhost", "127.0.0.1", "192.0.2.7", "panel.example"]
    assert pki.panel_key_pin() == pin


def test_nobody_else_reads_the_keys(panel_pki):
    assert stat.S_IMODE(panel_pki.stat().st_mode) == 0o700
    for path in panel_pki.glob("*.key"):
        assert stat.S_IMODE(path.stat().st_mode) == 0o600, path.name


def test_openssl_takes_the_certificate(panel_pki):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(panel_pki / "panel.pem", panel_pki / "panel.key")
    ssl.create_default_context(cadata=pki.ca_certificate_pem())


def test_missing_keys_say_what_to_do(tmp_path, settings):
    settings.PKI_DIR = tmp_path
    with pytest.raises(SetupError) as caught:
        pki.ca_sha256()
    assert caught.value.hint == "Run `manage.py init_pki`."


def test_only_requests_of_ed25519_keys_are_taken():
    assert certificates.read_request(certificate_request(Ed25519PrivateKey.generate()))
    with pytest.raises(InvalidInputError):
        certificates.read_request(ecdsa_request())
    with pytest.raises(InvalidInputError):
        certificates.read_request("nonsense")


def ecdsa_request() -> str:
    builder = x509.CertificateSigningRequestBuilder().subject_name(x509.Name([]))
    signed = builder.sign(generate_private_key(SECP256R1()), hashes.SHA256())
    return signed.public_bytes(serialization.Encoding.PEM).decode()
