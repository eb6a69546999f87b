"""Which namespaces a container shares, with the host or with another container."""

from collections.abc import Mapping
from pathlib import Path

from agents.engines.native.containers.container import Container
from agents.engines.native.containers.isolation import JOIN, find_peers
from agents.engines.native.containers.store import ContainerStore
from agents.engines.native.oci.types import NamespaceKind
from agents.engines.specs import ContainerSpec
from agents.errors import ConflictError, InvalidInputError

_ALLOWED = {
    "network_mode": ("bridge", "none", "host"),
    "pid_mode": ("", "private", "host"),
    "ipc_mode": ("", "private", "shareable", "host"),
}
_FILES = {"network": "net"}


def check_modes(spec: ContainerSpec) -> None:
    """Raise ``InvalidInputError`` for a mode that there is not."""
    for field, allowed in _ALLOWED.items():
        mode: str = getattr(spec, field)
        is_joining = mode.startswith(JOIN) and mode != JOIN
        if mode not in allowed and not is_joining:
            raise InvalidInputError(
                f"there is no mode {mode!r}",
                hint=f"Use {', '.join(filter(None, allowed))} or container:<name>.",
                field=field,
            )


def check_names(spec: ContainerSpec) -> None:
    """Raise ``InvalidInputError`` for names that come with the network of another container."""
    if not spec.network_mode.startswith(JOIN):
        return
    for field in ("hostname", "dns", "extra_hosts"):
        if getattr(spec, field):
            raise InvalidInputError(
                f"{field} cannot be given with network mode {spec.network_mode}: it is that"
                " container's",
                field=field,
            )


def shared_with_host(spec: ContainerSpec, *, own_users: bool) -> tuple[NamespaceKind, ...]:
    """Return the kinds of namespaces that are the host's."""
    modes: dict[NamespaceKind, str] = {
        "network": spec.network_mode,
        "pid": spec.pid_mode,
        "ipc": spec.ipc_mode,
        "uts": spec.uts_mode,
    }
    users: tuple[NamespaceKind, ...] = () if own_users else ("user",)
    return (*users, *(kind for kind, mode in modes.items() if mode == "host"))


def joined(spec: ContainerSpec, store: ContainerStore) -> Mapping[NamespaceKind, Path]:
    """Return the file of each namespace that is another container's.

    With a container's network comes its name, as with Docker.

    Raises:
        NotFoundError: there is no such container.
        ConflictError: it does not run.
    """
    files: dict[NamespaceKind, Path] = {}
    for kind, peer in find_peers(spec, store).items():
        folder = _namespaces(peer)
        files[kind] = folder / _FILES.get(kind, kind)
        if peer.manifest.id_base:
            files["user"] = folder / "user"
        if kind == "network":
            files["uts"] = folder / "uts"
    return files


def shared_memory(container: Container, store: ContainerStore) -> Path | None:
    """Return the /dev/shm of whoever shares its IPC namespace; None for one of its own.

    Raises:
        NotFoundError: there is no such container.
        ConflictError: that container does not share its own.
    """
    spec = container.manifest.spec
    if spec.ipc_mode == "host":
        return Path("/dev/shm")  # noqa: S108 - the host's own, which is what was asked for
    if spec.ipc_mode == "shareable":
        return container.paths.shm
    peer = find_peers(spec, store).get("ipc")
    if peer is None:
        return None
    if peer.manifest.spec.ipc_mode != "shareable":
        raise ConflictError(
            f"the container {peer.manifest.name} does not share its IPC namespace",
            hint=f"Give {peer.manifest.name} the IPC mode shareable.",
            field="ipc_mode",
        )
    return peer.paths.shm


def _namespaces(peer: Container) -> Path:
    init = peer.status.init
    if init is None or not peer.is_alive():
        raise ConflictError(
            f"the container {peer.manifest.name} does not run, so nothing of it can be shared",
            hint="Start it first.",
            field="network_mode",
        )
    return Path(f"/proc/{init.pid}/ns")
