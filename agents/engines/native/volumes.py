"""Named volumes: ``<root>/volumes/<name>/_data``, with ``volume.json`` beside it.

Whether a volume is in use is known to the containers; callers ask there before removing.
"""

import re
import secrets
import shutil
from collections.abc import Mapping
from pathlib import Path

import msgspec

from agents.engines.native.images.durable import sync_folder, write_file
from agents.engines.native.images.trees import TreeCopier
from agents.engines.specs import VolumeSpec
from agents.errors import InvalidInputError, NotFoundError
from agents.linux.failures import kernel_errors
from agents.protocol.records import VolumeRecord

_NAME = re.compile(r"[a-zA-Z0-9][a-zA-Z0-9_.-]{1,254}")
_DRAFT = ".draft-"


class VolumeNote(msgspec.Struct, frozen=True, kw_only=True):
    """What is kept beside a volume's content."""

    name: str
    labels: dict[str, str] = {}


class VolumeStore:
    """The volumes below ``root``/volumes; any thread or process may call.

    Raises ``OutOfSpaceError`` and ``KernelError`` besides what each method says.
    """

    def __init__(self, root: Path) -> None:
        self._root = root / "volumes"
        with kernel_errors("make the volume store", self._root):
            self._root.mkdir(parents=True, exist_ok=True, mode=0o711)

    def create(self, spec: VolumeSpec) -> VolumeRecord:
        """Make an empty volume; one that is there is returned as it is.

        Raises ``InvalidInputError`` for a bad name.
        """
        _check_name(spec.name)
        with kernel_errors("create the volume", self._root / spec.name):
            if not (self._root / spec.name).is_dir():
                self._make(spec)
        return self.find(spec.name)

    def remove(self, name: str) -> None:
        """Remove a volume with what it holds. Idempotent."""
        _check_name(name)
        grave = self._draft()
        with kernel_errors("remove the volume", self._root / name):
            try:
                (self._root / name).rename(grave)
            except FileNotFoundError:
                return
            shutil.rmtree(grave)

    def find(self, name: str) -> VolumeRecord:
        """Return a volume. Raises ``NotFoundError``, ``InvalidInputError``."""
        _check_name(name)
        with kernel_errors("read the volume", self._root / name):
            record = self._record(name)
        if record is None:
            raise NotFoundError(f"There is no volume {name!r} on this host.", field="volumes")
        return record

    def list(self, labels: Mapping[str, str] | None = None) -> tuple[VolumeRecord, ...]:
        """Return the volumes that bear all of ``labels``, by name."""
        with kernel_errors("list volumes in", self._root):
            names = sorted(path.name for path in self._root.iterdir())
            records = [self._record(name) for name in names if _NAME.fullmatch(name)]
        wanted = (labels or {}).items()
        return tuple(one for one in records if one is not None and wanted <= one.labels.items())

    def is_empty(self, name: str) -> bool:
        """Return whether a volume holds nothing. Raises ``NotFoundError``."""
        return not any(Path(self.find(name).mountpoint).iterdir())

    def populate(self, name: str, source: Path) -> bool:
        """Copy a folder of an image into an empty volume, with the folder's owner and mode.

        A volume that holds something is left alone; return whether it was filled. Its
        content appears as a whole. Raises ``NotFoundError``.
        """
        if not source.is_dir() or not self.is_empty(name):
            return False
        draft = self._draft()
        with kernel_errors("fill the volume", self._root / name):
            try:
                TreeCopier().copy(source, draft)
                draft.rename(self._root / name / "_data")
            finally:
                shutil.rmtree(draft, ignore_errors=True)
        return True

    def repair(self) -> None:
        """Remove what crashes have left."""
        with kernel_errors("repair", self._root):
            for path in self._root.glob(f"{_DRAFT}*"):
                shutil.rmtree(path, ignore_errors=True)

    def _make(self, spec: VolumeSpec) -> None:
        draft = self._draft()
        try:
            (draft / "_data").mkdir(parents=True)
            (draft / "_data").chmod(0o755)
            note = VolumeNote(name=spec.name, labels=dict(spec.labels))
            write_file(draft / "volume.json", msgspec.json.encode(note))
            draft.rename(self._root / spec.name)
            sync_folder(self._root)
        except OSError:
            # Somebody else may have made it meanwhile; then theirs is the volume.
            if not (self._root / spec.name / "volume.json").is_file():
                raise
        finally:
            shutil.rmtree(draft, ignore_errors=True)

    def _draft(self) -> Path:
        return self._root / f"{_DRAFT}{secrets.token_hex(8)}"

    def _record(self, name: str) -> VolumeRecord | None:
        folder = self._root / name
        try:
            data = (folder / "volume.json").read_bytes()
        except FileNotFoundError:
            return None
        note = msgspec.json.decode(data, type=VolumeNote)
        return VolumeRecord(name=name, mountpoint=str(folder / "_data"), labels=note.labels)


def _check_name(name: str) -> None:
    if not _NAME.fullmatch(name):
        raise InvalidInputError(
            f"{name!r} is no name for a volume.",
            hint="Use two or more letters, digits, '_', '.' and '-', a letter or digit first.",
            field="volumes",
        )
