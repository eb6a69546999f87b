"""Variables of a project: names and values that its files refer to by ``${NAME}``.

They are kept encrypted with a key made of the panel's secret key, so a copy of the
database alone tells nobody a password, and a secret one is never sent to a browser again.
"""

import re
from collections.abc import Iterable, Mapping

import msgspec

from apps.core.sealing import open_text, seal_text

NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_SECRET_NAME = re.compile(r"PASS|SECRET|TOKEN|KEY|CREDENTIAL|PRIVATE", re.IGNORECASE)

HIDDEN = "•••"
_PURPOSE = "webpanel project variables"
_TELLING = 4


class Variable(msgspec.Struct, frozen=True, kw_only=True):
    """One variable; ``secret`` ones can be replaced but not read in the panel."""

    name: str
    value: str
    secret: bool = True

    def __repr__(self) -> str:
        return f"Variable({self.name!r}, secret={self.secret})"


Variables = tuple[Variable, ...]


def looks_secret(name: str) -> bool:
    """Whether a variable of this name most likely holds a secret."""
    return bool(_SECRET_NAME.search(name))


def encrypt_variables(variables: Variables) -> str:
    """Return the text that is kept in the database; "" for none."""
    return seal_text(msgspec.json.encode(variables).decode() if variables else "", _PURPOSE)


def decrypt_variables(text: str) -> Variables:
    """Return what :func:`encrypt_variables` kept.

    After a change of the panel's secret key nothing can be read: the answer is empty.
    """
    found = open_text(text, _PURPOSE)
    return msgspec.json.decode(found, type=Variables) if found else ()


def hide_secrets(text: str, variables: Variables) -> str:
    """Return a text for a page with the values of secret variables blotted out.

    Very short ones stay: blotting out every "1" would hide nothing, and the text with it.
    """
    secrets = {each.value for each in variables if each.secret and len(each.value) >= _TELLING}
    for value in sorted(secrets, key=len, reverse=True):
        text = text.replace(value, HIDDEN)
    return text


def as_mapping(variables: Variables) -> dict[str, str]:
    """Return name → value, as ``agents.compose`` and the commands take them."""
    return {variable.name: variable.value for variable in variables}


def merge_submitted(submitted: Iterable[tuple[str, str, bool]], current: Variables) -> Variables:
    """Return the variables that a form means: (name, value, secret) triples.

    A secret left empty keeps the value that it has. Of two with one name the last counts.
    """
    known: Mapping[str, Variable] = {variable.name: variable for variable in current}
    merged: dict[str, Variable] = {}
    for name, value, secret in submitted:
        kept = known.get(name)
        if secret and not value and kept is not None and kept.secret:
            merged[name] = kept
        elif name:
            merged[name] = Variable(name=name, value=value, secret=secret)
    return tuple(merged.values())


def check_names(variables: Variables) -> tuple[str, ...]:
    """Return the names that are none."""
    return tuple(item.name for item in variables if not NAME.fullmatch(item.name))
