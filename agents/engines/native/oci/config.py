"""From a container's spec to the configuration that the OCI runtime reads.

Pure: everything that must be looked up (users, paths, images) is given.
"""

import msgspec

from agents.engines.native.limits.oom_score import check_oom_score
from agents.engines.native.oci import capabilities, defaults, seccomp
from agents.engines.native.oci.device_rules import parse_rule
from agents.engines.native.oci.mounts import make_mounts
from agents.engines.native.oci.places import Places
from agents.engines.native.oci.process import ProcessPlan, make_process, make_rlimit
from agents.engines.native.oci.resources import make_resources
from agents.engines.native.oci.types import (
    VERSION,
    Config,
    IdMapping,
    Linux,
    Namespace,
    NamespaceKind,
    Resources,
    Root,
)
from agents.engines.specs import ContainerSpec
from agents.linux.userns import RANGE

_KINDS: tuple[NamespaceKind, ...] = ("pid", "network", "ipc", "uts", "mount", "cgroup")


def make_config(spec: ContainerSpec, process: ProcessPlan, places: Places) -> Config:
    """Return the configuration of one container.

    Raises:
        InvalidInputError: a limit, capability or ulimit is wrong.
        NotSupportedError: this host cannot give a capability.
    """
    return Config(
        oci_version=VERSION,
        process=make_process(spec, process, places),
        root=Root(path=str(places.rootfs), readonly=spec.read_only),
        linux=_linux(spec, places),
        mounts=make_mounts(spec, places),
        # A name can be set in a namespace of its own only.
        hostname="" if "uts" in {*places.shared, *places.joined} else spec.hostname,
        domainname=spec.domainname,
    )


def check_spec(spec: ContainerSpec) -> None:
    """Raise what :func:`make_config` would raise for a spec, before anything is made."""
    capabilities.choose(add=spec.cap_add, drop=spec.cap_drop, privileged=spec.privileged)
    make_resources(spec.limits, privileged=spec.privileged)
    check_oom_score(spec.oom_score_adj)
    seccomp.make_seccomp(spec)
    for limit in spec.ulimits:
        make_rlimit(limit)
    for rule in spec.device_rules:
        parse_rule(rule)


def _linux(spec: ContainerSpec, places: Places) -> Linux:
    hidden = not spec.privileged and not spec.security.unmask
    mappings = _mappings(places.id_base)
    return Linux(
        namespaces=_namespaces(places),
        cgroups_path=places.cgroup,
        resources=_resources(spec, places),
        masked_paths=defaults.MASKED_PATHS if hidden else (),
        readonly_paths=defaults.READONLY_PATHS if hidden else (),
        sysctl=_sysctls(spec, places),
        uid_mappings=mappings,
        gid_mappings=mappings,
        devices=tuple(one.node for one in places.devices),
        seccomp=seccomp.make_seccomp(spec),
        rootfs_propagation=_rootfs_propagation(spec),
    )


def _namespaces(places: Places) -> tuple[Namespace, ...]:
    own: tuple[NamespaceKind, ...] = ("user",) if places.id_base else ()
    return tuple(
        Namespace(type=kind, path=str(places.joined.get(kind, "")))
        for kind in (*own, *_KINDS)
        if kind not in places.shared
    )


def _mappings(base: int) -> tuple[IdMapping, ...]:
    return (IdMapping(container_id=0, host_id=base, size=RANGE),) if base else ()


def _sysctls(spec: ContainerSpec, places: Places) -> dict[str, str]:
    """Return the settings to make; a network that is another's has its own already."""
    is_own = "network" not in places.shared and "network" not in places.joined
    usual = defaults.network_sysctls(own_users=bool(places.id_base)) if is_own else {}
    return {**usual, **spec.sysctls}


def _resources(spec: ContainerSpec, places: Places) -> Resources:
    limits = make_resources(spec.limits, privileged=spec.privileged)
    rules = tuple(one.rule for one in places.devices)
    more = tuple(parse_rule(one) for one in spec.device_rules)
    return msgspec.structs.replace(limits, devices=(*limits.devices, *rules, *more))


def _rootfs_propagation(spec: ContainerSpec) -> str:
    """Return what the root must be for a bind that passes on mounts of the host or its own."""
    asked = {mount.propagation.removeprefix("r") for mount in spec.mounts}
    if "shared" in asked:
        return "rshared"
    return "rslave" if "slave" in asked else ""
