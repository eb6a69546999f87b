"""Which namespaces a container shares, with the host or with another container."""

import os
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
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


@contextmanager
def joined(spec: ContainerSpec, store: ContainerStore) -> Iterator[Mapping[NamespaceKind, Path]]:
    """Give a path for each namespace that is another container's, for this while.

    With a container's network comes its name, as with Docker. The paths are of descriptors:
    a process number may mean another process by the time that the runtime looks.

    Raises:
        NotFoundError: there is no such container.
        ConflictError: it does not run.
    """
    with ExitStack() as stack:
        files: dict[NamespaceKind, Path] = {}
        for kind, peer in find_peers(spec, store).items():
            files[kind] = _opened(peer, kind, stack)
            if peer.manifest.id_base:
                files["user"] = _opened(peer, "user", stack)
            if kind == "network":
                files["uts"] = _opened(peer, "uts", stack)
        yield files


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


def _opened(peer: Container, kind: NamespaceKind, stack: ExitStack) -> Path:
    init = peer.status.init
    if init is None or not peer.is_alive():
        raise _does_not_run(peer)
    try:
        path = f"/proc/{init.pid}/ns/{_FILES.get(kind, kind)}"
        fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except OSError as exc:
        raise _does_not_run(peer) from exc
    stack.callback(os.close, fd)
    # Asked with the namespace open, so the number meant this process when it was opened.
    if not init.is_current():
        raise _does_not_run(peer)
    return Path(f"/proc/{os.getpid()}/fd/{fd}")


def _does_not_run(peer: Container) -> ConflictError:
    return ConflictError(
        f"the container {peer.manifest.name} does not run, so nothing of it can be shared",
        hint="Start it first.",
        field="network_mode",
    )
