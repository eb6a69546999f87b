"""The volumes on disk: ``<root>/volumes/<name>/_data``, with ``volume.json`` beside it.

What is half made or half gone is a *draft*, a folder whose name no volume can have, and is
removed at the next start. Whether a container was made with a volume is known to the
containers; callers ask there, under ``lock``, before they remove one.
"""

import secrets
import threading
from collections import Counter, defaultdict
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path

from agents.engines.names import check_texts
from agents.engines.native.images.durable import sync_folder
from agents.engines.native.images.removal import remove_tree
from agents.engines.native.volumes import options
from agents.engines.native.volumes.holds import Holds
from agents.engines.native.volumes.notes import (
    NAME,
    VolumeNote,
    check_name,
    data_of,
    no_volume,
    read_note,
    to_record,
    write_note,
)
from agents.engines.specs import VolumeSpec
from agents.errors import ConflictError, NotFoundError
from agents.linux import mounts
from agents.linux.failures import kernel_errors
from agents.protocol.records import VolumeRecord

_DRAFT = ".draft-"
_ID_LENGTH = 64


class VolumeStore:
    """The volumes below ``root``/volumes, and who holds them below ``run``; any thread may call.

    ``lock`` keeps volumes from being removed while somebody finds out whether they may be.
    Raises ``OutOfSpaceError`` and ``KernelError`` besides what each method says.
    """

    def __init__(self, root: Path, run: Path) -> None:
        self._root = root / "volumes"
        self.lock = threading.RLock()
        self._reserved: Counter[str] = Counter()
        self._locks: defaultdict[str, threading.RLock] = defaultdict(threading.RLock)
        self._holds = Holds(run / "volumes")
        with kernel_errors("make the volume store", self._root):
            self._root.mkdir(parents=True, exist_ok=True)
            # What containers make setuid in a volume has their ids on the disk: root's.
            self._root.chmod(0o700)

    def create(self, spec: VolumeSpec) -> VolumeRecord:
        """Make an empty volume; one that is there is returned as it is.

        Raises:
            InvalidInputError: a bad name or bad options.
            ConflictError: it is there with other options.
        """
        check_name(spec.name)
        check_texts(spec)
        options.parse(spec.options)
        folder = self._root / spec.name
        with kernel_errors("create the volume", folder):
            if not folder.is_dir():
                self._make(spec)
        note = self.note(spec.name)
        if spec.options and dict(spec.options) != note.options:
            raise ConflictError(
                f"the volume {spec.name} is there with other options",
                hint="Remove it first, or choose another name.",
                field="volumes",
            )
        return to_record(note, folder)

    @contextmanager
    def reserved(self, names: Collection[str]) -> Iterator[None]:
        """Keep volumes, there or not, from being removed."""
        with self.lock:
            self._reserved.update(names)
        try:
            yield
        finally:
            with self.lock:
                self._reserved.subtract(names)
                self._reserved += Counter()

    def remove(self, name: str) -> None:
        """Remove a volume with what it holds. Idempotent.

        Raises ``ConflictError`` while somebody holds it or is about to.
        """
        grave = self.bury(name)
        if grave is not None:
            with kernel_errors("remove the volume", grave):
                remove_tree(grave)

    def bury(self, name: str) -> Path | None:
        """Take a volume away and return where it is now, None if there is none.

        Raises ``ConflictError`` as :meth:`remove` does.
        """
        check_name(name)
        folder, grave = self._root / name, self.draft()
        with self.lock, kernel_errors("remove the volume", folder):
            if self._reserved[name] or self._holds.of(name):
                raise ConflictError(f"the volume {name} is in use")
            if not folder.exists():
                return None
            _refuse_mounts(folder)
            folder.rename(grave)
            sync_folder(self._root)
        return grave

    def find(self, name: str) -> VolumeRecord:
        """Return a volume. Raises ``NotFoundError``, ``InvalidInputError``."""
        return to_record(self.note(name), self._root / name)

    def find_or_none(self, name: str) -> VolumeRecord | None:
        """Return a volume, None if there is none. Raises ``InvalidInputError``."""
        try:
            return self.find(name)
        except NotFoundError:
            return None

    def note(self, name: str) -> VolumeNote:
        """Return what a volume was made as. Raises ``NotFoundError``, ``InvalidInputError``."""
        check_name(name)
        with kernel_errors("read the volume", self._root / name):
            found = read_note(self._root / name)
        if found is None:
            raise no_volume(name)
        return found

    def notes(self, labels: Mapping[str, str] | None = None) -> tuple[VolumeNote, ...]:
        """Return what the volumes that bear all of ``labels`` were made as, by name."""
        with kernel_errors("list volumes in", self._root):
            names = sorted(path.name for path in self._root.iterdir())
            found = [read_note(self._root / name) for name in names if NAME.fullmatch(name)]
        wanted = (labels or {}).items()
        return tuple(one for one in found if one is not None and wanted <= one.labels.items())

    def list(self, labels: Mapping[str, str] | None = None) -> tuple[VolumeRecord, ...]:
        """Return the volumes that bear all of ``labels``, by name."""
        return tuple(to_record(one, self._root / one.name) for one in self.notes(labels))

    def has(self, name: str) -> bool:
        """Return whether there is a volume of a name. Raises ``InvalidInputError``."""
        check_name(name)
        return (self._root / name).is_dir()

    # held by those who mount them

    def hold(self, name: str, holder: str) -> Path:
        """Keep a volume for somebody, and return the folder of its content.

        With its first holder the volume's options are mounted. Idempotent.

        Raises ``NotFoundError``, and what :func:`options.mount` does.
        """
        with self.held_still(name):
            with self.lock, kernel_errors("hold the volume", name):
                note = self.note(name)
                self._holds.add(name, holder)
            data = data_of(self._root / name)
            try:
                self._mount(note, data)
            except BaseException:
                self._drop(name, holder)
                raise
        return data

    def release(self, holder: str) -> None:
        """Let go of all that somebody holds; with the last holder goes the mount. Idempotent."""
        with kernel_errors("release the volumes of", holder):
            names = self._holds.volumes_of(holder)
        for name in names:
            with self.held_still(name):
                self._drop(name, holder)

    def holders(self, name: str) -> frozenset[str]:
        """Return who holds a volume."""
        with kernel_errors("look at the volume", name):
            return self._holds.of(name)

    @contextmanager
    def held_still(self, name: str) -> Iterator[None]:
        """Keep other threads from mounting, filling or replacing a volume's content."""
        with self.lock:
            lock = self._locks[name]
        with lock:
            yield

    def _mount(self, note: VolumeNote, data: Path) -> None:
        elsewhere = options.parse(note.options)
        if elsewhere is not None and not mounts.is_mounted(data):
            options.mount(note.name, elsewhere, data)

    def _drop(self, name: str, holder: str) -> None:
        with kernel_errors("release the volume", name):
            # Unmounted first: what a crash leaves between is still held, and settled later.
            if self._holds.of(name) == {holder}:
                self._unmount(name)
            self._holds.drop(name, holder)

    def _unmount(self, name: str) -> None:
        note = read_note(self._root / name)
        if note is not None and note.options:
            mounts.unmount(data_of(self._root / name))

    # drafts, and what crashes leave

    def draft(self) -> Path:
        """Return a path of the same file system for what is not, or no longer, a volume."""
        return self._root / f"{_DRAFT}{secrets.token_hex(8)}"

    def repair(self) -> None:
        """Remove what crashes have left."""
        with kernel_errors("repair", self._root):
            for path in self._root.glob(f"{_DRAFT}*"):
                remove_draft(path)
            self._holds.tidy()
            for name in self._holds.volumes():
                for holder in self._holds.of(name):
                    # Acts of ours ended with the agent; containers are asked one by one.
                    if len(holder) != _ID_LENGTH:
                        self._drop(name, holder)
            for name in self._mounted():
                if not self._holds.of(name):
                    self._unmount(name)

    def _mounted(self) -> tuple[str, ...]:
        root = self._root.resolve()
        targets = (one.target for one in mounts.read_mounts())
        below = (one.relative_to(root).parts for one in targets if one.is_relative_to(root))
        return tuple(parts[0] for parts in below if len(parts) == 2)

    def _make(self, spec: VolumeSpec) -> None:
        draft = self.draft()
        try:
            data_of(draft).mkdir(parents=True)
            data_of(draft).chmod(0o755)
            write_note(draft, spec)
            draft.rename(self._root / spec.name)
            sync_folder(self._root)
        except OSError:
            # Somebody else may have made it meanwhile; then theirs is the volume.
            if read_note(self._root / spec.name) is None:
                raise
        finally:
            remove_draft(draft)


def remove_draft(path: Path) -> None:
    """Remove a tree as far as it goes; the next start tries again."""
    with suppress(OSError):
        remove_tree(path)


def _refuse_mounts(folder: Path) -> None:
    """What is mounted in a volume is not the volume's, and must not be emptied with it."""
    root = folder.resolve()
    for entry in mounts.read_mounts():
        if entry.target.is_relative_to(root):
            raise ConflictError(
                f"something is mounted at {entry.target}, inside the volume {folder.name}",
                hint="Unmount it first.",
            )
