"""Makes and removes containers, as records and volumes; nothing runs yet."""

import os
import secrets
import time
from collections.abc import Iterable
from contextlib import ExitStack
from dataclasses import dataclass, replace

from agents.engines.native.containers.binds import check_binds
from agents.engines.native.containers.container import Container
from agents.engines.native.containers.health_plan import make_health_plan
from agents.engines.native.containers.init import init_program
from agents.engines.native.containers.process_plan import choose_command
from agents.engines.native.containers.records import Manifest
from agents.engines.native.containers.store import ContainerStore
from agents.engines.native.images.store import ImageStore, StoredImage
from agents.engines.native.network import Networks
from agents.engines.native.oci.config import check_spec
from agents.engines.native.volumes import VolumeStore
from agents.engines.signals import signal_number
from agents.engines.specs import ContainerSpec, MountSpec, VolumeSpec
from agents.errors import ConflictError, InvalidInputError

_DEFAULT_SIGNAL = "SIGTERM"
_SHORT = 12


@dataclass(frozen=True, kw_only=True)
class Creator:
    """Makes containers out of what the other stores hold."""

    containers: ContainerStore
    images: ImageStore
    volumes: VolumeStore
    networks: Networks

    def create(self, spec: ContainerSpec) -> tuple[Container, bool]:
        """Check a spec in full and write the container's records; tell whether it is new.

        See ``Engine.create_container`` for what is raised.
        """
        known = self._same(spec)
        if known is not None:
            return known, False
        image = self.images.find(spec.image)
        container_id = secrets.token_hex(32)
        command = choose_command(spec, image.config.entrypoint or (), image.config.cmd or ())
        self._check(spec, image)
        with ExitStack() as undo:
            volumes, anonymous = self._make_volumes(spec, image, undo)
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
                    mounts=_all_mounts(spec, image),
                ),
                command=command,
                stop_signal=spec.stop_signal or image.config.stop_signal or _DEFAULT_SIGNAL,
                volumes=volumes,
                anonymous=anonymous,
                health=make_health_plan(spec.healthcheck, image.config.healthcheck),
            )
            container = self.containers.add(manifest)
            undo.pop_all()
        return container, True

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
        if spec.network_mode != "bridge" and (spec.endpoints or spec.ports):
            raise InvalidInputError(
                f"a container with network mode {spec.network_mode} can have neither networks"
                " nor published ports",
                field="network_mode",
            )
        for endpoint in spec.endpoints:
            self.networks.find(endpoint.network)
        for mount in spec.mounts:
            _check_mount(mount)
        check_binds(spec.mounts)

    def _make_volumes(
        self, spec: ContainerSpec, image: StoredImage, undo: ExitStack
    ) -> tuple[dict[str, str], tuple[str, ...]]:
        """Make missing volumes; return the volume for each target, and the nameless ones."""
        before = {one.name for one in self.volumes.list()}
        volumes: dict[str, str] = {}
        anonymous: list[str] = []
        for mount in _all_mounts(spec, image):
            if mount.kind != "volume":
                continue
            name = mount.source or secrets.token_hex(32)
            if name not in before:
                undo.callback(self.volumes.remove, name)
            self.volumes.create(VolumeSpec(name=name))
            volumes[mount.target] = name
            if not mount.source:
                anonymous.append(name)
        return volumes, tuple(anonymous)

    def remove(self, container: Container) -> None:
        """Remove the records and the nameless volumes of a container that has ended."""
        with container.lock:
            self.containers.forget(container)
            for name in container.manifest.anonymous:
                self.volumes.remove(name)
            container.mark_removed()

    def users_of_volume(self, name: str) -> tuple[str, ...]:
        """Return the names of the containers that mount a volume."""
        return tuple(
            one.manifest.name
            for one in self.containers.list()
            if name in one.manifest.volumes.values()
        )

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
    if not mount.target.startswith("/") or os.path.normpath(mount.target) == "/":
        raise InvalidInputError(
            f"{mount.target!r} is no place to mount at; give an absolute path", field="volumes"
        )
    if mount.kind == "bind" and not mount.source.startswith("/"):
        raise InvalidInputError(f"the path {mount.source!r} is not absolute", field="volumes")
