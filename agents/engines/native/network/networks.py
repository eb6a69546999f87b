"""The networks of the native engine: made, removed, and containers attached to them."""

import logging
import secrets
import threading
from collections.abc import Collection, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from ipaddress import IPv4Address, IPv4Network
from pathlib import Path

from msgspec.structs import replace

from agents.engines.native.network import declared, endpoints, foreign
from agents.engines.native.network.checks import refuse_other_spec, refuse_twice
from agents.engines.native.network.endpoints import Request
from agents.engines.native.network.forwarding import Forwarding, prepare_bridge
from agents.engines.native.network.names import HOST_NAMESERVERS, Resolvers
from agents.engines.native.network.ports import choose_ports
from agents.engines.native.network.records import (
    Attachment,
    AttachmentFile,
    EndpointFile,
    NetworkFile,
    PortFile,
)
from agents.engines.native.network.store import NetworkStore
from agents.engines.native.network.subnets import (
    DEFAULT_POOL,
    choose_subnet,
    link_name,
    mac_of,
    subnet_lock,
    taken_subnets,
)
from agents.engines.specs import NetworkSpec, PortSpec
from agents.errors import (
    ConflictError,
    NotFoundError,
    NotSupportedError,
    ProgramError,
)
from agents.linux import namespaces, netlink, nftables
from agents.linux.nftables import Ruleset
from agents.protocol.records import NetworkRecord

logger = logging.getLogger(__name__)


class Networks:
    """All networks of one agent. Methods block and may be called from any thread.

    ``root`` keeps records for good, ``run`` (lost at a reboot) the resolvers' files; others
    need the right to pass through ``run`` (mode 711) for the resolvers to give up root.
    ``pool`` is where subnets of 256 addresses are taken from. Call ``adopt`` first.
    """

    def __init__(
        self,
        root: Path,
        run: Path,
        *,
        pool: IPv4Network = DEFAULT_POOL,
        nameservers: Path = HOST_NAMESERVERS,
    ) -> None:
        self._pool = pool
        self._table = link_name("webpanel_", str(root.resolve()))
        self._store = NetworkStore(root)
        self._run = run
        self._resolvers = Resolvers(run, nameservers)
        self._forwarding = Forwarding(run)
        self._lock = threading.RLock()
        self._networks: dict[str, NetworkFile] = {}
        self._attachments: dict[str, AttachmentFile] = {}
        self._last: dict[str, IPv4Address] = {}
        self._in_force = Ruleset(table=self._table)

    def adopt(self, container_ids: Collection[str]) -> None:
        """Take up what the disk tells, after a start of the agent or of the machine.

        What is missing (bridges, rules, resolvers, veth pairs) is made again; containers
        not among ``container_ids``, or without their namespace, are detached. Idempotent.
        """
        with self._lock:
            self._networks = self._store.load_networks()
            self._attachments = self._store.load_attachments()
            self._drop_dead(container_ids)
            self._repair(self._networks.values())
            self._in_force = Ruleset(table=self._table)
            self._apply()
            if not self._networks:
                self._forwarding.restore()

    def _drop_dead(self, container_ids: Collection[str]) -> None:
        for attachment in tuple(self._attachments.values()):
            if not self._is_alive(attachment, container_ids):
                _unplug(attachment)
                del self._attachments[attachment.container_id]
                self._store.delete_attachment(attachment.container_id)

    def _is_alive(self, attachment: AttachmentFile, container_ids: Collection[str]) -> bool:
        known = attachment.container_id in container_ids
        networks = {endpoint.network for endpoint in attachment.endpoints}
        is_whole = networks <= self._networks.keys()
        return known and is_whole and namespaces.is_network_namespace(Path(attachment.namespace))

    def _repair(self, networks: Collection[NetworkFile]) -> None:
        """Make again what somebody took from networks: bridges, and the cables on them."""
        made = {one.name for one in networks if self._bring_up(one)}
        present = {link.name for link in netlink.list_links()}
        for attachment in self._attachments.values():
            for endpoint in attachment.endpoints:
                if endpoint.network in made or endpoint.link not in present:
                    endpoints.connect(attachment, endpoint, self._networks)

    # networks

    def create(self, spec: NetworkSpec) -> NetworkRecord:
        """Make a network, or return it if it is there with the same spec.

        Raises ConflictError (name or subnet taken), InvalidInputError, NotSupportedError
        (another driver, IPv6, no dnsmasq), KernelError. Undone when a step fails.
        """
        if spec.driver not in ("", "bridge"):
            raise NotSupportedError(
                f"the native engine has no network driver {spec.driver}", field="driver"
            )
        with self._lock:
            known = self._networks.get(spec.name)
            if known is not None:
                refuse_other_spec(known, spec)
                self._repair([known])
                return known.to_record()
            with subnet_lock():
                return self._make(self._plan(spec)).to_record()

    def _plan(self, spec: NetworkSpec) -> NetworkFile:
        taken = taken_subnets(self._networks.values())
        subnet, gateway = choose_subnet(spec, self._pool, taken)
        identity = secrets.token_hex(6)
        return NetworkFile(
            id=identity,
            name=spec.name,
            bridge=link_name("wp", identity),
            subnet=str(subnet),
            gateway=str(gateway),
            asked_subnet=spec.subnet,
            asked_gateway=spec.gateway,
            internal=spec.internal,
            labels=dict(spec.labels),
        )

    def _make(self, network: NetworkFile) -> NetworkFile:
        with ExitStack() as undo:
            self._networks[network.name] = network
            undo.callback(self._unmake, network)
            self._store.save_network(network)
            self._bring_up(network)
            self._apply()
            undo.pop_all()
        return network

    def _bring_up(self, network: NetworkFile) -> bool:
        """Make what the kernel must have of a network; return whether its bridge was missing."""
        self._run.mkdir(parents=True, exist_ok=True, mode=0o711)
        self._forwarding.switch_on()
        gateway = network.gateway_interface
        made = netlink.create_bridge(network.bridge, gateway, mac_of(gateway.ip))
        prepare_bridge(network.bridge)
        foreign.open_docker_chain(network.bridge)
        return made

    def _unmake(self, network: NetworkFile) -> None:
        self._networks.pop(network.name, None)
        foreign.close_docker_chain(network.bridge)
        self._apply()
        netlink.delete_link(network.bridge)
        self._store.delete_network(network)
        if not self._networks:
            self._forwarding.restore()

    def remove(self, name: str) -> None:
        """Remove a network. Idempotent. Raises ConflictError while containers are on it."""
        with self._lock:
            network = self._networks.get(name)
            if network is None:
                return
            users = [one.name for one in self._attachments.values() if _is_on(one, network)]
            if users:
                raise ConflictError(f"the network {name} is used by {', '.join(sorted(users))}")
            self._unmake(network)

    def find(self, name_or_id: str) -> NetworkRecord:
        """Return one network. Raises NotFoundError."""
        with self._lock:
            return self._find(name_or_id).to_record()

    def _find(self, name_or_id: str) -> NetworkFile:
        for network in self._networks.values():
            if name_or_id in (network.name, network.id):
                return network
        raise NotFoundError(f"there is no network {name_or_id}", field="networks")

    def list(self, labels: Mapping[str, str] | None = None) -> tuple[NetworkRecord, ...]:
        """Return the networks that bear all of ``labels``, by name."""
        wanted = (labels or {}).items()
        with self._lock:
            known = sorted(self._networks.values(), key=lambda one: one.name)
            return tuple(one.to_record() for one in known if wanted <= one.labels.items())

    def warnings(self) -> tuple[str, ...]:
        """Return what about this host's other firewalls keeps networks from working."""
        return tuple(one.describe() for one in foreign.find_obstacles(self._table))

    # containers

    def attach(self, request: Request) -> Attachment:
        """Give a container its interfaces, addresses, names and published ports.

        :meth:`reserve` and :meth:`connect` in one; undone when a step fails.
        """
        self.reserve(request)
        try:
            return self.connect(request.container_id, request.namespace)
        except BaseException:
            self.detach(request.container_id)
            raise

    def reserve(self, request: Request) -> Attachment:
        """Choose and record a container's addresses, ports and names, before it has a namespace.

        A container that is attached already is detached first. Undone by :meth:`detach`.

        Raises NotFoundError (a network), ConflictError (a port or address is taken),
        InvalidInputError.
        """
        refuse_twice(request)
        with self._lock:
            self.detach(request.container_id)
            attachment = self._reserve(request)
            self._attachments[request.container_id] = attachment
            try:
                self._store.save_attachment(attachment)
            except BaseException:
                self.detach(request.container_id)
                raise
            return self._describe(attachment)

    def connect(self, container_id: str, namespace: Path) -> Attachment:
        """Put what was reserved for a container in force, in the namespace that a path keeps.

        Its loopback is switched on in any case. When a step fails it stays reserved, and
        :meth:`detach` undoes what was done. Raises NotFoundError (nothing is reserved),
        KernelError.
        """
        with self._lock:
            reserved = self._attachments.get(container_id)
            if reserved is None:
                raise NotFoundError(f"nothing is reserved for the container {container_id}")
            attachment = replace(reserved, namespace=str(namespace))
            self._attachments[container_id] = attachment
            self._store.save_attachment(attachment)
            self._connect(attachment)
            self._apply()
            _forget_flows(attachment)
            return self._describe(attachment)

    def _reserve(self, request: Request) -> AttachmentFile:
        chosen = tuple(self._choose(request, number) for number in range(len(request.endpoints)))
        return AttachmentFile(
            container_id=request.container_id,
            name=request.name,
            namespace="",
            endpoints=chosen,
            ports=self._ports(request, chosen),
        )

    def _choose(self, request: Request, number: int) -> EndpointFile:
        network = self._find(request.endpoints[number].network)
        used = set(self._addresses(network))
        last = self._last.get(network.id) or max(used, default=None)
        endpoint = endpoints.choose_endpoint(request, number, network, used, last)
        self._last[network.id] = IPv4Address(endpoint.address)
        return endpoint

    def _addresses(self, network: NetworkFile) -> Iterator[IPv4Address]:
        for attachment in self._attachments.values():
            for endpoint in attachment.endpoints:
                if endpoint.network_id == network.id:
                    yield IPv4Address(endpoint.address)

    def _ports(self, request: Request, chosen: tuple[EndpointFile, ...]) -> tuple[PortFile, ...]:
        primary = endpoints.primary(chosen, self._networks)
        if primary is not None:
            address = IPv4Address(primary.address)
            return choose_ports(request.ports, address, self._attachments.values())
        if request.ports:
            logger.warning("%s is on internal networks: no port is published", request.name)
        return ()

    def check_ports(self, ports: Iterable[PortSpec], without: Collection[str]) -> None:
        """Raise ConflictError for a port that is taken by a program, or by a container whose
        id is not in ``without``; InvalidInputError, NotSupportedError as :meth:`attach`.
        """
        with self._lock:
            others = [one for key, one in self._attachments.items() if key not in without]
            choose_ports(ports, IPv4Address(0), others)

    def _connect(self, attachment: AttachmentFile) -> None:
        for endpoint in attachment.endpoints:
            endpoints.connect(attachment, endpoint, self._networks)
        if not attachment.endpoints:
            netlink.bring_loopback_up(Path(attachment.namespace))

    def detach(self, container_id: str) -> None:
        """Take back all that ``attach`` gave. Idempotent, also when the namespace is gone."""
        with self._lock:
            attachment = self._attachments.get(container_id)
            if attachment is None:
                return
            self._attachments.pop(container_id)
            # Taking away a link and taking away a rule each wait for the kernel, some 20 ms.
            with ThreadPoolExecutor(1, "detach") as pool:
                unplugged = pool.submit(_unplug, attachment)
                self._apply()
            unplugged.result()
            _forget_flows(attachment)
            self._store.delete_attachment(container_id)

    def rename(self, container_id: str, name: str) -> None:
        """Let an attached container answer to ``name`` in place of its old one. Idempotent."""
        with self._lock:
            attachment = self._attachments.get(container_id)
            if attachment is None or attachment.name == name:
                return
            renamed = endpoints.rename(attachment, name)
            self._store.save_attachment(renamed)
            self._attachments[container_id] = renamed
            self._apply()

    def attachment(self, container_id: str) -> Attachment | None:
        """Return what a container holds, or None when it is not attached."""
        with self._lock:
            attachment = self._attachments.get(container_id)
            return None if attachment is None else self._describe(attachment)

    def _describe(self, attachment: AttachmentFile) -> Attachment:
        pairs = [(one, self._networks[one.network]) for one in attachment.endpoints]
        return Attachment(
            endpoints=tuple(endpoints.to_record(*pair) for pair in pairs),
            ports=tuple(port.to_record() for port in attachment.ports),
            nameservers=tuple(network.gateway for _, network in pairs[:1]),
        )

    def _apply(self) -> None:
        """Bring resolvers and packet rules in line with the records."""
        networks, attachments = self._networks.values(), self._attachments.values()
        dns_ports = self._resolvers.serve(declared.views(networks, attachments))
        wanted = declared.ruleset(self._table, networks, attachments, dns_ports)
        more = declared.additions(self._in_force, wanted) if self._in_force.subnets else None
        if more is None:
            nftables.replace(wanted)
        else:
            self._extend(wanted, more)
        self._in_force = wanted

    def _extend(self, wanted: Ruleset, more: Ruleset) -> None:
        try:
            nftables.extend(wanted, more)
        except ProgramError as exc:
            logger.warning("packet rules were gone, and are made anew: %s", exc)
            nftables.replace(wanted)


def _unplug(attachment: AttachmentFile) -> None:
    for endpoint in attachment.endpoints:
        netlink.delete_link(endpoint.link)


def _forget_flows(attachment: AttachmentFile) -> None:
    for port in attachment.ports:
        if port.protocol == "udp":
            netlink.forget_udp_flows(port.host_port)


def _is_on(attachment: AttachmentFile, network: NetworkFile) -> bool:
    return any(endpoint.network_id == network.id for endpoint in attachment.endpoints)
