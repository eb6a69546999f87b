"""Which containers have a user namespace of their own, and which range of ids each has.

Root of such a container is nobody outside. Ranges are taken where systemd-nspawn(1) takes
its own, away from people and from what subuid(5) gives to them.
"""

import errno
import os
from collections.abc import Collection
from pathlib import Path

from agents.engines.native.containers.container import Container
from agents.engines.native.containers.store import ContainerStore
from agents.engines.native.oci.types import NamespaceKind
from agents.engines.specs import ContainerSpec
from agents.errors import (
    ConflictError,
    InvalidInputError,
    KernelError,
    NotSupportedError,
    OutOfSpaceError,
)
from agents.linux import mounts, userns

# systemd's "container UID ranges", see https://systemd.io/UIDS-GIDS.
FIRST, END = 0x0008_0000, 0x7000_0000
JOIN = "container:"
# What the kernel may lack now and have again later.
_PASSING = (errno.EAGAIN, errno.ENOMEM, errno.EMFILE, errno.ENFILE, errno.EINTR)
_LIMIT = Path("/proc/sys/user/max_user_namespaces")
_OBSTACLES: dict[Path, str] = {}
_SLOTS = (END - FIRST) // userns.RANGE


def reason_without(spec: ContainerSpec, image_user: str = "") -> str:
    """Return why a spec wants or needs the host's user namespace, "" if it does not.

    Who shares the host's network or processes could do nothing with them from a namespace of
    its own: capabilities hold only over what belongs to the same one (user_namespaces(7)).
    """
    if spec.security.user_namespace == "host":
        return "it was switched off for this container"
    if spec.privileged:
        return "the container is privileged"
    shared = {
        "network": spec.network_mode,
        "processes": spec.pid_mode,
        "IPC": spec.ipc_mode,
        "names": spec.uts_mode,
    }
    names = [name for name, mode in shared.items() if mode == "host"]
    if names:
        return f"the container shares the host's {' and '.join(names)}"
    wanted = (*(spec.user or image_user).split(":"), *spec.groups)
    beyond = [one for one in wanted if one.isdecimal() and int(one) >= userns.RANGE]
    return f"{beyond[0]} is more than the ids of a user namespace" if beyond else ""


def obstacle(folder: Path) -> str:
    """Return why no container in ``folder`` can have a user namespace, "" if it can.

    Tried for real: kernels from 5.19 map the ids of an overlay's layers, and not every file
    system lets them be mapped. Raises KernelError, OutOfSpaceError when it cannot be tried
    just now (no process can be made, say): that must not make anybody root of the host.
    """
    if folder not in _OBSTACLES:
        _OBSTACLES[folder] = _find_obstacle(folder)
    return _OBSTACLES[folder]


def _find_obstacle(folder: Path) -> str:
    try:
        with userns.user_namespace(FIRST) as fd:
            if mounts.can_idmap(folder, fd):
                return ""
    except NotSupportedError as exc:
        return exc.message
    except OutOfSpaceError as exc:
        # ENOSPC is a limit that is reached; but 0 is how some forbid them.
        if _LIMIT.read_text().strip() != "0":
            raise
        return exc.message
    except KernelError as exc:
        if exc.errno in _PASSING:
            raise
        return exc.message
    return f"the file system of {folder} cannot map ids (kernel {os.uname().release})"


def decide(
    spec: ContainerSpec, container_id: str, image_user: str, store: ContainerStore, root: Path
) -> tuple[int, str]:
    """Return the first id of the range that a new container gets, or 0 and the reason why none.

    Who shares the network, processes or IPC of another container shares its range too.

    Raises:
        NotFoundError, InvalidInputError: see :func:`find_peers`.
        ConflictError: all ranges are taken.
    """
    for peer in find_peers(spec, store).values():
        reason = peer.manifest.host_users_reason
        return peer.manifest.id_base, reason and f"as {peer.manifest.name}, with which it shares"
    reason = reason_without(spec, image_user) or obstacle(root)
    if reason:
        return 0, reason
    return choose_base(container_id, {one.manifest.id_base for one in store.list()}), ""


def find_peers(spec: ContainerSpec, store: ContainerStore) -> dict[NamespaceKind, Container]:
    """Return the container whose namespace a spec wants to join, for each kind of namespace.

    Raises:
        NotFoundError: there is no such container.
        InvalidInputError: they are different containers, in different user namespaces.
    """
    modes: dict[NamespaceKind, str] = {
        "network": spec.network_mode,
        "pid": spec.pid_mode,
        "ipc": spec.ipc_mode,
    }
    peers = {
        kind: store.find(mode.removeprefix(JOIN))
        for kind, mode in modes.items()
        if mode.startswith(JOIN)
    }
    if len({one.manifest.id_base for one in peers.values()}) > 1:
        raise InvalidInputError(
            "a container can share the namespaces of one other container only",
            hint="Share all with one, or switch the user namespaces of both off.",
            field="network_mode",
        )
    return peers


def choose_base(container_id: str, taken: Collection[int]) -> int:
    """Return the first id of a free range for a container; depends on its id and ``taken`` only.

    Raises ConflictError when all ranges are taken.
    """
    start = int(container_id[:8], 16)
    foreign = userns.subordinate_ranges()
    for step in range(_SLOTS):
        base = FIRST + (start + step) % _SLOTS * userns.RANGE
        if base not in taken and not _overlaps(base, foreign):
            return base
    raise ConflictError("all ranges of ids for user namespaces are taken on this host")


def _overlaps(base: int, ranges: Collection[tuple[int, int]]) -> bool:
    return any(first < base + userns.RANGE and base < first + count for first, count in ranges)
