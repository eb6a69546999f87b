"""The first process of a container: who it is, what it may, what it starts with."""

import logging
import resource
from dataclasses import dataclass

from agents.engines.native.oci import capabilities
from agents.engines.native.oci.mounts import INIT_TARGET
from agents.engines.native.oci.places import Places
from agents.engines.native.oci.types import Capabilities, Process, Rlimit, User
from agents.engines.specs import ContainerSpec, UlimitSpec
from agents.errors import InvalidInputError

logger = logging.getLogger(__name__)


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
    number = getattr(resource, name, None)
    if number is None:
        raise InvalidInputError(f"there is no resource limit {spec.name}", field="ulimits")
    if not 0 <= spec.soft <= spec.hard:
        raise InvalidInputError(f"the limits of {spec.name} are out of order", field="ulimits")
    hard = spec.hard
    own = resource.getrlimit(number)[1]
    is_over = own != resource.RLIM_INFINITY and hard > own
    if is_over and "SYS_RESOURCE" not in capabilities.available():
        # setrlimit(2) would refuse: only CAP_SYS_RESOURCE raises a hard limit.
        logger.warning("%s is lowered from %d to this host's %d", spec.name, hard, own)
        hard = own
    return Rlimit(type=name, soft=min(spec.soft, hard), hard=hard)
