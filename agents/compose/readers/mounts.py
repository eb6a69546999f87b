"""Mounts of a service: ``volumes``, short and long, and ``tmpfs``."""

import posixpath
from dataclasses import dataclass
from typing import cast, get_args

import msgspec

from agents.compose.cursor import Cursor, Fields
from agents.compose.errors import InvalidValueError
from agents.compose.model import Mount, MountType, Propagation
from agents.compose.mounts import parse_mount, unknown_options
from agents.compose.quantities import parse_size
from agents.compose.readers.tables import MOUNT, MOUNT_BIND, MOUNT_TMPFS, MOUNT_VOLUME

# Read and kept, but no engine does anything about them.
_WITHOUT_EFFECT = ("selinux",)
_TYPES: dict[str, MountType] = {"bind": "bind", "volume": "volume", "tmpfs": "tmpfs"}


@dataclass(frozen=True)
class Paths:
    """How paths on the host are read: relative ones start at the project's folder."""

    working_dir: str = ""

    def resolve(self, path: str) -> str:
        """Return the path, absolute when the project's folder is known."""
        if path.startswith("~"):
            raise InvalidValueError(
                f'"{path}" starts with "~"',
                hint="Write the full path: nobody's home is meant here.",
            )
        if self.working_dir or path.startswith("/"):
            return posixpath.normpath(posixpath.join(self.working_dir, path))
        return posixpath.normpath(path)


class MountReader:
    """Reads all mounts of one service; no two may have the same target."""

    def __init__(self, paths: Paths) -> None:
        self._paths = paths
        self._targets: set[str] = set()

    def read_mounts(self, cursor: Cursor) -> tuple[Mount, ...]:
        """Read the list ``volumes``."""
        return cursor.each(self._read_mount)

    def read_tmpfs(self, cursor: Cursor) -> tuple[Mount, ...]:
        """Read ``tmpfs``: a path or a list of them, each perhaps with ``:size=…,mode=…``."""
        if cursor.is_list:
            return cursor.each(self._read_tmpfs)
        return (self._read_tmpfs(cursor),)

    def _read_mount(self, cursor: Cursor) -> Mount:
        return self._claim(cursor, _checked(_read_mount(cursor), self._paths))

    def _read_tmpfs(self, cursor: Cursor) -> Mount:
        return self._claim(cursor, _read_tmpfs(cursor))

    def _claim(self, cursor: Cursor, mount: Mount) -> Mount:
        if mount.target in self._targets:
            message = f"Two mounts have the target {mount.target}"
            raise InvalidValueError(message, code="duplicate_target")
        self._targets.add(mount.target)
        for option in _WITHOUT_EFFECT:
            if getattr(mount, option):
                cursor.warn(f'"{option}" has no effect yet')
        return mount


def _read_mount(cursor: Cursor) -> Mount:
    if cursor.is_mapping:
        return _read_long(cursor.fields(MOUNT))
    text = cursor.word()
    mount = parse_mount(text)
    for option in unknown_options(text):
        cursor.warn(f'The option "{option}" is ignored')
    return mount


def _checked(mount: Mount, paths: Paths) -> Mount:
    if not mount.target.startswith("/"):
        drive = mount.target[1:2] == ":"
        raise InvalidValueError(
            f'"{mount.target}" is not an absolute path',
            expected="a path from / in the container",
            hint="The name of a volume needs two or more characters." if drive else "",
        )
    target = posixpath.normpath(mount.target)
    if target == "/":
        raise InvalidValueError("Nothing can be mounted over the container's root")
    if mount.type != "bind":
        return msgspec.structs.replace(mount, target=target)
    return msgspec.structs.replace(mount, target=target, source=paths.resolve(mount.source))


def _read_long(fields: Fields) -> Mount:
    kind = fields.read("type", _read_type, None)
    target = fields.read("target", Cursor.word, "")
    if kind is None or not target:
        missing = "target" if kind else "type"
        raise InvalidValueError(f'"{missing}" is missing or wrong', expected="type and target")
    source = fields.read("source", Cursor.word, "")
    if kind == "bind" and not source:
        raise InvalidValueError("A bind mount needs a source", expected="a path on the host")
    if kind == "tmpfs" and source:
        raise InvalidValueError("A tmpfs has no source", hint='Remove "source".')
    read_only = fields.read("read_only", Cursor.boolean, False)
    mount = Mount(type=kind, target=target, source=source, read_only=read_only)
    return _with_options(mount, fields)


def _read_type(cursor: Cursor) -> MountType:
    kind = _TYPES.get(cursor.word())
    if kind is None:
        raise cursor.unexpected("bind, volume or tmpfs")
    return kind


def _with_options(mount: Mount, fields: Fields) -> Mount:
    for kind in _TYPES:
        if kind != mount.type and fields.get(kind) is not None:
            message = f'"{kind}" has no place in a mount of type {mount.type}'
            raise InvalidValueError(message)
    if mount.type == "bind":
        return fields.read("bind", lambda at: _with_bind(mount, at), mount)
    if mount.type == "tmpfs":
        return fields.read("tmpfs", lambda at: _with_tmpfs(mount, at), mount)
    return fields.read("volume", lambda at: _with_volume(mount, at), mount)


def _with_bind(mount: Mount, cursor: Cursor) -> Mount:
    fields = cursor.fields(MOUNT_BIND)
    return msgspec.structs.replace(
        mount,
        create_host_path=fields.read("create_host_path", Cursor.boolean, True),
        propagation=fields.read("propagation", _read_propagation, ""),
        selinux=fields.read("selinux", Cursor.word, ""),
    )


def _read_propagation(cursor: Cursor) -> Propagation:
    text = cursor.word()
    for known in get_args(Propagation):
        if text == known:
            return cast("Propagation", known)
    raise InvalidValueError(f'"{text}" is not known', expected="like rprivate or rslave")


def _with_volume(mount: Mount, cursor: Cursor) -> Mount:
    fields = cursor.fields(MOUNT_VOLUME)
    return msgspec.structs.replace(
        mount,
        nocopy=fields.read("nocopy", Cursor.boolean, False),
        subpath=fields.read("subpath", Cursor.word, ""),
    )


def _with_tmpfs(mount: Mount, cursor: Cursor) -> Mount:
    fields = cursor.fields(MOUNT_TMPFS)
    return msgspec.structs.replace(
        mount,
        tmpfs_size=fields.read("size", _read_size, None),
        tmpfs_mode=fields.read("mode", Cursor.integer, None),
    )


def _read_size(cursor: Cursor) -> int:
    return _positive_size(cursor.word())


def _positive_size(text: str) -> int:
    size = parse_size(text)
    if size < 0:
        raise InvalidValueError("A size cannot be negative", expected="a size, like 64m")
    return size


def _read_tmpfs(cursor: Cursor) -> Mount:
    target, _, options = cursor.word().partition(":")
    mount = _checked(Mount(type="tmpfs", target=target), Paths())
    for option in filter(None, options.split(",")):
        mount = _with_tmpfs_option(mount, option, cursor)
    return mount


def _with_tmpfs_option(mount: Mount, option: str, cursor: Cursor) -> Mount:
    name, _, value = option.partition("=")
    match name:
        case "size":
            return msgspec.structs.replace(mount, tmpfs_size=_positive_size(value))
        case "mode" if value and not value.strip("01234567"):
            return msgspec.structs.replace(mount, tmpfs_mode=int(value, 8))
        case "ro":
            return msgspec.structs.replace(mount, read_only=True)
    cursor.warn(f'The option "{option}" is ignored')
    return mount
