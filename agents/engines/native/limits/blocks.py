"""Block devices: a weight, and bytes and operations a second."""

import os
import stat
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from agents.engines.native.limits.place import Place, Settings
from agents.engines.specs import Limits
from agents.errors import InvalidInputError
from agents.linux.cgroups import Setting

_USUAL_WEIGHT = 100
_LEAST_WEIGHT, _MOST_WEIGHT = 10, 1000


@dataclass(frozen=True)
class _Rate:
    """One of the four maps of ``Limits``, and where it is written."""

    field: str
    file: str
    part: str

    def of(self, limits: Limits) -> Mapping[str, int]:
        rates: Mapping[str, int] = getattr(limits, self.field)
        return rates


_RATES = (
    _Rate("read_bytes", "blkio.throttle.read_bps_device", "rbps"),
    _Rate("write_bytes", "blkio.throttle.write_bps_device", "wbps"),
    _Rate("read_operations", "blkio.throttle.read_iops_device", "riops"),
    _Rate("write_operations", "blkio.throttle.write_iops_device", "wiops"),
)
RATE_FIELDS = tuple(rate.field for rate in _RATES)


def weight_settings(limits: Limits, place: Place) -> Settings:
    """Return its part of a device that is not fast enough for all.

    Which file there is depends on the scheduler and on how the kernel was built; v2's own
    goes up to 10,000 where the others have 1,000.
    """
    weight = _USUAL_WEIGHT if limits.blkio_weight is None else limits.blkio_weight
    if place.is_v1("blkio"):
        names = ("blkio.weight", "blkio.bfq.weight")
        file = next((one for one in names if place.has("blkio", one)), names[0])
        return (_weight("blkio", file, weight),)
    if place.has("io", "io.bfq.weight"):
        return (_weight("io", "io.bfq.weight", weight),)
    return (_weight("io", "io.weight", _wide(weight)),)


def _weight(controller: str, file: str, weight: int) -> Setting:
    return Setting(field="blkio_weight", controller=controller, file=file, value=str(weight))


def _wide(weight: int) -> int:
    """Return a weight of 10 to 1,000 on v2's scale, where 100 is the usual one as well.

    >>> [_wide(weight) for weight in (10, 100, 1000)]
    [1, 100, 10000]
    """
    usual = _USUAL_WEIGHT
    if weight <= usual:
        return 1 + (weight - _LEAST_WEIGHT) * (usual - 1) // (usual - _LEAST_WEIGHT)
    return usual + (weight - usual) * (10_000 - usual) // (_MOST_WEIGHT - usual)


def rate_settings(before: Limits, after: Limits, place: Place) -> Settings:
    """Return the bounds of each device that has or had one. Raises as :func:`device_number`."""
    return tuple(_rates(before, after, place))


def _rates(before: Limits, after: Limits, place: Place) -> Iterator[Setting]:
    is_v1 = place.is_v1("blkio")
    for rate in _RATES:
        old, new = rate.of(before), rate.of(after)
        for path in dict.fromkeys((*old, *new)):
            if old.get(path) == new.get(path):
                continue
            yield Setting(
                field=rate.field,
                controller="blkio" if is_v1 else "io",
                file=rate.file if is_v1 else "io.max",
                value=str(new.get(path, "0" if is_v1 else "max")),
                key=device_number(path, rate.field),
                part="" if is_v1 else rate.part,
            )


def device_number(path: str, field: str) -> str:
    """Return ``8:0`` for the path of a block device. Raises ``InvalidInputError``."""
    try:
        found = Path(path).stat()
    except (OSError, ValueError) as exc:
        reason = getattr(exc, "strerror", "") or str(exc)
        raise InvalidInputError(f"the device {path} of {field}: {reason}", field=field) from exc
    if not stat.S_ISBLK(found.st_mode):
        raise InvalidInputError(
            f"{path} is no block device",
            hint="Name a disk of the host, such as those that lsblk lists.",
            field=field,
        )
    return f"{os.major(found.st_rdev)}:{os.minor(found.st_rdev)}"
