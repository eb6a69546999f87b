"""Volumes of the fake engine: records without substance."""

import re
import time
from collections.abc import Callable, Collection, Mapping

from agents.engines.specs import VolumeSpec
from agents.errors import ConflictError, InvalidInputError, NotFoundError
from agents.protocol.records import PrunedVolumes, VolumeDetails, VolumeRecord

_NAME = re.compile(r"[a-zA-Z0-9][a-zA-Z0-9_.-]+")
_OPTIONS = {"type", "device", "o"}


class Volumes:
    """The volumes of one fake engine. The engine holds the lock."""

    def __init__(self) -> None:
        self._volumes: dict[str, tuple[VolumeSpec, float]] = {}

    def create(self, spec: VolumeSpec) -> VolumeRecord:
        """Return a new volume or the one that is there. Raises as an engine does."""
        if not _NAME.fullmatch(spec.name):
            raise InvalidInputError(f"{spec.name!r} is no name for a volume", field="volumes")
        if set(spec.options) - _OPTIONS or (spec.options and "device" not in spec.options):
            raise InvalidInputError(f"the options of {spec.name} are wrong", field="driver_opts")
        known, _ = self._volumes.setdefault(spec.name, (spec, time.time()))
        if spec.options and known.options != spec.options:
            raise ConflictError(f"the volume {spec.name} is there with other options")
        return _record(known)

    def remove(self, name: str) -> None:
        """Forget a volume. Idempotent."""
        self._volumes.pop(name, None)

    def list(self, labels: Mapping[str, str] | None) -> tuple[VolumeRecord, ...]:
        """Return those with all of ``labels``."""
        wanted = (labels or {}).items()
        return tuple(
            _record(spec) for spec, _ in self._volumes.values() if wanted <= spec.labels.items()
        )

    def inspect(self, name: str, users: Collection[str]) -> VolumeDetails:
        """Return all that is known of a volume. Raises ``NotFoundError``."""
        if name not in self._volumes:
            raise NotFoundError(f"there is no volume {name}", field="volumes")
        spec, created_at = self._volumes[name]
        shown = {key: value for key, value in spec.options.items() if key != "o"}
        return VolumeDetails(
            volume=_record(spec),
            options=shown,
            anonymous=spec.anonymous,
            created_at=created_at,
            used_by=tuple(sorted(users)),
        )

    def prune(
        self,
        users: Callable[[str], Collection[str]],
        labels: Mapping[str, str] | None,
        *,
        include_named: bool,
    ) -> PrunedVolumes:
        """Forget the volumes that nobody uses."""
        found = [self._volumes[one.name][0] for one in self.list(labels)]
        names = [
            one.name for one in found if (one.anonymous or include_named) and not users(one.name)
        ]
        for name in names:
            self.remove(name)
        return PrunedVolumes(names=tuple(names))


def _record(spec: VolumeSpec) -> VolumeRecord:
    return VolumeRecord(name=spec.name, labels=dict(spec.labels))
