"""The panel's keys and certificates, in ``<home>/pki`` (folder 0700, keys 0600).

``ca.pem, ca.key``          the authority of this panel: signs hosts and the two below
``server.pem, server.key``  shown by the panel (HTTPS) and by Redis (TLS)
``command.key``             Ed25519; signs every command and control request

Agents pin the authority by the SHA-256 of its certificate when they join.
"""

from functools import cache
from pathlib import Path

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from django.conf import settings

from apps.core.errors import SetupError


def pki_path(name: str) -> Path:
    """Return where a file of the panel's keys lies."""
    return Path(settings.PKI_DIR) / name


@cache
def command_key() -> Ed25519PrivateKey:
    """Return the key that signs commands; raises :class:`SetupError`."""
    path = pki_path("command.key")
    if not path.exists():
        raise SetupError(f"{path} is missing.", hint="Run `manage.py init_pki`.")
    key = serialization.load_pem_private_key(path.read_bytes(), password=None)
    if not isinstance(key, Ed25519PrivateKey):
        raise SetupError(f"{path} does not hold an Ed25519 key.")
    return key
