"""Finds and identifies what COPY and ADD take: files of the context, of a stage or an image."""

import hashlib
import os
import posixpath
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from agents.engines.native.build.patterns import Matcher, has_wildcards, match_glob
from agents.engines.native.images import scope
from agents.engines.native.images.folders import DEEPEST
from agents.errors import InvalidInputError, NotFoundError

_CHUNK = 1 << 20


@dataclass(frozen=True, kw_only=True)
class Source:
    """A file or folder of a tree to copy; ``name`` is what it is called, ``path`` where it is."""

    tree: "SourceTree"
    name: str
    path: Path

    @property
    def is_folder(self) -> bool:
        """Return whether the content of a folder is meant."""
        return self.path.is_dir()

    def digest(self) -> str:
        """Return a digest of all that is copied with it; times do not count."""
        digest = hashlib.sha256()
        for name, path in self.tree.walk(self.path, ""):
            digest.update(_identify(name, path, self.tree.owner))
        return digest.hexdigest()


@dataclass(frozen=True, kw_only=True)
class SourceTree:
    """A folder that nothing outside of can be taken from. ``ignored`` hides parts of it.

    ``owner`` is whom the files are given to; None leaves them to those who own them.
    """

    root: Path
    ignored: Matcher
    owner: tuple[int, int] | None = None
    title: str = "the build context"

    def find(self, pattern: str) -> list[Source]:
        """Return what a path or pattern means, at least one.

        Raises ``NotFoundError``, ``InvalidInputError``.
        """
        clean = posixpath.normpath(posixpath.join("/", pattern)).lstrip("/")
        names = sorted(self._match(clean)) if has_wildcards(clean) else [clean]
        found = [self._source(name) for name in names]
        sources = [source for source in found if source is not None]
        if not sources:
            raise NotFoundError(
                f"{pattern!r} is not in {self.title}.",
                hint="Is it excluded by .dockerignore?" if self.ignored.patterns else "",
            )
        return sources

    def keeps(self, name: str) -> bool:
        """Return whether a path relative to the root is not ignored."""
        return name in ("", ".") or not self.ignored.hides(name)

    def _source(self, name: str) -> Source | None:
        path = scope.resolve(self.root, name)
        if not path.exists() or not self._shows(path):
            return None
        return Source(tree=self, name=posixpath.basename(name), path=path)

    def _shows(self, path: Path) -> bool:
        name = path.relative_to(self.root).as_posix()
        if self.keeps(name):
            return True
        if not self.ignored.has_exceptions or not path.is_dir():
            return False
        return any(True for _ in self.walk(path, ""))

    def _match(self, pattern: str) -> Iterator[str]:
        parts = pattern.split("/")
        names = [""]
        for part in parts:
            expression = match_glob(part)
            names = [
                posixpath.join(name, entry)
                for name in names
                for entry in self._list(name)
                if expression.fullmatch(entry)
            ]
        yield from names

    def _list(self, name: str) -> list[str]:
        folder = scope.resolve(self.root, name)
        return sorted(path.name for path in folder.iterdir()) if folder.is_dir() else []

    def walk(self, path: Path, name: str) -> Iterator[tuple[str, Path]]:
        """Return all below a path that is not ignored, itself included, as ``name``/…

        Raises ``InvalidInputError`` for a tree that is too deep.
        """
        if len(path.parts) - len(self.root.parts) > DEEPEST:
            raise InvalidInputError(f"{name[:200]} is too deep: {DEEPEST} folders are taken.")
        if self.keeps(path.relative_to(self.root).as_posix()):
            yield name, path
        if path.is_dir() and not path.is_symlink():
            for child in sorted(path.iterdir()):
                yield from self.walk(child, posixpath.join(name, child.name))


def _identify(name: str, path: Path, owner: tuple[int, int] | None) -> bytes:
    found = path.lstat()
    kind = stat.S_IFMT(found.st_mode)
    uid, gid = owner or (found.st_uid, found.st_gid)
    head = (name, oct(found.st_mode), str(uid), str(gid), str(found.st_rdev))
    content = ""
    if kind == stat.S_IFREG:
        content = _digest_file(path)
    elif kind == stat.S_IFLNK:
        content = str(path.readlink())
    return os.fsencode("\0".join((*head, content, "\n")))


def _digest_file(path: Path) -> str:
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK):
            digest.update(chunk)
    return digest.hexdigest()
