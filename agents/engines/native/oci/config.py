"""From a container's spec to the configuration that the OCI runtime reads.

Pure: everything that must be looked up (users, paths, images) is given. Seccomp filters
are not set yet; containers have the default capabilities, masked paths and device rules.
"""

from pathlib import Path

from agents.engines.native.limits.oom_score import check_oom_score
from agents.engines.native.oci import capabilities, defaults
from agents.engines.native.oci.mounts import Places, make_mounts
from agents.engines.native.oci.process import ProcessPlan, make_process, make_rlimit
from agents.engines.native.oci.resources import make_resources
from agents.engines.native.oci.types import (
    VERSION,
    Config,
    Linux,
    Namespace,
    NamespaceKind,
    Root,
)
from agents.engines.specs import ContainerSpec


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
        hostname=spec.hostname,
    )


def check_spec(spec: ContainerSpec) -> None:
    """Raise what :func:`make_config` would raise for a spec, before anything is made."""
    capabilities.choose(add=spec.cap_add, drop=spec.cap_drop, privileged=spec.privileged)
    make_resources(spec.limits, privileged=spec.privileged)
    check_oom_score(spec.oom_score_adj)
    for limit in spec.ulimits:
        make_rlimit(limit)


def _linux(spec: ContainerSpec, places: Places) -> Linux:
    own_network = places.network is not None
    sysctl = {**(defaults.NETWORK_SYSCTLS if own_network else {}), **spec.sysctls}
    return Linux(
        namespaces=_namespaces(places.network),
        cgroups_path=places.cgroup,
        resources=make_resources(spec.limits, privileged=spec.privileged),
        masked_paths=() if spec.privileged else defaults.MASKED_PATHS,
        readonly_paths=() if spec.privileged else defaults.READONLY_PATHS,
        sysctl=sysctl,
    )


def _namespaces(network: Path | None) -> tuple[Namespace, ...]:
    kinds: tuple[NamespaceKind, ...] = ("pid", "ipc", "uts", "mount", "cgroup")
    made = tuple(Namespace(type=kind) for kind in kinds)
    if network is None:
        return made
    return (*made, Namespace(type="network", path=str(network)))
