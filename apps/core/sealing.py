"""Keeping text encrypted in the database, so that a copy of it alone tells no secret.

The key is made of the panel's secret key (HKDF, RFC 5869), another for each purpose.
"""

import base64

from cryptography.fernet import Fernet, InvalidToken
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from django.conf import settings


def seal_text(text: str, purpose: str) -> str:
    """Return the text encrypted; "" stays ""."""
    return _cipher(purpose).encrypt(text.encode()).decode() if text else ""


def open_text(sealed: str, purpose: str) -> str | None:
    """Return what :func:`seal_text` was given, or None if the panel's secret key is another."""
    if not sealed:
        return ""
    try:
        return _cipher(purpose).decrypt(sealed.encode()).decode()
    except InvalidToken:
        return None


def _cipher(purpose: str) -> Fernet:
    derived = HKDF(algorithm=hashes.SHA256(), length=32, salt=None, info=purpose.encode())
    return Fernet(base64.urlsafe_b64encode(derived.derive(settings.SECRET_KEY.encode())))
