"""Which engines there are, and which of them this machine can run.

An engine is added here and in its own folder, nowhere else. Factories import their engine
when called, so that an agent holds in memory only what it uses.
"""

import os
import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from agents.engines.base import Engine
from agents.errors import NotFoundError, NotSupportedError


@dataclass(frozen=True, kw_only=True)
class Place:
    """Where an engine keeps its things.

    ``root`` lasts, ``run`` may be emptied by a reboot, ``uid`` tells agents on one machine
    apart.
    """

    root: Path
    run: Path
    uid: str


@dataclass(frozen=True, kw_only=True)
class EngineKind:
    """An engine that can be made. ``obstacle`` says why not on this machine, or is ""."""

    name: str
    make: Callable[[Place], Engine]
    obstacle: Callable[[], str]


def _make_native(place: Place) -> Engine:
    from agents.engines.native.engine import NativeEngine

    return NativeEngine(place.root, place.run, place.uid)


def _native_obstacle() -> str:
    if os.geteuid() != 0:
        return "it needs root"
    if not any(shutil.which(name) for name in ("crun", "runc")):
        return "neither crun nor runc is installed"
    missing = [name for name in ("conmon", "nft", "dnsmasq") if shutil.which(name) is None]
    if missing:
        return f"not installed: {', '.join(missing)}"
    if "overlay" not in Path("/proc/filesystems").read_text():
        return "the kernel has no overlay file system"
    return ""


def _make_fake(place: Place) -> Engine:
    from agents.engines.fake import FakeEngine

    return FakeEngine()


ENGINES: Mapping[str, EngineKind] = {
    kind.name: kind
    for kind in (
        EngineKind(name="native", make=_make_native, obstacle=_native_obstacle),
        EngineKind(name="fake", make=_make_fake, obstacle=lambda: ""),
    )
}


def make_engine(name: str, place: Place) -> Engine:
    """Return an engine, not started.

    Raises:
        NotFoundError: there is no engine of this name.
        NotSupportedError: this machine cannot run it; says why.
    """
    kind = ENGINES.get(name)
    if kind is None:
        raise NotFoundError(
            f"there is no engine {name}", hint=f"Engines are: {', '.join(sorted(ENGINES))}."
        )
    obstacle = kind.obstacle()
    if obstacle:
        raise NotSupportedError(
            f"the {name} engine cannot run on this host: {obstacle}",
            hint="Install what is missing and start the agent again.",
        )
    return kind.make(place)


def obstacles() -> Mapping[str, str]:
    """Return why an engine cannot run on this machine, for each engine; "" if it can."""
    return {name: kind.obstacle() for name, kind in ENGINES.items()}
