"""What this host is and can do: found by reading, one file for each family of facts.

``system``   name, operating system, kernel, processors, memory
``storage``  the disk
``network``  the addresses under which others reach it
"""

from agents import __version__
from agents.config import AgentConfig
from agents.fingerprint import network, storage, system
from agents.linux import cgroups
from agents.protocol import PROTOCOL_VERSION
from agents.protocol.records import EngineRecord, HostFacts

__all__ = ["collect"]


def collect(
    config: AgentConfig,
    engines: tuple[EngineRecord, ...],
    own_networks: tuple[str, ...] = (),
    warnings: tuple[str, ...] = (),
) -> HostFacts:
    """Read all facts; takes a few milliseconds and changes nothing.

    ``own_networks`` are the subnets of the host's containers, ``warnings`` the engines' own.
    """
    return HostFacts(
        hostname=system.hostname(),
        os=system.distribution(),
        kernel=system.kernel(),
        architecture=system.architecture(),
        cpus=system.cpus(),
        memory=system.memory(),
        disk=storage.disk(config.root),
        cgroups=cgroups.detect().mode,
        agent_version=__version__,
        protocol_version=PROTOCOL_VERSION,
        booted_at=system.booted_at(),
        addresses=network.addresses(own_networks),
        engines=engines,
        warnings=(*storage.warnings(config.root), *warnings),
    )
