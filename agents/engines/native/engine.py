"""The native engine: one façade over images, volumes, networks and containers."""

from pathlib import Path
from typing import ClassVar

from agents.engines.base import Listener
from agents.engines.native.acts.archives import ArchiveActs
from agents.engines.native.acts.containers import ContainerActs
from agents.engines.native.acts.events import EventActs
from agents.engines.native.acts.files import FileActs
from agents.engines.native.acts.health import HealthActs
from agents.engines.native.acts.images import ImageActs
from agents.engines.native.acts.kernel import KernelActs
from agents.engines.native.acts.limits import LimitActs
from agents.engines.native.acts.logs import LogActs
from agents.engines.native.acts.networks import NetworkActs
from agents.engines.native.acts.processes import ProcessActs
from agents.engines.native.acts.registry import RegistryActs
from agents.engines.native.acts.stats import StatsActs
from agents.engines.native.acts.volumes import VolumeActs
from agents.engines.native.build.network import remove_left
from agents.engines.native.containers import isolation
from agents.engines.native.containers.orphans import Leftovers
from agents.engines.native.containers.records import ENGINE
from agents.engines.native.parts import make_parts
from agents.errors import AgentError
from agents.linux.failures import kernel_errors
from agents.linux.orphans import end_orphans
from agents.protocol.records import EngineRecord

VERSION = "1"
CAPABILITIES = (
    "builds",
    "exec",
    "kernel",
    "limits",
    "logs",
    "networks",
    "pause",
    "published_ports",
    "registries",
    "stats",
    "update",
)


class NativeEngine(
    ImageActs,
    ArchiveActs,
    ContainerActs,
    LimitActs,
    KernelActs,
    StatsActs,
    NetworkActs,
    VolumeActs,
    LogActs,
    HealthActs,
    EventActs,
    RegistryActs,
    ProcessActs,
    FileActs,
):
    """Runs containers by itself, with crun and conmon.

    ``root`` keeps everything for good, ``run`` what a reboot may empty, ``uid`` tells this
    agent's cgroups from those of others on the machine. One engine at a time may use them.
    """

    name: ClassVar[str] = ENGINE

    def __init__(self, root: Path, run: Path, uid: str) -> None:
        with kernel_errors("make the engine's folders", root):
            for folder in (root, run):
                folder.mkdir(parents=True, exist_ok=True, mode=0o711)
        self._root, self._run = root, run
        self._parts = make_parts(root, run, uid)

    def start(self) -> None:
        """See :meth:`Engine.start`."""
        parts = self._parts
        parts.containers.load()
        alive = [one.id for one in parts.containers.list() if one.is_alive()]
        end_orphans(Leftovers(self._root, self._run, alive))
        parts.images.repair()
        parts.volumes.repair()
        parts.creator.volume_use.sweep()
        parts.networks.adopt(frozenset(one.id for one in parts.containers.list()))
        remove_left(parts.networks)
        parts.notifier.start()
        parts.supervisor.start()
        parts.log_watch.start()
        parts.recovery.run()
        parts.removal.sweep(parts.containers)
        for container in parts.containers.list():
            parts.execs.adopt(container)

    def close(self) -> None:
        """See :meth:`Engine.close`."""
        self._parts.builder.close()
        self._parts.supervisor.close()
        self._parts.health.close()
        self._parts.execs.close()
        self._parts.pump.close()
        self._parts.log_watch.close()
        self._parts.networks.close()
        self._parts.notifier.close()
        self._parts.events.close()

    def describe(self) -> EngineRecord:
        """See :meth:`Engine.describe`."""
        return EngineRecord(name=self.name, version=VERSION, capabilities=CAPABILITIES)

    def warnings(self) -> tuple[str, ...]:
        """See :meth:`Engine.warnings`: other firewalls, and root inside that is root outside."""
        reason = self._user_obstacle()
        users = f"Root in a container is root on this host: {reason}" if reason else ""
        return (*filter(None, (users,)), *self._network_warnings())

    def _user_obstacle(self) -> str:
        try:
            return isolation.obstacle(self._parts.root)
        except AgentError:
            # Not to be told now; whoever makes a container is told why.
            return ""

    def _network_warnings(self) -> tuple[str, ...]:
        try:
            return self._parts.networks.warnings()
        except AgentError as error:
            # A firewall that cannot be read must not keep the host from reporting the rest.
            return (f"The host's firewall cannot be read: {error.message}",)

    def subscribe(self, listener: Listener) -> None:
        """See :meth:`Engine.subscribe`."""
        self._parts.notifier.subscribe(listener)
