"""What was asked for a container and could not be given, where it runs all the same."""

from collections.abc import Iterator, Sequence
from resource import RLIM_INFINITY

from agents.engines.native.oci.process import lower_ulimit
from agents.engines.specs import ContainerSpec, UlimitSpec
from agents.protocol.records import PortRecord


def find_shortfalls(spec: ContainerSpec, ports: Sequence[PortRecord]) -> Iterator[str]:
    """Say in sentences what of ``spec`` a running container has not; ``ports`` are in force."""
    if spec.ports and not ports:
        yield "No port is published: none of its networks leads out of this host."
    for limit in spec.ulimits:
        given = lower_ulimit(limit)
        if given != limit:
            yield (
                f"The limit {limit.name} is {_range(given)}, not {_range(limit)} as asked for:"
                " this host allows no more."
            )


def _range(limit: UlimitSpec) -> str:
    soft, hard = (
        "no bound" if one == RLIM_INFINITY else str(one) for one in (limit.soft, limit.hard)
    )
    return soft if soft == hard else f"{soft} to {hard}"
