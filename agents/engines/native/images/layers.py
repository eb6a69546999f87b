"""Layers on disk: one folder for each, in the form that overlayfs takes as a lower folder.

A layer is made in a *draft*, a folder that holds its own lock while somebody works in it,
and is renamed into its place when it is whole. What a crash leaves is a draft that nobody
locks. A layer that has not been synced to disk is trusted until the next boot only.
"""

import hashlib
import os
import secrets
from collections.abc import Collection, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import msgspec

from agents.engines.native import runtime
from agents.engines.native.images import pack
from agents.engines.native.images.durable import sync_folder, try_lock, write_file
from agents.engines.native.images.recipe import (
    ORPHANS,
    OWN_ROOT,
    RECIPE,
    Write,
    assemble,
    damaged_layer,
)
from agents.engines.native.images.removal import remove_tree
from agents.engines.native.images.trees import remove_empty
from agents.errors import InvalidInputError, NotFoundError, NotSupportedError
from agents.linux import cgroups, mounts, syscalls

PREFIX = "sha256:"
# A link in a draft to a folder elsewhere, in which its files are mounted as "rootfs".
PASSAGE = "passage"


class LayerInfo(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What is noted beside a layer; ``boot`` is "" once the layer is surely on disk."""

    size: int
    boot: str = ""


@dataclass(frozen=True, kw_only=True)
class Draft:
    """A folder to make a layer in. ``diff`` becomes the layer; the rest is thrown away."""

    path: Path

    @property
    def diff(self) -> Path:
        """The layer itself, or the upper folder of an overlay."""
        return self.path / "diff"

    @property
    def work(self) -> Path:
        """The overlay's own folder."""
        return self.path / "work"

    @property
    def merged(self) -> Path:
        """Where an overlay may be mounted; it is unmounted with the draft."""
        return self.path / "merged"

    @property
    def runtime(self) -> Path:
        """The state of containers that run for this draft; they end with it."""
        return self.path / "runtime"


class LayerStore:
    """The layers below ``root``. Callers hold the store's lock when they change it."""

    def __init__(self, root: Path) -> None:
        self._layers = root / "layers"
        self._drafts = root / "drafts"
        for folder in (self._layers, self._drafts):
            folder.mkdir(parents=True, exist_ok=True, mode=0o700)

    def path(self, diff_id: str) -> Path:
        """Return the folder of a layer, whether it is there or not."""
        return self._folder(diff_id) / "diff"

    def size(self, diff_id: str) -> int:
        """Return the bytes of a layer's files; 0 if it is not there."""
        info = self._info(diff_id)
        return info.size if info else 0

    def has(self, diff_id: str) -> bool:
        """Return whether a layer is there and whole."""
        info = self._info(diff_id)
        return info is not None and info.boot in ("", boot_id())

    @contextmanager
    def draft(self) -> Iterator[Draft]:
        """Give a new draft, and remove it with all that is in it at the end."""
        draft, lock = self._claim()
        try:
            for folder in (draft.diff, draft.work, draft.merged):
                folder.mkdir()
            draft.diff.chmod(0o755)
            yield draft
        finally:
            discard(draft)
            os.close(lock)

    def _claim(self) -> tuple[Draft, int]:
        """Make a draft's folder and lock it; again, if a repair took it before it was locked."""
        while True:
            draft = Draft(path=self._drafts / secrets.token_hex(8))
            draft.path.mkdir(mode=0o700)
            try:
                lock = os.open(draft.path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
            except FileNotFoundError:
                continue
            if try_lock(lock) and os.fstat(lock).st_nlink:
                return draft, lock
            os.close(lock)

    def keep(self, draft: Draft, diff_id: str, size: int) -> None:
        """Move a draft's layer into its place; one that is there already stays."""
        if self.has(diff_id):
            return
        self._remove(diff_id)
        info = LayerInfo(size=size, boot=boot_id())
        final = self._folder(diff_id)
        staged = draft.path / "layer"
        staged.mkdir(mode=0o700)
        draft.diff.rename(staged / "diff")
        for name in (RECIPE, ORPHANS, OWN_ROOT):
            with suppress(FileNotFoundError):
                (draft.path / name).rename(staged / name)
        write_file(staged / "layer.json", msgspec.json.encode(info))
        staged.rename(final)
        sync_folder(self._layers)

    def write_tar(self, diff_id: str, write: Write) -> None:
        """Write a layer as the plain tar that its digest names. Blocks while it reads all.

        Raises ``NotFoundError``, and ``InvalidInputError`` at the end for a damaged one.
        """
        if not self.has(diff_id):
            raise NotFoundError(f"The layer {diff_id} is not there.")
        digest = hashlib.sha256()

        def write_hashed(data: bytes) -> None:
            digest.update(data)
            write(data)

        folder = self._folder(diff_id)
        if (folder / RECIPE).exists():
            assemble(folder, write_hashed)
        else:
            pack.write_tar(folder / "diff", write_hashed)
        if digest.hexdigest() != folder.name:
            raise damaged_layer()

    def make_durable(self, diff_ids: Iterable[str]) -> None:
        """Write layers through to the disk; blocks for as long as the disk takes."""
        fresh = {one: info for one in diff_ids if (info := self._info(one)) and info.boot}
        if not fresh:
            return
        fd = os.open(self._layers, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            syscalls.syncfs(fd)
        finally:
            os.close(fd)
        for diff_id, info in fresh.items():
            path = self._folder(diff_id) / "layer.json"
            write_file(path, msgspec.json.encode(LayerInfo(size=info.size)))

    def bury(self, used: Collection[str]) -> list[Path]:
        """Take every layer that is not in ``used`` out of the store, for :meth:`delete`."""
        gone = [one.name for one in self._layers.iterdir() if PREFIX + one.name not in used]
        return [self._bury(PREFIX + name) for name in gone]

    def delete(self, graves: Iterable[Path]) -> int:
        """Delete what was buried, without the store's lock; return the bytes freed."""
        return sum(_delete(grave) for grave in graves)

    def repair(self) -> None:
        """Remove the drafts that nobody works in."""
        for path in self._drafts.iterdir():
            fd = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
            try:
                if try_lock(fd):
                    discard(Draft(path=path))
            finally:
                os.close(fd)

    def _bury(self, diff_id: str) -> Path:
        grave = self._drafts / secrets.token_hex(8)
        self._folder(diff_id).rename(grave)
        return grave

    def _remove(self, diff_id: str) -> None:
        """Remove what is left of a layer that is not whole."""
        with suppress(FileNotFoundError):
            _delete(self._bury(diff_id))

    def _folder(self, diff_id: str) -> Path:
        return self._layers / hex_of(diff_id)

    def _info(self, diff_id: str) -> LayerInfo | None:
        try:
            data = (self._folder(diff_id) / "layer.json").read_bytes()
        except FileNotFoundError:
            return None
        return msgspec.json.decode(data, type=LayerInfo)


def find_root(layers: Sequence[Path]) -> Path | None:
    """Return the folder whose owner and mode are those of "/"; ``layers`` are lowest first.

    None if there are no layers. A layer whose tar is silent on "/" leaves it as it was.
    """
    telling = (one for one in reversed(layers) if (one.parent / OWN_ROOT).exists())
    return next(telling, layers[-1] if layers else None)


def hex_of(digest: str) -> str:
    """Return the digits of a sha256 digest. Raises ``InvalidInputError`` for anything else."""
    digits = digest.removeprefix(PREFIX)
    if digits == digest or len(digits) != 64 or set(digits) - set("0123456789abcdef"):
        raise InvalidInputError(f"{digest!r} is no sha256 digest.")
    return digits


@cache
def boot_id() -> str:
    """Return the kernel's name for this boot; see random(4)."""
    return Path("/proc/sys/kernel/random/boot_id").read_text().strip()


def discard(draft: Draft) -> None:
    """End what runs in a draft, unmount and remove it. Idempotent."""
    _delete_containers(draft)
    mounts.unmount(draft.merged)
    _discard_passage(draft.path / PASSAGE)
    with suppress(OSError):
        remove_tree(draft.path)


def _discard_passage(link: Path) -> None:
    """Take down what a draft has mounted elsewhere, in the folder that ``link`` names."""
    if not link.is_symlink():
        return
    rootfs = link.readlink() / "rootfs"
    mounts.unmount(rootfs)
    with suppress(OSError):
        with suppress(FileNotFoundError):
            # First and by itself: were it still mounted, these would be the image's files.
            rootfs.rmdir()
        remove_tree(rootfs.parent)
    remove_empty(*rootfs.parent.parents[:2])


def _delete(grave: Path) -> int:
    """Delete a folder unless another process does it; return the bytes freed."""
    try:
        fd = os.open(grave, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    except FileNotFoundError:
        return 0
    try:
        return remove_tree(grave) if try_lock(fd) else 0
    finally:
        os.close(fd)


def _delete_containers(draft: Draft) -> None:
    state, passage = draft.runtime, draft.path / PASSAGE
    names = {entry.name for entry in state.iterdir()} if state.is_dir() else set()
    if passage.is_symlink():
        names.add(passage.readlink().name)
    for name in names:
        with suppress(NotSupportedError):
            if (state / name).exists():
                runtime.run(state, "delete", "--force", name, check=False)
        # Cut off in the middle, the runtime leaves what it does not know of any more.
        cgroups.end(cgroups.host_layout(), runtime.build_cgroup(name))
