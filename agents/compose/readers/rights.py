"""What keeps a service from the host, and what it is given of it."""

import re
from typing import Literal

from agents.compose.cursor import Cursor, Fields
from agents.compose.errors import FileReadError, InvalidValueError
from agents.compose.files import FileReader
from agents.compose.model import Device, Security
from agents.compose.readers.tables import DEVICE

_ACCESS = re.compile(r"[rwm]{1,3}")
_RULE = re.compile(r"[abc] (\*|\d+):(\*|\d+) [rwm]{1,3}")
_SECURITY = "no-new-privileges, seccomp=<file>, seccomp=unconfined or systempaths=unconfined"
_JOINED = "container:"


def read_security(fields: Fields, files: FileReader) -> Security:
    """Read ``security_opt`` and ``userns_mode``."""
    options = fields.read("security_opt", lambda at: _read_options(at, files), {})
    return Security(
        no_new_privileges="no-new-privileges" in options,
        seccomp=options.get("seccomp", ""),
        unmask="systempaths" in options,
        user_namespace=fields.read("userns_mode", _read_users, ""),
    )


def _read_options(cursor: Cursor, files: FileReader) -> dict[str, str]:
    return {
        name: value for name, value in cursor.each(lambda item: _read_option(item, files)) if name
    }


def _read_option(cursor: Cursor, files: FileReader) -> tuple[str, str]:
    text = cursor.word()
    name, _, value = text.replace(":", "=", 1).partition("=")
    if name == "no-new-privileges":
        return ("", "") if value == "false" else (name, "true")
    if name == "seccomp" and value:
        return name, value if value == "unconfined" else _read_profile(value, files)
    if name == "systempaths" and value == "unconfined":
        return name, value
    if name in ("apparmor", "label"):
        cursor.warn(f'"{text}" is ignored', hint="The host's own policy holds.")
        return "", ""
    raise InvalidValueError(f'"{text}" is not known', expected=_SECURITY)


def _read_profile(path: str, files: FileReader) -> str:
    try:
        return files.read(path)
    except FileReadError as exc:
        raise InvalidValueError(str(exc), expected="a file of the project") from exc


def _read_users(cursor: Cursor) -> Literal["", "host"]:
    text = cursor.word()
    if text not in ("host", "private", ""):
        raise InvalidValueError(f'"{text}" is not known', expected="host, or nothing")
    return "host" if text == "host" else ""


def read_devices(cursor: Cursor) -> tuple[Device, ...]:
    """Read ``devices``: ``source:target:rwm``, or a mapping."""
    return cursor.each(_read_device)


def _read_device(cursor: Cursor) -> Device:
    if cursor.is_mapping:
        fields = cursor.fields(DEVICE)
        source = fields.read("source", Cursor.word, "")
        target = fields.read("target", Cursor.word, "")
        access = fields.read("permissions", Cursor.word, "rwm")
    else:
        source, target, access = _split(cursor.word())
    if not source.startswith("/") or (target and not target.startswith("/")):
        expected = "a path like /dev/ttyUSB0, with :target and :rwm if need be"
        raise InvalidValueError(f'"{source}" is no path of a device', expected=expected)
    if not _ACCESS.fullmatch(access):
        raise InvalidValueError(f'"{access}" is no access', expected="some of r, w and m")
    return Device(source=source, target=target, access=access)


def _split(text: str) -> tuple[str, str, str]:
    source, _, rest = text.partition(":")
    target, _, access = rest.partition(":")
    if not access and _ACCESS.fullmatch(target):
        return source, "", target
    return source, target, access or "rwm"


def read_device_rules(cursor: Cursor) -> tuple[str, ...]:
    """Read ``device_cgroup_rules``, such as ``c 188:* rmw``."""
    return cursor.each(_read_rule)


def _read_rule(cursor: Cursor) -> str:
    text = cursor.word()
    if not _RULE.fullmatch(text):
        raise InvalidValueError(f'"{text}" is no rule', expected="a rule like c 188:* rwm")
    return text


def read_pid_mode(cursor: Cursor) -> str:
    """Read ``pid``: whose processes it sees."""
    return _read_mode(cursor, ("host", "private"))


def read_ipc_mode(cursor: Cursor) -> str:
    """Read ``ipc``: whose shared memory it has."""
    return _read_mode(cursor, ("host", "private", "shareable"))


def _read_mode(cursor: Cursor, known: tuple[str, ...]) -> str:
    text = cursor.word()
    is_joining = text.startswith(_JOINED) and text != _JOINED
    if text not in known and not is_joining:
        expected = f"{', '.join(known)} or container:<name>"
        raise InvalidValueError(f'"{text}" is not known', expected=expected)
    return "" if text == "private" else text


def read_uts_mode(cursor: Cursor) -> Literal["", "host"]:
    """Read ``uts``: whose hostname it has."""
    if cursor.word() != "host":
        raise InvalidValueError(f'"{cursor.word()}" is not known', expected="host")
    return "host"
