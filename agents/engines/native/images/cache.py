"""The build cache: what each step of earlier builds has made."""

import os
from collections.abc import Callable, Collection
from pathlib import Path

import msgspec

from agents.engines.native.images.durable import write_file

_BLOCK = 4096


class CachedStep(msgspec.Struct, frozen=True, kw_only=True):
    """What a step made: a layer, or none (""), and when (RFC 3339)."""

    diff_id: str
    created: str


class StepCache:
    """Steps by key, a digest of all that the step depends on, one file for each."""

    def __init__(self, root: Path) -> None:
        self._root = root / "cache"
        self._root.mkdir(parents=True, exist_ok=True, mode=0o700)

    def find(self, key: str) -> CachedStep | None:
        """Return a step and note that it was of use."""
        path = self._path(key)
        step = _read(path)
        if step is not None:
            os.utime(path)
        return step

    def store(self, key: str, step: CachedStep) -> None:
        """Remember a step."""
        write_file(self._path(key), msgspec.json.encode(step))

    def layers(self) -> set[str]:
        """Return all layers that steps have made."""
        steps = (_read(path) for path in self._root.glob("*.json"))
        return {step.diff_id for step in steps if step and step.diff_id}

    def forget_layers(self, diff_ids: Collection[str]) -> None:
        """Forget the steps that made these layers."""
        for path in self._root.glob("*.json"):
            step = _read(path)
            if step is not None and step.diff_id in diff_ids:
                path.unlink(missing_ok=True)

    def forget_older(
        self,
        moment: float,
        spared: Collection[str],
        size_of: Callable[[str], int],
        keep: int = 0,
    ) -> tuple[str, ...]:
        """Forget steps not used since ``moment``, except those that made a ``spared`` layer.

        ``keep`` bytes of layers, by ``size_of``, stay, those used last. Return the keys.
        """
        gone = []
        for path in sorted(self._root.glob("*.json"), key=_last_use, reverse=True):
            step = _read(path)
            if step is None or step.diff_id in spared:
                continue
            # Also a step without a layer takes a block on the disk.
            keep -= _BLOCK + (size_of(step.diff_id) if step.diff_id else 0)
            if keep < 0 and _last_use(path) <= moment:
                path.unlink(missing_ok=True)
                gone.append(path.stem)
        return tuple(gone)

    def _path(self, key: str) -> Path:
        return self._root / f"{key}.json"


def _read(path: Path) -> CachedStep | None:
    try:
        return msgspec.json.decode(path.read_bytes(), type=CachedStep)
    except FileNotFoundError:
        return None


def _last_use(path: Path) -> float:
    try:
        return path.stat().st_mtime
    except FileNotFoundError:
        return 0.0
