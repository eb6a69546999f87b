"""The first process of a container: who it is, what it may, what it starts with."""

import resource
from dataclasses import dataclass, replace

from agents.engines.native.oci import capabilities
from agents.engines.native.oci.mounts import INIT_TARGET
from agents.engines.native.oci.places import Places
from agents.engines.native.oci.types import Capabilities, Process, Rlimit, User
from agents.engines.specs import ContainerSpec, UlimitSpec
from agents.errors import InvalidInputError

# What RLIM_INFINITY is in the runtime's configuration; Python has it as -1.
_INFINITE = 2**64 - 1


@dataclass(frozen=True, kw_only=True)
class ProcessPlan:
    """The first process, with the image's part and the spec's part put together."""

    args: tuple[str, ...]
    env: tuple[str, ...]
    cwd: str
    user: User


def make_process(spec: ContainerSpec, plan: ProcessPlan, places: Places) -> Process:
    """Return the first process. Raises as :func:`make_rlimit` and ``capabilities.choose``."""
    chosen = capabilities.choose(add=spec.cap_add, drop=spec.cap_drop, privileged=spec.privileged)
    args = plan.args if places.init is None else (INIT_TARGET, "--", *plan.args)
    return Process(
        args=args,
        env=plan.env,
        cwd=plan.cwd,
        user=plan.user,
        capabilities=Capabilities(bounding=chosen, effective=chosen, permitted=chosen),
        rlimits=tuple(make_rlimit(one) for one in spec.ulimits),
        no_new_privileges=spec.security.no_new_privileges,
        terminal=spec.tty,
    )


def make_rlimit(spec: UlimitSpec) -> Rlimit:
    """Return one limit, lowered to what this host can give. Raises ``InvalidInputError``."""
    name = f"RLIMIT_{spec.name.upper()}"
    if not hasattr(resource, name):
        raise InvalidInputError(f"there is no resource limit {spec.name}", field="ulimits")
    if not 0 <= _size(spec.soft) <= _size(spec.hard):
        raise InvalidInputError(f"the limits of {spec.name} are out of order", field="ulimits")
    given = lower_ulimit(spec)
    return Rlimit(type=name, soft=_size(given.soft), hard=_size(given.hard))


def lower_ulimit(spec: UlimitSpec) -> UlimitSpec:
    """Return a limit with a known name as this host can give it; the container's page says so.

    setrlimit(2): only CAP_SYS_RESOURCE raises a hard limit.
    """
    own = resource.getrlimit(getattr(resource, f"RLIMIT_{spec.name.upper()}"))[1]
    if _size(spec.hard) <= _size(own) or "SYS_RESOURCE" in capabilities.available():
        return spec
    return replace(spec, soft=min(spec.soft, own, key=_size), hard=own)


def _size(bound: int) -> int:
    return _INFINITE if bound == resource.RLIM_INFINITY else bound
