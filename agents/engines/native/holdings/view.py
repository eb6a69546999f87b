"""One look at everything that the kernel holds of a container."""

import time
from collections.abc import Iterator

import msgspec

from agents.engines.native.holdings import mounts, networks, processes
from agents.engines.native.holdings.comparing import compare
from agents.engines.native.holdings.records import Recorded
from agents.errors import ConflictError, KernelError
from agents.linux import cgroups
from agents.linux.netlink import LOOPBACK_NAME
from agents.linux.survey import survey
from agents.protocol.kernel import KernelView, ValueHeld


def look(recorded: Recorded, table: str) -> KernelView:
    """Return what the kernel holds; ``table`` is that of the engine's packet rules.

    See ``ShowsKernel.view_kernel`` for what is raised.
    """
    init = recorded.status.init
    if init is None or not init.is_current():
        raise _ended(recorded)
    try:
        view = _read(recorded, init.pid, table)
    except KernelError:
        if init.is_current():
            raise
        raise _ended(recorded) from None
    return msgspec.structs.replace(view, differences=compare(recorded, view))


def _ended(recorded: Recorded) -> ConflictError:
    return ConflictError(f"the container {recorded.manifest.name} does not run")


def _read(recorded: Recorded, pid: int, table: str) -> KernelView:
    place = recorded.place
    all_mounts = mounts.read_mounts(pid)
    root = next((one for one in all_mounts if one.target == "/"), None)
    has_own_network = recorded.spec.network_mode != "host"
    inside = networks.survey_inside(pid)
    interfaces = networks.interfaces_of(inside, survey()) if has_own_network else ()
    outward = [link for link in interfaces if link.name != LOOPBACK_NAME]
    addresses = [one.partition("/")[0] for link in outward for one in link.addresses]
    if recorded.attachment is not None:
        # Ports also lead to an address that somebody took away.
        addresses += [port.address for port in recorded.attachment.ports]
    return KernelView(
        container_id=recorded.manifest.id,
        at=time.time(),
        process=processes.read_process(pid),
        namespaces=processes.read_namespaces(pid),
        users=processes.read_ids(pid, "uid"),
        groups=processes.read_ids(pid, "gid"),
        cgroups=processes.read_cgroups(pid),
        values=tuple(_values(recorded)),
        frozen=cgroups.is_frozen(place.layout, place.cgroup),
        root=root,
        layers=mounts.layers_of(root),
        mounts=tuple(one for one in all_mounts if one is not root),
        interfaces=interfaces,
        routes=networks.routes_of(inside) if has_own_network else (),
        ports=networks.read_ports(table, addresses) if addresses else (),
    )


def _values(recorded: Recorded) -> Iterator[ValueHeld]:
    place = recorded.place
    for setting in recorded.settings:
        value = cgroups.in_force(place.layout, place.cgroup, setting)
        if value is not None:
            file = f"{setting.file} {setting.key}" if setting.key else setting.file
            yield ValueHeld(field=setting.field, file=file, value=value)
