"""Networks and ports of the fake engine: records without substance."""

import secrets
import socket
from collections.abc import Iterable, Mapping

from agents.engines.specs import NetworkSpec, PortSpec
from agents.errors import ConflictError, NotFoundError
from agents.protocol.records import EndpointRecord, NetworkRecord, PortRecord


class Networks:
    """The networks of one fake engine. The engine holds the lock."""

    def __init__(self) -> None:
        self._networks: dict[str, tuple[NetworkSpec, NetworkRecord]] = {}
        self._count = 0

    def create(self, spec: NetworkSpec) -> NetworkRecord:
        """Return a new network or the same one. Raises ``ConflictError``."""
        if spec.name in self._networks:
            known, record = self._networks[spec.name]
            if known != spec:
                raise ConflictError(f"the network {spec.name} is there with another spec")
            return record
        self._count += 1
        record = NetworkRecord(
            id=secrets.token_hex(6),
            name=spec.name,
            driver=spec.driver,
            subnet=spec.subnet or f"10.99.{self._count % 256}.0/24",
            gateway=spec.gateway or f"10.99.{self._count % 256}.1",
            internal=spec.internal,
            labels=dict(spec.labels),
        )
        self._networks[spec.name] = (spec, record)
        return record

    def remove(self, name: str) -> None:
        """Forget a network. Idempotent."""
        self._networks.pop(name, None)

    def find(self, name: str) -> NetworkRecord:
        """Return a network. Raises ``NotFoundError``."""
        if name not in self._networks:
            raise NotFoundError(f"there is no network {name}", field="networks")
        return self._networks[name][1]

    def list(self, labels: Mapping[str, str] | None) -> tuple[NetworkRecord, ...]:
        """Return those with all of ``labels``."""
        wanted = (labels or {}).items()
        records = (record for _, record in self._networks.values())
        return tuple(one for one in records if wanted <= one.labels.items())

    def endpoint(self, name: str, number: int, aliases: tuple[str, ...]) -> EndpointRecord:
        """Return a place on a network for the ``number``-th container."""
        network = self.find(name)
        start = network.gateway.rpartition(".")[0]
        return EndpointRecord(
            network=name,
            ipv4_address=f"{start}.{number % 250 + 2}",
            gateway=network.gateway,
            aliases=aliases,
        )


def publish(specs: Iterable[PortSpec], taken: Iterable[PortRecord]) -> tuple[PortRecord, ...]:
    """Return the published ports. Raises ``ConflictError`` for one that is in use."""
    numbers: set[tuple[int, str]] = {(port.host_port, port.protocol) for port in taken}
    return tuple(_publish(spec, numbers) for spec in specs)


def _publish(spec: PortSpec, taken: set[tuple[int, str]]) -> PortRecord:
    kind = socket.SOCK_STREAM if spec.protocol == "tcp" else socket.SOCK_DGRAM
    try:
        with socket.socket(socket.AF_INET, kind) as probe:
            probe.bind((spec.host_ip, spec.host_port))
            number: int = probe.getsockname()[1]
    except OSError as exc:
        raise _in_use(spec) from exc
    if (number, spec.protocol) in taken:
        raise _in_use(spec)
    taken.add((number, spec.protocol))
    return PortRecord(
        host_ip=spec.host_ip,
        host_port=number,
        container_port=spec.container_port,
        protocol=spec.protocol,
    )


def _in_use(spec: PortSpec) -> ConflictError:
    return ConflictError(
        f"port {spec.host_port}/{spec.protocol} is in use",
        hint="Publish another port, or stop what uses this one.",
        field="ports",
    )
