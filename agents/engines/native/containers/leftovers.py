"""Which volumes go with a container that is only half made, or half removed.

They are noted in its folder before they are made, and before its manifest goes. A folder
without a manifest belongs to no container any more, and the next start clears both away.
"""

from collections.abc import Collection
from pathlib import Path

import msgspec

from agents.engines.native.containers.disk import write_atomic
from agents.engines.native.containers.paths import ContainerPaths
from agents.linux.failures import kernel_errors

_FILE = "leftover-volumes.json"


def note_volumes(paths: ContainerPaths, names: Collection[str]) -> None:
    """Note the volumes; the container's folder is made if need be."""
    with kernel_errors("make the container's folder", paths.state):
        paths.state.mkdir(mode=0o700, exist_ok=True)
    write_atomic(paths.state / _FILE, msgspec.json.encode(sorted(names)), sync=False)


def noted_volumes(folder: Path) -> tuple[str, ...]:
    """Return the volumes noted in a container's folder; none if a power cut spoilt the note."""
    try:
        return msgspec.json.decode((folder / _FILE).read_bytes(), type=tuple[str, ...])
    except (FileNotFoundError, msgspec.DecodeError):
        return ()
