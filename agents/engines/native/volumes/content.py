"""What volumes hold: filled from images, measured, archived, replaced by archives."""

import os
import secrets
import tempfile
from collections.abc import Callable, Collection, Mapping
from contextlib import ExitStack, suppress
from itertools import chain
from pathlib import Path

from agents.engines.native.images.removal import remove_tree
from agents.engines.native.images.streams import Readable, archive_errors, decompressed
from agents.engines.native.images.trees import TreeCopier
from agents.engines.native.images.unpacking import unpack
from agents.engines.native.volumes.notes import data_of
from agents.engines.native.volumes.sizes import measure
from agents.engines.native.volumes.store import VolumeStore, remove_draft
from agents.errors import ConflictError, NotSupportedError
from agents.linux import process, syscalls
from agents.linux.failures import kernel_errors
from agents.protocol.records import PrunedVolumes

Write = Callable[[bytes], object]

_CHUNK = 1 << 20
_MAGIC = 8
# tar(1): "some files differ", as those do that are written to meanwhile.
_TAR_CHANGED = 1


def is_empty(volumes: VolumeStore, name: str) -> bool:
    """Return whether a volume holds nothing. Raises ``NotFoundError``."""
    with kernel_errors("look into the volume", name):
        return not any(Path(volumes.find(name).mountpoint).iterdir())


def populate(
    volumes: VolumeStore, name: str, source: Path, holder: str = "", id_base: int = 0
) -> bool:
    """Copy a folder of an image into an empty volume, with the folder's owner and mode.

    A volume that holds something is left alone; return whether it was filled. Unless others
    than ``holder`` have it mounted, its content appears as a whole. ``id_base`` is taken from
    the source's ids, which a container with a user namespace of its own shows.

    Raises ``NotFoundError``.
    """
    with volumes.held_still(name):
        if not source.is_dir() or not is_empty(volumes, name):
            return False
        note, data = volumes.note(name), Path(volumes.find(name).mountpoint)
        in_place = bool(note.options) or bool(volumes.holders(name) - {holder})
        with kernel_errors("fill the volume", data):
            if in_place:
                _copy_in_place(TreeCopier(id_base=id_base), source, data)
            else:
                _copy_as_a_whole(TreeCopier(id_base=id_base), source, data, volumes.draft())
    return True


def _copy_as_a_whole(copier: TreeCopier, source: Path, data: Path, draft: Path) -> None:
    try:
        copier.copy(source, draft)
        _sync(draft)
        draft.rename(data)
    finally:
        remove_draft(draft)


def _copy_in_place(copier: TreeCopier, source: Path, data: Path) -> None:
    with ExitStack() as undo:
        undo.callback(_empty, data, [path.name for path in source.iterdir()])
        copier.copy_content(source, data)
        copier.describe(source, data)
        undo.pop_all()


def _empty(folder: Path, names: Collection[str]) -> None:
    for name in names:
        path = folder / name
        if path.is_dir() and not path.is_symlink():
            remove_draft(path)
        else:
            path.unlink(missing_ok=True)


def sizes(volumes: VolumeStore) -> dict[str, int]:
    """Return the bytes that each volume takes of this host's disk, by name.

    Those whose content is elsewhere, by their options, are left out. Blocks.
    """
    folders = {
        Path(volumes.find(note.name).mountpoint): note.name
        for note in volumes.notes()
        if not note.options
    }
    return {folders[path]: size for path, size in measure(tuple(folders)).items()}


def bury(volumes: VolumeStore, names: Collection[str]) -> dict[str, Path]:
    """Take away those of the volumes that nobody holds or reserves; return where they are now."""
    graves: dict[str, Path] = {}
    for name in names:
        with suppress(ConflictError):
            grave = volumes.bury(name)
            if grave is not None:
                graves[name] = grave
    return graves


def clear(graves: Mapping[str, Path]) -> PrunedVolumes:
    """Remove what was buried, and say what that gave back. Blocks for as long as it takes."""
    size = sum(measure([data_of(one) for one in graves.values()]).values())
    for grave in graves.values():
        with kernel_errors("remove the volume", grave):
            remove_tree(grave)
    return PrunedVolumes(names=tuple(graves), size=size)


def export(volumes: VolumeStore, name: str, write: Write, *, compress: bool = False) -> None:
    """Write a volume as a tar archive; see ``ArchivesVolumes.export_volume``."""
    holder = f"export-{secrets.token_hex(8)}"
    data = volumes.hold(name, holder)
    try:
        _run_tar(_tar_argv(data, compress=compress), write)
    finally:
        volumes.release(holder)


def _tar_argv(data: Path, *, compress: bool) -> tuple[str, ...]:
    return (
        "tar",
        "--create",
        "--format=posix",
        "--sparse",
        "--numeric-owner",
        "--xattrs",
        "--xattrs-include=*",
        "--one-file-system",
        *(("--gzip",) if compress else ()),
        f"--directory={data}",
        ".",
    )


def _run_tar(argv: tuple[str, ...], write: Write) -> None:
    with tempfile.TemporaryFile() as said:
        program = process.spawn(argv, stdout=process.PIPE, stderr=said)
        assert program.stdout is not None
        with program.stdout as output:
            try:
                while chunk := output.read(_CHUNK):
                    write(chunk)
            except BaseException:
                program.kill()
                program.wait()
                raise
        if program.wait() > _TAR_CHANGED:
            said.seek(0)
            raise process.failure(
                process.Completed(
                    argv=argv, stdout=b"", stderr=said.read(), exit_code=program.returncode
                )
            )


def replace(volumes: VolumeStore, name: str, source: Readable) -> int:
    """Put what an archive holds in the place of a volume's content; return its files' bytes.

    See ``ArchivesVolumes.import_volume``.
    """
    _check_replaceable(volumes, name)
    draft = volumes.draft()
    with kernel_errors("fill the volume", name), ExitStack() as undo:
        undo.callback(remove_draft, draft)
        draft.mkdir()
        draft.chmod(0o755)
        size = _unpack(name, source, draft)
        _sync(draft)
        with volumes.held_still(name), volumes.lock:
            _check_replaceable(volumes, name)
            syscalls.renameat2(draft, Path(volumes.find(name).mountpoint), syscalls.RENAME_EXCHANGE)
    return size


def _unpack(name: str, source: Readable, target: Path) -> int:
    root = os.open(target, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        with archive_errors(f"The archive for the volume {name}"):
            start = _read_start(source)
            return unpack(decompressed(_Again(start, source), start), root, layered=False)
    finally:
        os.close(root)


def _read_start(source: Readable) -> bytes:
    start = b""
    while len(start) < _MAGIC and (more := source.read(_MAGIC - len(start))):
        start += more
    return start


class _Again:
    """A stream whose beginning was read already."""

    def __init__(self, start: bytes, rest: Readable) -> None:
        self._start = start
        self._rest = rest

    def read(self, size: int = -1, /) -> bytes:
        """Read up to ``size`` bytes; all that is left if it is below 0."""
        if size < 0:
            return b"".join(chain((self._take(len(self._start)),), iter(self._next, b"")))
        return self._take(size) if self._start else self._rest.read(size)

    def _next(self) -> bytes:
        return self._rest.read(_CHUNK)

    def _take(self, size: int) -> bytes:
        taken, self._start = self._start[:size], self._start[size:]
        return taken


def _check_replaceable(volumes: VolumeStore, name: str) -> None:
    if volumes.note(name).options:
        raise NotSupportedError(
            f"the content of the volume {name} is elsewhere, by its options,"
            " and cannot be replaced as a whole",
            hint="Copy into it by a container that mounts it.",
        )
    if volumes.holders(name):
        raise ConflictError(
            f"the volume {name} is mounted by a container",
            hint="Stop the containers that use it first.",
        )


def _sync(folder: Path) -> None:
    fd = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        syscalls.syncfs(fd)
    finally:
        os.close(fd)
