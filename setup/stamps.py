"""Stamps: a step whose inputs have not changed is not done again."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable
from pathlib import Path


def digest(paths: Iterable[Path], *more: str) -> str:
    """Return a digest of the named files' contents (folders: all files below) and ``more``."""
    total = hashlib.sha256("\0".join(more).encode())
    for path in sorted(_files(paths)):
        total.update(str(path).encode() + b"\0")
        total.update(hashlib.sha256(path.read_bytes()).digest())
    return total.hexdigest()


def _files(paths: Iterable[Path]) -> Iterable[Path]:
    for path in paths:
        if path.is_dir():
            yield from (p for p in path.rglob("*") if p.is_file() and "__pycache__" not in p.parts)
        elif path.exists():
            yield path


def is_current(stamp: Path, value: str) -> bool:
    """Tell whether the step has run with just these inputs."""
    return stamp.exists() and stamp.read_text() == value


def once(stamp: Path, value: str, work: Callable[[], None]) -> bool:
    """Do ``work`` unless it was done with these inputs; return whether it was done now."""
    if is_current(stamp, value):
        return False
    work()
    stamp.parent.mkdir(parents=True, exist_ok=True)
    stamp.write_text(value)
    return True
