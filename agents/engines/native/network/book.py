"""What is recorded of networks and attachments, in memory and on disk."""

import threading
from collections.abc import Collection, Iterable, Iterator
from ipaddress import IPv4Address, IPv6Address
from pathlib import Path

from msgspec.structs import replace

from agents.engines.native.network import endpoints
from agents.engines.native.network.addresses import Family
from agents.engines.native.network.declared import State
from agents.engines.native.network.endpoints import Request, Use, choose_endpoint
from agents.engines.native.network.ports import choose_ports
from agents.engines.native.network.records import (
    Address,
    Attachment,
    AttachmentFile,
    EndpointFile,
    NetworkFile,
    PortFile,
)
from agents.engines.native.network.store import NetworkStore
from agents.engines.specs import EndpointSpec, PortSpec
from agents.errors import NotFoundError


class Book:
    """The records of one agent's networks. Whoever reads and then writes holds ``lock``,
    and holds it for moments only: nothing in here waits for the kernel or a program.
    """

    def __init__(self, root: Path) -> None:
        self.lock = threading.RLock()
        self.store = NetworkStore(root)
        self.networks: dict[str, NetworkFile] = {}
        self.attachments: dict[str, AttachmentFile] = {}
        self._last: dict[tuple[str, Family], Address] = {}

    def load(self) -> None:
        """Take up what the disk tells."""
        with self.lock:
            self.networks = self.store.load_networks()
            self.attachments = self.store.load_attachments()

    def look(self) -> State:
        """Return everything as it is now."""
        with self.lock:
            return State(networks=dict(self.networks), attachments=tuple(self.attachments.values()))

    def find(self, name_or_id: str) -> NetworkFile:
        """Return a network. Raises NotFoundError."""
        with self.lock:
            for network in self.networks.values():
                if name_or_id in (network.name, network.id):
                    return network
        raise NotFoundError(f"there is no network {name_or_id}", field="networks")

    def attached(self, container_id: str) -> AttachmentFile:
        """Return what a container holds. Raises NotFoundError."""
        with self.lock:
            attachment = self.attachments.get(container_id)
        if attachment is None:
            raise NotFoundError(f"nothing is reserved for the container {container_id}")
        return attachment

    def put(self, attachment: AttachmentFile) -> None:
        """Record an attachment in place of the one that the container had."""
        with self.lock:
            self.store.save_attachment(attachment)
            self.attachments[attachment.container_id] = attachment

    def drop(self, container_id: str) -> AttachmentFile | None:
        """Forget an attachment in memory and return it; the file stays for a while."""
        with self.lock:
            return self.attachments.pop(container_id, None)

    def choose(self, request: Request) -> AttachmentFile:
        """Return what a container asks for, with addresses and ports that are free.

        Raises NotFoundError, ConflictError, InvalidInputError.
        """
        attachment = AttachmentFile(
            container_id=request.container_id,
            name=request.name,
            namespace="",
            hostname=request.hostname,
            dns=endpoints.check_dns(request.dns),
            asked_ports=request.ports,
        )
        for spec in request.endpoints:
            attachment = self.with_endpoint(attachment, spec)
        return self.with_ports(attachment)

    def with_endpoint(self, attachment: AttachmentFile, spec: EndpointSpec) -> AttachmentFile:
        """Return an attachment with another endpoint, the last of ``endpoints``."""
        network = self.find(spec.network)
        used = set(self._addresses(network))
        last = {family: self._last_of(network, used, family) for family in (4, 6)}
        known = {family: one for family, one in last.items() if one is not None}
        endpoint = choose_endpoint(attachment, spec, network, Use(used=used, last=known))
        for address in endpoint.addresses:
            self._last[network.id, address.version] = address
        return replace(attachment, endpoints=(*attachment.endpoints, endpoint))

    def _last_of(
        self, network: NetworkFile, used: Iterable[Address], family: Family
    ) -> Address | None:
        known = self._last.get((network.id, family))
        found = (one for one in used if one.version == family)
        return known or max(found, key=int, default=None)

    def _addresses(self, network: NetworkFile) -> Iterator[Address]:
        for attachment in self.attachments.values():
            for endpoint in attachment.endpoints:
                if endpoint.network_id == network.id:
                    yield from endpoint.addresses

    def with_ports(self, attachment: AttachmentFile) -> AttachmentFile:
        """Return an attachment with its ports published to where its endpoints are now.

        Ports that it has keep their numbers. Raises ConflictError, InvalidInputError.
        """
        leading = endpoints.published(attachment.endpoints, self.networks)
        addresses: dict[Family, Address] = {
            family: address
            for family, endpoint in leading.items()
            for address in endpoint.addresses
            if address.version == family
        }
        kept = tuple(
            replace(port, address=str(addresses[port.family]))
            for port in attachment.ports
            if port.family in addresses
        )
        return replace(attachment, ports=kept or self._publish(attachment, leading, addresses))

    def _publish(
        self,
        attachment: AttachmentFile,
        leading: dict[Family, EndpointFile],
        addresses: dict[Family, Address],
    ) -> tuple[PortFile, ...]:
        if not addresses:
            return ()
        default = endpoints.default_host_ip(self.networks[leading[4].network])
        asked = (endpoints.at_home(port, default) for port in attachment.asked_ports)
        others = [one for key, one in self.attachments.items() if key != attachment.container_id]
        return choose_ports(asked, tuple(addresses.values()), others)

    def check_ports(self, ports: Iterable[PortSpec], without: Collection[str]) -> None:
        """Raise ConflictError for a port that a program, or another container, holds."""
        with self.lock:
            others = [one for key, one in self.attachments.items() if key not in without]
        for port in ports:
            nowhere = IPv6Address(0) if ":" in port.host_ip else IPv4Address(0)
            choose_ports((port,), (nowhere,), others)

    def describe(self, attachment: AttachmentFile) -> Attachment:
        """Return an attachment as others see it."""
        with self.lock:
            networks = self.networks
            asking = endpoints.asking(attachment, networks)
            return Attachment(
                endpoints=tuple(
                    endpoints.to_record(one, networks[one.network]) for one in attachment.endpoints
                ),
                ports=tuple(port.to_record() for port in attachment.ports),
                nameservers=() if asking is None else (networks[asking.network].gateway,),
            )
