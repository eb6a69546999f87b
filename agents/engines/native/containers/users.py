"""Who a container's first process is: ``user`` of image or spec, looked up in its own files."""

import os
import stat
from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from agents.engines.native.oci.types import User
from agents.errors import InvalidInputError, NotFoundError
from agents.linux import in_root
from agents.linux.failures import kernel_errors

_HIGHEST = 2**31 - 1
_LARGEST = 1_000_000


@dataclass(frozen=True, kw_only=True)
class Account:
    """A user of a container, with the home folder for ``HOME``."""

    user: User
    home: str


def find_account(root: Path, wanted: str, groups: Iterable[str] = ()) -> Account:
    """Return the account for ``name``, ``uid``, ``name:group`` or ``uid:gid``; "" is root.

    Names are looked up in /etc/passwd and /etc/group below ``root``; a number need not be
    there. Groups that list the user are added unless a group is given, as Docker does, and
    ``groups`` (names or numbers) in any case.

    Raises:
        InvalidInputError: there is no such user or group in the image.
    """
    name, _, group = wanted.partition(":")
    entry = _find_user(root, name or "0")
    more = () if group else _memberships(root, entry.name)
    asked = tuple(_find_group(root, one) for one in groups)
    user = User(
        uid=entry.uid,
        gid=_find_group(root, group) if group else entry.gid,
        additional_gids=tuple(dict.fromkeys((*more, *asked))),
    )
    return Account(user=user, home=entry.home)


def user_names(root: Path) -> dict[int, str]:
    """Return the names of a container's users by their numbers, the first of each."""
    names: dict[int, str] = {}
    for fields in _lines(root, "/etc/passwd", 7):
        if fields[2].isdecimal():
            names.setdefault(int(fields[2]), fields[0])
    return names


@dataclass(frozen=True, kw_only=True)
class _Entry:
    name: str
    uid: int
    gid: int
    home: str


def _find_user(root: Path, wanted: str) -> _Entry:
    for fields in _lines(root, "/etc/passwd", 7):
        if fields[0] == wanted or (wanted.isdecimal() and fields[2] == wanted):
            return _Entry(
                name=fields[0],
                uid=_number(fields[2], "user"),
                gid=_number(fields[3], "group"),
                home=fields[5] or "/",
            )
    if wanted.isdecimal():
        home = "/root" if wanted == "0" else "/"
        return _Entry(name="", uid=_number(wanted, "user"), gid=0, home=home)
    raise InvalidInputError(f"the image has no user {wanted}", field="user")


def _find_group(root: Path, wanted: str) -> int:
    if wanted.isdecimal():
        return _number(wanted, "group")
    for fields in _lines(root, "/etc/group", 4):
        if fields[0] == wanted:
            return _number(fields[2], "group")
    raise InvalidInputError(f"the image has no group {wanted}", field="user")


def _memberships(root: Path, name: str) -> tuple[int, ...]:
    return tuple(
        _number(fields[2], "group")
        for fields in _lines(root, "/etc/group", 4)
        if name and name in fields[3].split(",")
    )


def _lines(root: Path, path: str, count: int) -> Iterator[list[str]]:
    for line in _read(root, path).splitlines():
        fields = line.split(":")
        if len(fields) >= count:
            yield fields


def _read(root: Path, path: str) -> str:
    """Return a file's text, "" if it is none; the tree may be changed meanwhile."""
    with kernel_errors("read", path), ExitStack() as stack:
        top = os.open(root, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
        stack.callback(os.close, top)
        try:
            found = in_root.open_path(top, path, follow=True)
        except NotFoundError:
            return ""
        stack.callback(os.close, found)
        if not stat.S_ISREG(os.fstat(found).st_mode):
            return ""
        with os.fdopen(in_root.reopen(found, os.O_RDONLY), "rb") as file:
            return file.read(_LARGEST).decode(errors="replace")


def _number(text: str, what: str) -> int:
    if text.isdecimal() and int(text) <= _HIGHEST:
        return int(text)
    raise InvalidInputError(f"{text} is no number of a {what}", field="user")
