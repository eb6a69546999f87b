"""Makes and removes containers, as records and volumes; nothing runs yet."""

import os
import secrets
import time
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path

from agents.engines.names import check_texts
from agents.engines.native.containers import isolation
from agents.engines.native.containers.binds import check_binds, check_subpath
from agents.engines.native.containers.container import Container
from agents.engines.native.containers.devices import find_devices
from agents.engines.native.containers.health_plan import make_health_plan
from agents.engines.native.containers.init import init_program
from agents.engines.native.containers.modes import check_modes, check_names
from agents.engines.native.containers.process_plan import choose_command
from agents.engines.native.containers.records import Manifest
from agents.engines.native.containers.store import ContainerStore
from agents.engines.native.containers.volume_use import VolumeUse
from agents.engines.native.images.store import ImageStore, StoredImage
from agents.engines.native.network import Networks
from agents.engines.native.oci.config import check_spec
from agents.engines.signals import signal_number
from agents.engines.specs import ContainerSpec, MountSpec
from agents.errors import ConflictError, InvalidInputError

_DEFAULT_SIGNAL = "SIGTERM"
_SHORT = 12
_LONGEST_NAME, _LONGEST_PATH = 255, 4000


@dataclass(frozen=True, kw_only=True)
class Creator:
    """Makes containers out of what the other stores hold."""

    root: Path
    containers: ContainerStore
    images: ImageStore
    volume_use: VolumeUse
    networks: Networks

    def create(self, spec: ContainerSpec) -> tuple[Container, bool]:
        """Check a spec in full and write the container's records; tell whether it is new.

        See ``Engine.create_container`` for what is raised.
        """
        check_texts(spec)
        known = self._same(spec)
        if known is not None:
            return known, False
        image = self.images.find(spec.image)
        container_id = secrets.token_hex(32)
        command = choose_command(spec, image.config.entrypoint or (), image.config.cmd or ())
        self._check(spec, image)
        id_base, reason = isolation.decide(
            spec, container_id, image.config.user, self.containers, self.root
        )
        mounts = _all_mounts(spec, image)
        with self.volume_use.making(container_id, mounts) as volumes:
            manifest = Manifest(
                id=container_id,
                name=spec.name,
                image=spec.image,
                image_id=image.id,
                created_at=time.time(),
                asked=spec,
                spec=replace(
                    spec,
                    hostname=spec.hostname or container_id[:_SHORT],
                    mounts=mounts,
                ),
                command=command,
                stop_signal=spec.stop_signal or image.config.stop_signal or _DEFAULT_SIGNAL,
                volumes=volumes.by_target,
                anonymous=volumes.anonymous,
                id_base=id_base,
                host_users_reason=reason,
                health=make_health_plan(spec.healthcheck, image.config.healthcheck),
            )
            return self.containers.add(manifest), True

    def _same(self, spec: ContainerSpec) -> Container | None:
        """Return a container that was made from this very spec, to create twice without harm.

        Raises ConflictError when the name is taken by another.
        """
        known = self.containers.named(spec.name)
        if known is None:
            return None
        if known.manifest.asked == spec:
            return known
        raise ConflictError(
            f"the name {spec.name} is taken by the container {known.id[:_SHORT]}",
            hint="Remove or rename that container.",
            field="container_name",
        )

    def _check(self, spec: ContainerSpec, image: StoredImage) -> None:
        signal_number(spec.stop_signal or image.config.stop_signal or _DEFAULT_SIGNAL)
        check_spec(spec)
        make_health_plan(spec.healthcheck, image.config.healthcheck)
        if spec.auto_remove and spec.restart.name != "no":
            raise InvalidInputError(
                "a container that is removed when it ends cannot be started again by a policy",
                field="restart",
            )
        if spec.init:
            init_program()
        check_modes(spec)
        check_names(spec)
        find_devices(spec.devices)
        if spec.network_mode != "bridge" and (spec.endpoints or spec.ports):
            raise InvalidInputError(
                f"a container with network mode {spec.network_mode} can have neither networks"
                " nor published ports",
                field="network_mode",
            )
        for endpoint in spec.endpoints:
            self.networks.check_endpoint(endpoint)
        for mount in spec.mounts:
            _check_mount(mount)
        check_binds(spec.mounts)

    def remove(self, container: Container) -> None:
        """Remove the records and the nameless volumes of a container that has ended."""
        with container.lock:
            self.volume_use.remove_container(container)
            container.mark_removed()

    def images_in_use(self) -> frozenset[str]:
        """Return the ids of the images that containers were made from."""
        return frozenset(self.image_ids().values())

    def image_ids(self) -> dict[str, str]:
        """Return the id of the image for the id of each container."""
        return {one.id: one.manifest.image_id for one in self.containers.list()}


def _all_mounts(spec: ContainerSpec, image: StoredImage) -> tuple[MountSpec, ...]:
    """Return the spec's mounts, and nameless volumes where the image wants one."""
    taken = {mount.target.rstrip("/") for mount in spec.mounts}
    return (*spec.mounts, *_volume_mounts(image.config.volumes, taken))


def _volume_mounts(targets: Iterable[str], taken: set[str]) -> Iterable[MountSpec]:
    return (MountSpec(kind="volume", target=one) for one in targets if one.rstrip("/") not in taken)


def _check_mount(mount: MountSpec) -> None:
    longest = max(map(len, os.fsencode(mount.target).split(b"/")))
    if longest > _LONGEST_NAME or len(mount.target) > _LONGEST_PATH:
        raise InvalidInputError(f"{mount.target[:200]!r}… is too long a path", field="volumes")
    if not mount.target.startswith("/") or os.path.normpath(mount.target) == "/":
        raise InvalidInputError(
            f"{mount.target!r} is no place to mount at; give an absolute path", field="volumes"
        )
    check_subpath(mount)
    if mount.kind == "bind" and not mount.source.startswith("/"):
        raise InvalidInputError(f"the path {mount.source!r} is not absolute", field="volumes")
