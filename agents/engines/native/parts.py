"""What the native engine is made of, put together once."""

from dataclasses import dataclass
from pathlib import Path

from agents.engines.native.build.builder import Builder
from agents.engines.native.containers.container import Container
from agents.engines.native.containers.creation import Creator
from agents.engines.native.containers.launcher import Launcher
from agents.engines.native.containers.lifecycle import Lifecycle
from agents.engines.native.containers.log_follower import LogFollower
from agents.engines.native.containers.log_watch import LogWatch
from agents.engines.native.containers.recovery import Recovery
from agents.engines.native.containers.store import ContainerStore
from agents.engines.native.containers.supervisor import Supervisor
from agents.engines.native.images.store import ImageStore
from agents.engines.native.network import Networks
from agents.engines.native.volumes import VolumeStore
from agents.engines.notifier import Notifier


@dataclass(frozen=True, kw_only=True)
class Parts:
    """The parts of one engine; those that have threads are started by the engine."""

    images: ImageStore
    builder: Builder
    volumes: VolumeStore
    networks: Networks
    notifier: Notifier
    supervisor: Supervisor
    log_watch: LogWatch
    log_follower: LogFollower
    containers: ContainerStore
    lifecycle: Lifecycle
    creator: Creator
    recovery: Recovery

    def wake_readers(self, container: Container) -> None:
        """Have everyone who waits for a container's next line look again."""
        self.log_watch.wake(container.paths.log)


def make_parts(root: Path, run: Path, uid: str) -> Parts:
    """Put an engine together; nothing is started."""
    images, volumes, networks = ImageStore(root), VolumeStore(root), Networks(root, run)
    notifier, supervisor, log_watch = Notifier(), Supervisor(), LogWatch()
    containers = ContainerStore(root, run, notifier.publish)
    launcher = Launcher(run=run, uid=uid, images=images, volumes=volumes, networks=networks)
    lifecycle = Lifecycle(launcher, supervisor, lambda one: log_watch.wake(one.paths.log))
    creator = Creator(containers=containers, images=images, volumes=volumes, networks=networks)
    return Parts(
        images=images,
        builder=Builder(images),
        volumes=volumes,
        networks=networks,
        notifier=notifier,
        supervisor=supervisor,
        log_watch=log_watch,
        log_follower=LogFollower(log_watch),
        containers=containers,
        lifecycle=lifecycle,
        creator=creator,
        recovery=Recovery(root, containers, launcher, lifecycle),
    )
