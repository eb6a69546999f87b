"""What a container has changed of its image: told, given away, or made an image's layer.

All is read from the layers and the container's own folder on the disk, where ids are those
that a process in the container sees, whatever user namespace it runs in.
"""

import os
import stat
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path

from agents.engines.native.images import pack
from agents.engines.native.images.layers import Draft, find_root
from agents.engines.native.images.recipe import Write
from agents.engines.native.images.unpacking import unpack_layer
from agents.linux import mounts
from agents.protocol.records import FileChange

# Made by the runtime as places to mount at, in every container.
_PLACES = frozenset(
    ["dev", "proc", "sys", "etc/hosts", "etc/hostname", "etc/resolv.conf", "dev/console"]
)


def find_changes(lower: Path, upper: Path) -> tuple[FileChange, ...]:
    """Compare a container's own folder with its image, mounted at ``lower``; sorted by path."""
    found: list[FileChange] = []
    if upper.is_dir():
        for path, name, status in pack.walk(upper):
            found += _changes_of(lower, path, name, status)
    found = [one for one in found if _is_change(one, found, lower, upper)]
    return tuple(sorted(found, key=lambda one: one.path))


def _is_change(
    change: FileChange, all_changes: Sequence[FileChange], lower: Path, upper: Path
) -> bool:
    """Return whether this is more than a folder that holds a place to mount at."""
    name = change.path.removeprefix("/")
    if change.kind != "changed" or not stat.S_ISDIR((upper / name).lstat().st_mode):
        return True
    is_same = _describe(upper / name) == _describe(lower / name)
    return not is_same or any(one.path.startswith(f"{change.path}/") for one in all_changes)


def _changes_of(lower: Path, path: Path, name: str, status: os.stat_result) -> Iterator[FileChange]:
    there = os.path.lexists(lower / name)
    if pack.is_whiteout(path, status):
        if there:
            yield FileChange(path=f"/{name}", kind="deleted")
        return
    if is_place(name, status):
        return
    yield FileChange(path=f"/{name}", kind="changed" if there else "added")
    if stat.S_ISDIR(status.st_mode) and pack.is_opaque(path) and (lower / name).is_dir():
        for hidden in (lower / name).iterdir():
            if not os.path.lexists(path / hidden.name):
                yield FileChange(path=f"/{name}/{hidden.name}", kind="deleted")


def is_place(name: str, status: os.stat_result) -> bool:
    """Return whether this is but a place that the runtime mounts at, and nobody's change."""
    is_bare = stat.S_ISDIR(status.st_mode) or status.st_size == 0
    return name in _PLACES and is_bare


@contextmanager
def whole(layers: Sequence[Path], upper: Path, draft: Draft) -> Iterator[Path]:
    """Give the container's file system as it is, read-only, with the ids of the disk."""
    own = [upper] if upper.is_dir() else []
    with _mounted([*own, *reversed(layers)], draft) as merged:
        yield merged


@contextmanager
def image_only(layers: Sequence[Path], draft: Draft) -> Iterator[Path]:
    """Give the image's file system, read-only."""
    with _mounted(list(reversed(layers)), draft) as merged:
        yield merged


@contextmanager
def _mounted(lower: list[Path], draft: Draft) -> Iterator[Path]:
    if lower:
        mounts.mount_overlay(lower, draft.merged)
    try:
        yield draft.merged
    finally:
        mounts.unmount(draft.merged)


def write_whole(root: Path, write: Write) -> None:
    """Write a mounted file system as a tar."""
    writer = pack.TarWriter(write)
    for path, name, status in pack.walk(root):
        writer.add(path, name, status)
    writer.end()


def make_layer(upper: Path, layers: Sequence[Path], draft: Draft) -> tuple[str, int]:
    """Make a layer of a container's own folder; return its digest and the bytes of its files.

    The folder is packed and unpacked again, so that the container may go on with it.
    ``layers`` are its image's, lowest first.
    """
    below = find_root(layers)
    changed = below is None or _describe(upper) != _describe(below)
    pack_into = partial(pack.write_tar, upper, keep=_is_kept, with_root=changed)
    with _packing(pack_into) as source:
        found = unpack_layer(source, draft)
    return found.diff_id, found.size


def _describe(folder: Path) -> tuple[int, int, int]:
    found = folder.lstat()
    return found.st_mode, found.st_uid, found.st_gid


def _is_kept(name: str, status: os.stat_result) -> bool:
    return not is_place(name, status)


@contextmanager
def _packing(pack_into: Callable[[Write], None]) -> Iterator["_Pipe"]:
    """Give what ``pack_into`` writes, from a thread, while it is read."""
    read, write = os.pipe()
    errors: list[BaseException] = []

    def work() -> None:
        file = os.fdopen(write, "wb")
        try:
            pack_into(file.write)
            file.flush()
        except BaseException as exc:  # noqa: BLE001  (raised where it is read)
            errors.append(exc)
        finally:
            # A reader that has gone has an error of its own to tell.
            with suppress(BrokenPipeError):
                file.close()

    thread = threading.Thread(target=work, name="pack", daemon=True)
    thread.start()
    try:
        yield _Pipe(read, errors)
    finally:
        os.close(read)
        thread.join()


class _Pipe:
    def __init__(self, fd: int, errors: list[BaseException]) -> None:
        self._fd = fd
        self._errors = errors

    def read(self, size: int = -1) -> bytes:
        data = os.read(self._fd, size if size > 0 else 1 << 20)
        if not data and self._errors:
            raise self._errors[0]
        return data
