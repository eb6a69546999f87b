"""The networks of the native engine: made, removed, and containers attached to them."""

import logging
import threading
from collections.abc import Collection, Iterable, Iterator, Mapping
from contextlib import ExitStack
from ipaddress import IPv4Network
from pathlib import Path

from msgspec.structs import replace

from agents.engines.native.network import foreign, plumbing
from agents.engines.native.network.addresses import link_name
from agents.engines.native.network.book import Book
from agents.engines.native.network.checks import (
    refuse_other_spec,
    refuse_twice,
    refuse_while_used,
    same_place,
)
from agents.engines.native.network.endpoints import Request, check_endpoint
from agents.engines.native.network.endpoints import rename as renamed
from agents.engines.native.network.enforcer import Enforcer
from agents.engines.native.network.forwarding import Forwarding
from agents.engines.native.network.making import plan
from agents.engines.native.network.names import HOST_NAMESERVERS, Resolvers
from agents.engines.native.network.records import (
    Attachment,
    AttachmentFile,
    EndpointFile,
    NetworkFile,
)
from agents.engines.native.network.subnets import (
    DEFAULT_POOL,
    find_clashes,
    subnet_lock,
    used_by_host,
)
from agents.engines.native.network.sweeper import Sweeper
from agents.engines.native.network.watch import Watch
from agents.engines.specs import EndpointSpec, NetworkSpec, PortSpec
from agents.linux import namespaces, netlink
from agents.protocol.records import NetworkRecord

logger = logging.getLogger(__name__)


class Networks:
    """All networks of one agent. Methods block and may be called from any thread.

    ``root`` keeps records for good, ``run`` (lost at a reboot) the resolvers' files; others
    need the right to pass through ``run`` (mode 711) for the resolvers to give up root.
    ``pool`` is where subnets of 256 addresses are taken from. Call ``adopt`` first and
    ``close`` in the end.
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
        self._seed = str(root.resolve())
        self._run = run
        self._book = Book(root)
        self._forwarding = Forwarding(run)
        self._sweeper = Sweeper(self._book.store.delete_attachment)
        self._enforcer = Enforcer(
            link_name("webpanel_", self._seed),
            Resolvers(run, nameservers),
            self._book.look,
            lambda: self._watch.look_again(),
        )
        self._watch = Watch(self._enforcer)
        # Whoever makes or removes networks holds it; containers come and go without.
        self._making = threading.RLock()
        # Cables that are being plugged in, which are not missing but to come.
        self._joining: set[str] = set()

    def adopt(self, container_ids: Collection[str]) -> None:
        """Take up what the disk tells, after a start of the agent or of the machine.

        What is missing (bridges, rules, resolvers, veth pairs) is made again; containers
        not among ``container_ids``, or without their namespace, are detached. Idempotent.
        From here on, rules that others take away and resolvers that end are put back.
        """
        with self._making:
            self._book.load()
            netlink.finish_deleting()
            self._drop_dead(container_ids)
            self._repair(tuple(self._book.networks.values()))
            self._enforcer.enforce()
            if self._book.networks:
                self._watch.start()
            else:
                self._forwarding.restore()

    def close(self) -> None:
        """End what watches over the networks, which go on. Idempotent."""
        self._watch.close()
        self._sweeper.wait()
        self._enforcer.close()

    def _drop_dead(self, container_ids: Collection[str]) -> None:
        for attachment in tuple(self._book.attachments.values()):
            if not self._is_alive(attachment, container_ids):
                netlink.delete_links(one.link for one in attachment.endpoints)
                self._book.drop(attachment.container_id)
                self._book.store.delete_attachment(attachment.container_id)

    def _is_alive(self, attachment: AttachmentFile, container_ids: Collection[str]) -> bool:
        known = attachment.container_id in container_ids
        networks = {endpoint.network for endpoint in attachment.endpoints}
        is_whole = networks <= self._book.networks.keys()
        return known and is_whole and namespaces.is_network_namespace(Path(attachment.namespace))

    def _repair(self, networks: Collection[NetworkFile]) -> None:
        """Make again what somebody took from networks: bridges, and the cables on them."""
        made = {one.name for one in networks if self._bring_up(one)}
        present = {link.name for link in netlink.list_links()}
        for attachment, endpoint in self._cables():
            if endpoint.network in made or endpoint.link not in present:
                plumbing.plug_in(attachment, endpoint, self._book.networks)

    def _cables(self) -> Iterator[tuple[AttachmentFile, EndpointFile]]:
        state = self._book.look()
        for attachment in state.attachments:
            for endpoint in attachment.endpoints:
                has_cable = state.networks[endpoint.network].bridge and attachment.namespace
                if has_cable and endpoint.link not in self._joining:
                    yield attachment, endpoint

    # networks

    def create(self, spec: NetworkSpec) -> NetworkRecord:
        """Make a network, or return it if it is there with the same spec.

        Raises ConflictError (name or subnet taken), InvalidInputError, NotFoundError (the
        parent), NotSupportedError (another driver, no dnsmasq), KernelError. Undone when a
        step fails.
        """
        with self._making:
            known = self._book.networks.get(spec.name)
            if known is not None:
                refuse_other_spec(known, spec)
                self._repair([known])
                return known.to_record()
            with subnet_lock():
                others = tuple(self._book.networks.values())
                return self._make(plan(spec, self._pool, self._seed, others)).to_record()

    def _make(self, network: NetworkFile) -> NetworkFile:
        with ExitStack() as undo:
            undo.callback(self._unmake, network)
            self._book.store.save_network(network)
            self._bring_up(network)
            with self._book.lock:
                self._book.networks[network.name] = network
            self._enforcer.enforce()
            self._watch.start()
            undo.pop_all()
        return network

    def _bring_up(self, network: NetworkFile) -> bool:
        """Make what the kernel must have of a network; return whether its bridge was missing."""
        self._run.mkdir(parents=True, exist_ok=True, mode=0o711)
        if network.bridge:
            self._forwarding.switch_on()
            if network.subnet6:
                self._forwarding.switch_on6()
            foreign.open_docker_chains([network.bridge])
        return plumbing.raise_network(network)

    def _unmake(self, network: NetworkFile) -> None:
        with self._book.lock:
            self._book.networks.pop(network.name, None)
        self._sweeper.wait()
        if network.bridge:
            foreign.close_docker_chains(network.bridge)
        self._enforcer.enforce()
        plumbing.raze_network(network)
        self._book.store.delete_network(network)
        if not self._book.networks:
            self._forwarding.restore()

    def remove(self, name: str) -> None:
        """Remove a network. Idempotent. Raises ConflictError while containers are on it."""
        with self._making:
            with self._book.lock:
                network = self._book.networks.get(name)
                if network is None:
                    return
                refuse_while_used(network, self._book.attachments.values())
                del self._book.networks[name]
            try:
                self._unmake(network)
            except BaseException:
                with self._book.lock:
                    self._book.networks[name] = network
                raise

    def find(self, name_or_id: str) -> NetworkRecord:
        """Return one network. Raises NotFoundError."""
        return self._book.find(name_or_id).to_record()

    def check_endpoint(self, spec: EndpointSpec) -> None:
        """Raise NotFoundError, InvalidInputError for a place that no container can have."""
        check_endpoint(spec, self._book.find(spec.network))

    def list(self, labels: Mapping[str, str] | None = None) -> tuple[NetworkRecord, ...]:
        """Return the networks that bear all of ``labels``, by name."""
        wanted = (labels or {}).items()
        networks = sorted(self._book.look().networks.values(), key=lambda one: one.name)
        return tuple(one.to_record() for one in networks if wanted <= one.labels.items())

    def warnings(self) -> tuple[str, ...]:
        """Return what about this host keeps networks from working: other firewalls, and
        interfaces or routes that have come to lie across our subnets.
        """
        networks = self._book.look().networks.values()
        ipv6 = any(one.subnet6 for one in networks)
        obstacles = foreign.find_obstacles(self._enforcer.table, ipv6=ipv6)
        clashes = find_clashes(networks, used_by_host()) if networks else ()
        return (*(one.describe() for one in obstacles), *clashes)

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
        self.detach(request.container_id)
        self._sweeper.wait(request.container_id)
        with self._book.lock:
            attachment = self._book.choose(request)
            self._book.put(attachment)
        return self._book.describe(attachment)

    def connect(self, container_id: str, namespace: Path) -> Attachment:
        """Put what was reserved for a container in force, in the namespace that a path keeps.

        Its loopback is switched on in any case. When a step fails it stays reserved, and
        :meth:`detach` undoes what was done. Raises NotFoundError (nothing is reserved),
        KernelError.
        """
        attachment = replace(self._book.attached(container_id), namespace=str(namespace))
        plumbing.plug_in_all(attachment, self._book.look().networks)
        # From here on a cable that is missing was taken away by somebody.
        self._book.put(attachment)
        self._enforcer.enforce()
        plumbing.forget_flows(attachment)
        return self._book.describe(attachment)

    def detach(self, container_id: str) -> None:
        """Take back all that ``attach`` gave. Idempotent, also when the namespace is gone.

        Names and ports are free when it returns; the cables go in the background.
        """
        attachment = self._book.drop(container_id)
        if attachment is None:
            return
        try:
            self._enforcer.enforce()
            plumbing.forget_flows(attachment)
        finally:
            self._sweeper.sweep(container_id, tuple(one.link for one in attachment.endpoints))

    def settle(self) -> None:
        """Wait until all cables of detached containers are gone."""
        self._sweeper.wait()

    def join(self, container_id: str, spec: EndpointSpec) -> Attachment:
        """Put an attached container on one more network, while it runs. Idempotent.

        Its default routes and published ports follow the endpoint with the greatest
        ``gateway_priority``. Undone when a step fails.

        Raises NotFoundError, ConflictError (it is there with another address or aliases, or
        an address is taken), InvalidInputError, KernelError.
        """
        with self._book.lock:
            before = self._book.attached(container_id)
            if same_place(before, self._book.find(spec.network), spec):
                return self._book.describe(before)
            attachment = self._book.with_ports(self._book.with_endpoint(before, spec))
            added = attachment.endpoints[-1]
            self._joining.add(added.link)
            self._book.put(attachment)
        try:
            self._rearrange(attachment, added)
        except BaseException:
            self.leave(container_id, spec.network)
            raise
        finally:
            self._joining.discard(added.link)
        return self._book.describe(attachment)

    def _rearrange(self, attachment: AttachmentFile, added: EndpointFile | None) -> None:
        networks = self._book.look().networks
        if attachment.namespace:
            if added is not None:
                plumbing.plug_in(attachment, added, networks)
            plumbing.lead_out(attachment, networks)
        self._enforcer.enforce()
        plumbing.forget_flows(attachment)

    def leave(self, container_id: str, name: str) -> Attachment:
        """Take an attached container off a network, while it runs. Idempotent.

        Raises NotFoundError: the container is not attached, or there is no such network.
        """
        with self._book.lock:
            before = self._book.attached(container_id)
            network = self._book.find(name)
            gone = [one for one in before.endpoints if one.network_id == network.id]
            if not gone:
                return self._book.describe(before)
            kept = tuple(one for one in before.endpoints if one not in gone)
            attachment = self._book.with_ports(replace(before, endpoints=kept))
            self._book.put(attachment)
        if before.namespace:
            plumbing.unplug(before, gone[0], self._book.look().networks)
        self._rearrange(attachment, None)
        return self._book.describe(attachment)

    def rename(self, container_id: str, name: str) -> None:
        """Let an attached container answer to ``name`` in place of its old one. Idempotent."""
        with self._book.lock:
            attachment = self._book.attachments.get(container_id)
            if attachment is None or attachment.name == name:
                return
            self._book.put(renamed(attachment, name))
        self._enforcer.enforce()

    def attachment(self, container_id: str) -> Attachment | None:
        """Return what a container holds, or None when it is not attached."""
        with self._book.lock:
            attachment = self._book.attachments.get(container_id)
            return None if attachment is None else self._book.describe(attachment)

    def records(self, container_id: str) -> tuple[AttachmentFile | None, dict[str, NetworkFile]]:
        """Return what is recorded of a container, and of all networks by name."""
        state = self._book.look()
        found = (one for one in state.attachments if one.container_id == container_id)
        return next(found, None), dict(state.networks)

    @property
    def table(self) -> str:
        """Return the name of the table that the packet rules are in."""
        return self._enforcer.table

    def check_ports(self, ports: Iterable[PortSpec], without: Collection[str]) -> None:
        """Raise ConflictError for a port that is taken by a program, or by a container whose
        id is not in ``without``; InvalidInputError as :meth:`attach`.
        """
        self._book.check_ports(ports, without)
