"""Carries out COPY and ADD in the mounted root file system of a stage."""

import os
import posixpath
import stat
import tarfile
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from agents.engines.native.build.sources import Source, SourceTree
from agents.engines.native.images import scope
from agents.engines.native.images.extract import Unpacker
from agents.engines.native.images.streams import archive_errors
from agents.engines.native.images.tarinfo import FileContent, entry_of
from agents.engines.native.images.trees import TreeCopier, make_folders
from agents.errors import ConflictError, InvalidInputError


@dataclass(frozen=True, kw_only=True)
class CopyJob:
    """What to copy where. ``target`` is absolute in the image; a folder if ``into``.

    ``owner`` (uid, gid) and ``mode`` override those of the files. ``unpack`` is set for
    ADD, whose local archives are unpacked.
    """

    sources: Sequence[Source]
    target: str
    into: bool
    owner: tuple[int, int] | None = None
    mode: int | None = None
    unpack: bool = False


@dataclass(kw_only=True)
class Copying:
    """Runs one job below ``root``; ``scratch`` is a folder for what lives in between."""

    root: Path
    scratch: Path
    job: CopyJob
    _unpacked: int = field(default=0)

    def run(self) -> None:
        """Copy all. Raises ``ConflictError``, ``InvalidInputError``, OSError."""
        for source in self.job.sources:
            if source.is_folder:
                self._copy_folder(source.path, source.tree)
            elif self.job.unpack and tarfile.is_tarfile(source.path):
                self._copy_archive(source.path)
            else:
                self._copy_file(source)

    def _copy_folder(self, path: Path, tree: SourceTree | None) -> None:
        target = scope.resolve(self.root, self.job.target)
        created = self._make_folders(target)
        copier = self._copier(tree)
        copier.copy_content(path, target)
        if created and tree is not None:
            copier.describe(path, target)

    def _copy_archive(self, path: Path) -> None:
        self._unpacked += 1
        folder = self.scratch / f"unpacked-{self._unpacked}"
        folder.mkdir()
        _unpack(path, folder)
        self._copy_folder(folder, None)

    def _copy_file(self, source: Source) -> None:
        target = scope.resolve(self.root, self.job.target)
        if self.job.into or target.is_dir():
            self._make_folders(target)
            target = scope.resolve(
                self.root, posixpath.join(self.job.target, source.name), follow_last=False
            )
        else:
            self._make_folders(target.parent)
        self._copier(source.tree).copy(source.path, target)

    def _copier(self, tree: SourceTree | None) -> TreeCopier:
        """Return a copier for a tree; None is an unpacked archive, which keeps its owners."""
        if tree is None:
            return TreeCopier(owner=self.job.owner, mode=self.job.mode)
        copier = TreeCopier(owner=self.job.owner or tree.owner, mode=self.job.mode)
        if tree.ignored.patterns:
            copier.base, copier.keep = tree.root, tree.keeps
            copier.has_exceptions = tree.ignored.has_exceptions
        return copier

    def _make_folders(self, path: Path) -> bool:
        """Make a folder and those above it, with the job's owner; return whether it is new."""
        created = make_folders(path, self.root, self.job.owner or (0, 0))
        if not path.is_dir():
            raise ConflictError(f"{self.job.target!r} is there and is no folder.")
        return created


def _unpack(path: Path, folder: Path) -> None:
    root = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        unpacker = Unpacker(root, layered=False)
        try:
            with archive_errors(f"The archive {path.name}"), tarfile.open(path, "r:*") as tar:
                for member in tar:
                    content = tar.extractfile(member) if member.isreg() else None
                    unpacker.add(entry_of(member), FileContent(content) if content else None)
        finally:
            unpacker.close()
    finally:
        os.close(root)


def read_mode(text: str) -> int | None:
    """Return the mode of ``--chmod``, octal; None for "". Raises ``InvalidInputError``."""
    if not text:
        return None
    try:
        mode = int(text, 8)
    except ValueError as exc:
        raise InvalidInputError(f"--chmod={text} is no octal mode.") from exc
    if mode != stat.S_IMODE(mode):
        raise InvalidInputError(f"--chmod={text} is out of range.")
    return mode
