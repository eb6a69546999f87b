"""Who has a volume mounted: files that a reboot takes with it, as it does the mounts.

``<folder>/<volume>/<holder>``, where a holder is a container's id, or a word of ours for
the time of an act. A crash leaves them, and the next start settles them with their holders.
"""

from contextlib import suppress
from pathlib import Path


class Holds:
    """The holds of all volumes. Callers keep two threads from the same volume; raises OSError."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def add(self, volume: str, holder: str) -> None:
        """Note a hold. Idempotent."""
        path = self._folder / volume / holder
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        path.touch(mode=0o600)

    def drop(self, volume: str, holder: str) -> bool:
        """Forget a hold; return whether it was there and was the last. Idempotent."""
        folder = self._folder / volume
        try:
            (folder / holder).unlink()
            folder.rmdir()
        except OSError:
            return False
        return True

    def tidy(self) -> None:
        """Remove what a crash left of holds that were being noted or forgotten."""
        for name in self.volumes():
            with suppress(OSError):
                (self._folder / name).rmdir()

    def of(self, volume: str) -> frozenset[str]:
        """Return who holds a volume."""
        with suppress(FileNotFoundError):
            return frozenset(path.name for path in (self._folder / volume).iterdir())
        return frozenset()

    def volumes_of(self, holder: str) -> tuple[str, ...]:
        """Return the volumes that somebody holds."""
        return tuple(name for name in self.volumes() if (self._folder / name / holder).exists())

    def volumes(self) -> tuple[str, ...]:
        """Return the volumes that anybody holds."""
        with suppress(FileNotFoundError):
            return tuple(path.name for path in self._folder.iterdir())
        return ()
