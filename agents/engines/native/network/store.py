"""The files of the network half: one for each network and each attached container."""

import logging
import os
from collections.abc import Iterator
from pathlib import Path
from typing import TypeVar

import msgspec

from agents.engines.native.network.records import AttachmentFile, NetworkFile
from agents.linux.failures import kernel_errors

logger = logging.getLogger(__name__)

S = TypeVar("S", bound=msgspec.Struct)


class NetworkStore:
    """Reads and writes ``<root>/networks``; a file is there whole or not at all.

    Not safe for two callers at once; :class:`Networks` holds the lock.
    """

    def __init__(self, root: Path) -> None:
        self._networks = root / "networks"
        self._attachments = self._networks / "attachments"

    def load_networks(self) -> dict[str, NetworkFile]:
        """Return all networks by name. A damaged file is put aside."""
        return {one.name: one for one in _load(self._networks, NetworkFile)}

    def save_network(self, network: NetworkFile) -> None:
        """Write a network's file and wait until the disk has it. Idempotent."""
        _write(self._networks / f"{network.id}.json", network, durable=True)

    def delete_network(self, network: NetworkFile) -> None:
        """Remove a network's file. Idempotent."""
        (self._networks / f"{network.id}.json").unlink(missing_ok=True)

    def load_attachments(self) -> dict[str, AttachmentFile]:
        """Return all attachments by container id. A damaged file is put aside."""
        return {one.container_id: one for one in _load(self._attachments, AttachmentFile)}

    def save_attachment(self, attachment: AttachmentFile) -> None:
        """Write an attachment's file. It need not survive a power cut: neither does the veth."""
        path = self._attachments / f"{attachment.container_id}.json"
        _write(path, attachment, durable=False)

    def delete_attachment(self, container_id: str) -> None:
        """Remove an attachment's file. Idempotent."""
        (self._attachments / f"{container_id}.json").unlink(missing_ok=True)


def _load(folder: Path, kind: type[S]) -> Iterator[S]:
    for path in folder.glob("*.tmp"):
        # Cut off while it was written; the file that it was to replace still holds.
        path.unlink(missing_ok=True)
    for path in sorted(folder.glob("*.json")):
        try:
            yield msgspec.json.decode(path.read_bytes(), type=kind)
        except (msgspec.DecodeError, msgspec.ValidationError) as exc:
            # Kept for a person to look at; one bad file must not keep the agent from starting.
            path.replace(path.with_suffix(".damaged"))
            logger.error("the file %s is damaged and was put aside: %s", path, exc)


def _write(path: Path, record: msgspec.Struct, *, durable: bool) -> None:
    temporary = path.with_suffix(".tmp")
    with kernel_errors("write", path):
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        try:
            with temporary.open("wb") as file:
                file.write(msgspec.json.encode(record))
                file.flush()
                if durable:
                    os.fsync(file.fileno())
            temporary.replace(path)
        except OSError:
            temporary.unlink(missing_ok=True)
            raise
