"""Volumes whose content is elsewhere: the options ``type``, ``device`` and ``o`` of mount(8).

They mean what they mean to Docker's local driver, so a file that works there works here.
"""

import re
import socket
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from agents.errors import InvalidInputError, NotFoundError, NotSupportedError, ProgramError
from agents.linux import process

_KNOWN = ("type", "device", "o")
_FIELD = "driver_opts"
_SECRET = re.compile(r"(?<![^,])(pass|passwd|password|credentials)=[^,]*")
# A file server that does not answer is waited for so long.
_DEADLINE = 60.0


@dataclass(frozen=True, kw_only=True)
class Elsewhere:
    """What to mount for a volume; ``fstype`` is "none" for a bind."""

    fstype: str
    device: str
    options: tuple[str, ...]

    @property
    def is_bind(self) -> bool:
        """Return whether it is a folder of this host."""
        return not {"bind", "rbind"}.isdisjoint(self.options)


def parse(options: Mapping[str, str]) -> Elsewhere | None:
    """Return what a volume's options say, None if it has none.

    Raises ``InvalidInputError``.
    """
    for name in options:
        if name not in _KNOWN:
            raise _wrong(f"volumes have no option {name!r}", "The options are type, device and o.")
    given = {name: value for name, value in options.items() if value}
    if not given:
        return None
    found = Elsewhere(
        fstype=given.get("type", "none"),
        device=given.get("device", ""),
        options=tuple(one for one in given.get("o", "").split(",") if one),
    )
    if not found.device:
        raise _wrong("the volume's options name no device", "Add the option device.")
    if found.is_bind and not found.device.startswith("/"):
        raise _wrong(f"the device {found.device!r} is no absolute path", "Give the whole path.")
    if not found.is_bind and found.fstype == "none":
        raise _wrong("the volume's options name no type of file system", "Add the option type.")
    return found


def mount(name: str, elsewhere: Elsewhere, target: Path) -> None:
    """Mount a volume's content. Blocks, for at most a minute.

    Raises:
        NotFoundError: the folder to bind is not there.
        NotSupportedError: the kernel does not know the file system.
        InvalidInputError: mount(8) refuses, in its words.
        TimedOutError: a file server does not answer.
    """
    if elsewhere.is_bind and not Path(elsewhere.device).exists():
        raise NotFoundError(
            f"the path {elsewhere.device} of the volume {name} is not on this host",
            hint="Create it, or make the volume anew with another device.",
            field=_FIELD,
            file=elsewhere.device,
        )
    try:
        process.run(mount_argv(elsewhere, target), timeout=_DEADLINE)
    except ProgramError as exc:
        raise _refused(name, elsewhere, exc) from exc


def mount_argv(elsewhere: Elsewhere, target: Path) -> tuple[str, ...]:
    """Return how mount(8) is called; no helper program of a file system has a part in it.

    Raises ``NotFoundError`` for the name of a file server that cannot be looked up.
    """
    kind = () if elsewhere.is_bind else ("-t", elsewhere.fstype)
    options = _with_address(elsewhere)
    given = ("-o", ",".join(options)) if options else ()
    return ("mount", "-i", *kind, *given, "--", elsewhere.device, str(target))


def without_secrets(options: Mapping[str, str]) -> dict[str, str]:
    """Return options that may be shown."""
    return {name: _SECRET.sub(r"\1=…", value) for name, value in options.items()}


def _with_address(elsewhere: Elsewhere) -> tuple[str, ...]:
    """NFS in the kernel wants the server's number (nfs(5), "addr"), which mount.nfs looks up."""
    if not elsewhere.fstype.startswith("nfs"):
        return elsewhere.options
    given = [one for one in elsewhere.options if one.startswith("addr=")]
    server = given[0].removeprefix("addr=") if given else elsewhere.device.partition(":/")[0]
    others = tuple(one for one in elsewhere.options if one not in given)
    try:
        found = socket.getaddrinfo(server.strip("[]"), None, type=socket.SOCK_STREAM)
    except OSError as exc:
        raise NotFoundError(
            f"the file server {server} is not found: {exc.strerror}", field=_FIELD
        ) from exc
    return (*others, f"addr={found[0][4][0]}")


def _refused(name: str, elsewhere: Elsewhere, exc: ProgramError) -> Exception:
    reason = exc.stderr.splitlines()[0] if exc.stderr else exc.message
    reason = _SECRET.sub(r"\1=…", reason.removeprefix("mount: "))
    message = f"the volume {name} cannot be mounted: {reason}"
    if "unknown filesystem type" in exc.stderr:
        return NotSupportedError(
            message,
            hint=f"The kernel of this host has no {elsewhere.fstype}; load its module.",
            field=_FIELD,
        )
    return InvalidInputError(
        message, hint="Check the options type, device and o of the volume.", field=_FIELD
    )


def _wrong(message: str, hint: str) -> InvalidInputError:
    return InvalidInputError(message, hint=hint, field=_FIELD)
