"""Finds on the host what a container's configuration needs to name."""

from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path

from agents.engines.native.containers import modes
from agents.engines.native.containers.bundle import etc_places
from agents.engines.native.containers.container import Container
from agents.engines.native.containers.devices import find_devices
from agents.engines.native.containers.init import init_program
from agents.engines.native.containers.isolation import find_peers
from agents.engines.native.containers.store import ContainerStore
from agents.engines.native.oci.places import Places
from agents.engines.native.oci.types import NamespaceKind
from agents.linux import mounts
from agents.linux.failures import kernel_errors


def find_places(
    container: Container,
    store: ContainerStore,
    *,
    cgroup: str,
    volumes: Mapping[str, Path],
    joined: Mapping[NamespaceKind, Path],
    users: int | None,
) -> Places:
    """Return where the parts of a container are at this start.

    ``joined`` are the namespaces of others (:func:`modes.joined`), ``users`` is a descriptor
    of its user namespace, None if it has the host's.

    Raises:
        NotFoundError: a device, or a container whose namespaces it shares, is gone.
        ConflictError: that container does not run.
        NotSupportedError: there is no init program on this host.
    """
    spec = container.manifest.spec
    # With the network of a container come its names.
    named = find_peers(spec, store).get("network", container)
    files = etc_places(named.paths)
    binds = (one for one in spec.mounts if one.kind == "bind" and one.target not in volumes)
    sources = [Path(one.source) for one in binds]
    return Places(
        rootfs=container.paths.rootfs,
        cgroup=cgroup,
        joined=joined,
        shared=modes.shared_with_host(spec, own_users=users is not None),
        id_base=container.manifest.id_base,
        files=files,
        volumes=volumes,
        shm=modes.shared_memory(container, store),
        mapped=_mappable((*sources, *volumes.values(), *files.values()), users),
        devices=find_devices(spec.devices),
        init=init_program() if spec.init else None,
    )


@contextmanager
def attached(places: Places, users: int | None, folder: Path) -> Iterator[Places]:
    """Mount some things in ``folder`` for as long as the container is being created.

    What is to be mapped, if it joins the user namespace of another: the runtime is then in it
    before it makes mounts, and may map none (mount_setattr(2), EPERM). Volumes that cannot be
    mapped: the runtime is then nobody, who does not get to where they are.
    """
    if users is None:
        yield places
        return
    joined = set(places.mapped) if "user" in places.joined else set()
    unmapped = set(places.volumes.values()) - set(places.mapped)
    with ExitStack() as stack:
        made = {}
        for number, source in enumerate(sorted(unmapped | joined)):
            target = folder / f"bind{number}"
            stack.enter_context(_attached(source, target, users if source in joined else None))
            made[source] = target
        yield replace(places, attached=made)


@contextmanager
def _attached(source: Path, target: Path, users: int | None) -> Iterator[None]:
    with kernel_errors("make", target):
        if source.is_dir():
            target.mkdir()
        else:
            target.touch()
    try:
        if users is None:
            mounts.bind(source, target)
        else:
            mounts.attach_idmapped(source, target, users)
        yield
    finally:
        mounts.unmount(target)
        with kernel_errors("remove", target):
            if target.is_dir():
                target.rmdir()
            else:
                target.unlink()


def _mappable(sources: tuple[Path, ...], users: int | None) -> set[Path]:
    """Return the sources whose ids can be mapped; others, such as /proc, show as nobody's."""
    if users is None:
        return set()
    return {source for source in sources if mounts.can_idmap(source, users)}
