"""The cgroup part of what the OCI runtime is told: devices.

All other limits are checked here, and written by the engine (agents.engines.native.limits).
"""

from agents.engines.native.limits.checks import check_limits
from agents.engines.native.oci import defaults
from agents.engines.native.oci.types import Resources
from agents.engines.specs import Limits
from agents.linux import cgroups


def make_resources(limits: Limits, *, privileged: bool) -> Resources:
    """Return what the runtime sets for one container.

    Raises:
        InvalidInputError: a limit is wrong.
        NotSupportedError: this host cannot keep it.
    """
    check_limits(limits, cgroups.host_layout())
    return Resources(devices=defaults.ALL_DEVICES if privileged else defaults.DEVICES)
