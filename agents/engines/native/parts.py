"""What the native engine is made of, put together once."""

from dataclasses import dataclass
from pathlib import Path

from agents.engines.event_ring import EventRing
from agents.engines.native.build.builder import Builder
from agents.engines.native.containers.cgroup import ContainerCgroups
from agents.engines.native.containers.container import Container
from agents.engines.native.containers.creation import Creator
from agents.engines.native.containers.health import HealthMonitor
from agents.engines.native.containers.launcher import Launcher
from agents.engines.native.containers.lifecycle import Lifecycle
from agents.engines.native.containers.log_follower import LogFollower
from agents.engines.native.containers.log_rotation import LogRotation
from agents.engines.native.containers.log_watch import LogWatch
from agents.engines.native.containers.pausing import Pauser
from agents.engines.native.containers.recovery import Recovery
from agents.engines.native.containers.removal import Removal
from agents.engines.native.containers.store import ContainerStore
from agents.engines.native.containers.supervisor import Supervisor
from agents.engines.native.containers.volume_use import VolumeUse
from agents.engines.native.files.view import Views
from agents.engines.native.images.store import ImageStore
from agents.engines.native.network import Networks
from agents.engines.native.processes.execs import Execs
from agents.engines.native.processes.inbox import Pump
from agents.engines.native.registry.service import RegistryService
from agents.engines.native.volumes import VolumeStore
from agents.engines.notifier import Notifier


@dataclass(frozen=True, kw_only=True)
class Parts:
    """The parts of one engine; those that have threads are started by the engine."""

    root: Path
    images: ImageStore
    builder: Builder
    volumes: VolumeStore
    networks: Networks
    notifier: Notifier
    events: EventRing
    supervisor: Supervisor
    log_watch: LogWatch
    log_follower: LogFollower
    containers: ContainerStore
    health: HealthMonitor
    cgroups: ContainerCgroups
    pauser: Pauser
    lifecycle: Lifecycle
    creator: Creator
    removal: Removal
    recovery: Recovery
    execs: Execs
    pump: Pump
    views: Views

    @property
    def registries(self) -> RegistryService:
        """What the engine does with registries; it has no state of its own."""
        return RegistryService(self.root, self.images)

    def wake_readers(self, container: Container) -> None:
        """Have everyone who waits for a container's next line look again."""
        self.log_watch.wake(container.paths.state)


@dataclass(frozen=True, kw_only=True)
class _Stores:
    """What is kept, and where; from it follows what works on several of them at once."""

    root: Path
    run: Path
    images: ImageStore
    volumes: VolumeStore
    networks: Networks
    containers: ContainerStore
    cgroups: ContainerCgroups

    def launcher(self) -> Launcher:
        return Launcher(
            root=self.root,
            run=self.run,
            cgroups=self.cgroups,
            containers=self.containers,
            images=self.images,
            volumes=self.volumes,
            networks=self.networks,
        )

    def creator(self) -> Creator:
        return Creator(
            root=self.root,
            containers=self.containers,
            images=self.images,
            volume_use=VolumeUse(self.containers, self.volumes),
            networks=self.networks,
        )


def make_parts(root: Path, run: Path, uid: str) -> Parts:
    """Put an engine together; nothing is started."""
    images, volumes, networks = ImageStore(root), VolumeStore(root, run), Networks(root, run)
    notifier, supervisor, log_watch = Notifier(), Supervisor(), LogWatch()
    events = EventRing()
    containers = ContainerStore(root, run, notifier.publish)
    cgroups = ContainerCgroups(f"webpanel-{uid}")
    stores = _Stores(
        root=root,
        run=run,
        images=images,
        volumes=volumes,
        networks=networks,
        containers=containers,
        cgroups=cgroups,
    )
    launcher, creator = stores.launcher(), stores.creator()
    health = HealthMonitor(supervisor, launcher.runtime_state, events, cgroups)
    lifecycle = Lifecycle(launcher, supervisor, health, LogRotation(supervisor), events)
    removal = Removal(lifecycle, creator, health, supervisor, events)
    lifecycle.on_end(lambda one: log_watch.wake(one.paths.state))
    lifecycle.on_end(removal.after_end)
    return Parts(
        root=root,
        images=images,
        builder=Builder(root, images, networks, RegistryService(root, images).fetch),
        volumes=volumes,
        networks=networks,
        notifier=notifier,
        events=events,
        supervisor=supervisor,
        log_watch=log_watch,
        log_follower=LogFollower(log_watch),
        containers=containers,
        health=health,
        cgroups=cgroups,
        pauser=Pauser(cgroups=cgroups, events=events),
        lifecycle=lifecycle,
        creator=creator,
        removal=removal,
        recovery=Recovery(root, containers, launcher, lifecycle),
        execs=Execs(run, supervisor, cgroups, events),
        pump=Pump(),
        views=Views(images=images, volumes=volumes),
    )
