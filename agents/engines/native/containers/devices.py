"""Devices of the host that a container is given, looked up where they are now."""

import os
import stat
from collections.abc import Iterable, Iterator
from pathlib import Path

from agents.engines.native.oci.places import HostDevice
from agents.engines.native.oci.types import Device, DeviceRule
from agents.engines.specs import DeviceSpec
from agents.errors import InvalidInputError, NotFoundError
from agents.linux.failures import kernel_errors

_DEVICES = Path("/dev")
_KINDS = {stat.S_IFCHR: "c", stat.S_IFBLK: "b"}


def find_devices(specs: Iterable[DeviceSpec]) -> tuple[HostDevice, ...]:
    """Return the nodes for what a spec asks; a folder gives all the devices below it.

    Raises:
        NotFoundError: there is no such device on this host.
        InvalidInputError: a path is no device, or the access has other letters than r, w, m.
    """
    return tuple(device for spec in specs for device in _find(spec))


def _find(spec: DeviceSpec) -> Iterator[HostDevice]:
    if not spec.access or set(spec.access) - set("rwm"):
        raise InvalidInputError(
            f"the access {spec.access!r} to {spec.source} is not of r, w and m", field="devices"
        )
    source, target = Path(spec.source), Path(spec.target or spec.source)
    with kernel_errors("look at the device", spec.source):
        yield from _find_at(source, target, spec)


def _find_at(source: Path, target: Path, spec: DeviceSpec) -> Iterator[HostDevice]:
    if not source.exists():
        raise NotFoundError(
            f"there is no device {source} on this host", field="devices", file=spec.source
        )
    if not source.is_dir():
        yield _device(source, target, spec.access)
        return
    if not Path(os.path.normpath(source)).is_relative_to(_DEVICES):
        # Elsewhere may be anything, such as the files of other containers.
        raise InvalidInputError(
            f"{source} is a folder, and not one of devices below {_DEVICES}", field="devices"
        )
    for path in sorted(source.rglob("*")):
        if _kind(path) and not path.is_symlink():
            yield _device(path, target / path.relative_to(source), spec.access)


def _kind(path: Path) -> str:
    return _KINDS.get(stat.S_IFMT(path.stat().st_mode), "")


def _device(source: Path, target: Path, access: str) -> HostDevice:
    found, kind = source.stat(), _kind(source)
    if not kind:
        raise InvalidInputError(
            f"{source} is no device", hint="Mount files as volumes.", field="devices"
        )
    major, minor = os.major(found.st_rdev), os.minor(found.st_rdev)
    return HostDevice(
        node=Device(
            path=str(target),
            type=kind,
            major=major,
            minor=minor,
            file_mode=stat.S_IMODE(found.st_mode),
            uid=0,
            gid=0,
        ),
        rule=DeviceRule(allow=True, type=kind, major=major, minor=minor, access=access),
    )
