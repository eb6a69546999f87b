"""Bring a project to what its files say; if that fails, everything is as it was before."""

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

from agents.compose.errors import ComposeErrors
from agents.compose.graph import closure
from agents.compose.labels import PROJECT, SERVICE
from agents.compose.load import load
from agents.compose.model import Project, Service, shared_service
from agents.compose.plan import ContainerAction, Plan, plan
from agents.engines.base import Engine
from agents.errors import AgentError, NotFoundError
from agents.projects.conditions import Conditions
from agents.projects.files import ProjectFolder
from agents.projects.images import Images
from agents.projects.leftovers import settle_leftovers
from agents.projects.observed import observe
from agents.projects.outdated import remove_outdated
from agents.projects.places import Places, field_of
from agents.projects.progress import Progress
from agents.projects.resources import create_resources
from agents.projects.switch import Switch
from agents.projects.together import together
from agents.projects.translate import anonymous_volumes, container_spec, port_specs
from agents.protocol.commands import DeployProject
from agents.protocol.records import AppliedProject, ProjectFile

WORDS = {
    "create": "create",
    "recreate": "replace",
    "start": "start",
    "restart": "restart",
    "remove": "remove",
    "leave": "unchanged",
}


class Up:
    """One ``up``. ``before`` are the files of the version in force."""

    def __init__(
        self,
        engine: Engine,
        root: Path,
        command: DeployProject,
        progress: Progress,
        before: Sequence[ProjectFile] = (),
    ) -> None:
        self._engine = engine
        self._command = command
        self._progress = progress
        self._before = before
        self._folder = ProjectFolder(root, command.project)
        self._texts = {file.path: file.content for file in command.files}
        self._switches: list[Switch] = []
        self._done = 0
        self._outdated: set[str] = set()

    def run(self) -> str:
        """Do it and return a summary; blocks as long as it takes.

        Raises:
            ComposeErrors: the files have errors; nothing was touched.
            AgentError: something failed; what ran before runs again.
        """
        project = self._load()
        settle_leftovers(self._engine, project.name)
        with ExitStack() as undo:
            self._folder.apply(self._command.files, self._before)
            undo.callback(self._folder.roll_back)
            self._check_binds(project)
            made = self._plan(project)
            summary = self._carry_out(project, made, undo)
            undo.pop_all()
        self._commit()
        return summary

    def applied(self) -> AppliedProject:
        """Return the record of what is in force after :meth:`run`."""
        return AppliedProject(
            uid=self._command.project_uid,
            name=self._command.project,
            revision=self._command.revision,
            files=self._command.files,
            applied_at=time.time(),
            applied_by=self._command.requested_by,
            operation_id=self._command.operation_id,
        )

    def _load(self) -> Project:
        project = load(
            self._texts,
            project_name=self._command.project,
            variables=self._command.variables,
            working_dir=str(self._folder.path),
        )
        self._places = Places(project, self._texts)
        for warning in project.warnings:
            self._progress.step(f"Warning: {warning}")
        return project

    def _chosen(self, project: Project) -> list[Service]:
        needs = {
            name: [need.service for need in service.depends_on]
            for name, service in project.services.items()
        }
        chosen = closure(needs, self._command.services or project.services)
        return [service for name, service in project.services.items() if name in chosen]

    def _check_binds(self, project: Project) -> None:
        """Make missing folders inside the project's folder; elsewhere they are an error."""
        for service in self._chosen(project):
            for index, mount in enumerate(service.volumes):
                if mount.type != "bind" or Path(mount.source).exists():
                    continue
                if mount.create_host_path and self._is_inside(Path(mount.source)):
                    self._folder.make_folder(Path(mount.source))
                    continue
                error = NotFoundError(
                    f"the path {mount.source} is not there on this host",
                    hint="Create it on the host, or correct the volume.",
                )
                raise self._places.mark(error, f"services.{service.name}.volumes[{index}]")

    def _is_inside(self, path: Path) -> bool:
        return path.is_relative_to(self._folder.path) and ".." not in path.parts

    def _plan(self, project: Project) -> Plan:
        images = Images(self._engine, self._folder, self._places, self._progress)
        self._outdated |= self._ran_built(project)
        self._images = images.prepare(self._chosen(project), build=self._command.build)
        self._outdated |= images.replaced
        return self._plan_again(project)

    def _ran_built(self, project: Project) -> set[str]:
        """Return the images that containers of services with a build are made from."""
        built = {name for name, service in project.services.items() if service.build}
        containers = self._engine.list_containers({PROJECT: project.name})
        return {one.image_id for one in containers if one.labels.get(SERVICE) in built}

    def _plan_again(self, project: Project) -> Plan:
        made = plan(
            project,
            observe(self._engine, project.name),
            services=self._command.services,
            force_recreate=self._command.force_recreate,
            remove_orphans=self._command.remove_orphans,
            build_ids=self._images,
        )
        if made.problems:
            raise ComposeErrors(made.problems)
        return made

    def _check_ports(self, project: Project, made: Plan) -> None:
        """Refuse a port that is taken before anything is stopped for its sake."""
        going = {action.container_id for action in made.containers if action.kind != "leave"}
        for action in made.containers:
            if action.kind not in ("create", "recreate", "start"):
                continue
            service = project.services[action.service]
            if _is_reachable(project, service):
                with self._pointing_at(service):
                    self._engine.check_ports(port_specs(service, action.number), going)

    def _carry_out(self, project: Project, made: Plan, undo: ExitStack) -> str:
        self._check_ports(project, made)
        if self._free_networks(made):
            made = self._plan_again(project)
        self._total = sum(action.kind != "leave" for action in made.containers)
        create_resources(self._engine, project, made, self._progress, undo)
        stages = [self._switches_of(stage) for stage in made.stages()]
        self._switches = [switch for stage in stages for switch in stage]
        for switch in self._switches:
            undo.callback(switch.roll_back)
        # In stages, as a container that shares another one's network is made with its id.
        for stage in stages:
            self._each(stage, lambda switch: self._create(project, switch))
        for stage in stages:
            self._each(stage, lambda switch: self._turn(project, switch))
        return _summary(made)

    def _switches_of(self, stage: Iterable[ContainerAction]) -> list[Switch]:
        return [Switch(self._engine, action) for action in stage]

    def _free_networks(self, made: Plan) -> bool:
        """Remove a changed network with its containers, which are all replaced anyway.

        Returns whether there was one. This is the one step with no way back: an engine has
        one network of a name.
        """
        changed = [action for action in made.networks if action.kind == "recreate"]
        if not changed:
            return False
        for action in made.containers:
            if action.kind in ("recreate", "remove"):
                self._progress.step(f"Container {action.name}: stop", service=action.service)
                self._engine.stop_container(action.container_id)
                self._engine.remove_container(action.container_id, force=True)
        for network in changed:
            self._progress.step(f"Network {network.name}: replace")
            self._engine.remove_network(network.name)
        return True

    def _create(self, project: Project, switch: Switch) -> None:
        action = switch.action
        if action.kind not in ("create", "recreate"):
            return
        with self._pointing_at(project.services[action.service]):
            for volume in anonymous_volumes(project, action):
                self._engine.create_volume(volume)
            image_id, shared_id = self._images[action.service], self._shared_id(project, action)
            switch.create(container_spec(project, action, image_id, shared_id))

    def _shared_id(self, project: Project, action: ContainerAction) -> str:
        shared = shared_service(project.services[action.service])
        return next(iter(self._ids_of(shared)), "")

    def _ids_of(self, service: str) -> tuple[str, ...]:
        return tuple(
            switch.container_id
            for switch in self._switches
            if switch.action.service == service and switch.action.kind != "remove"
        )

    def _turn(self, project: Project, switch: Switch) -> None:
        action = switch.action
        service = project.services.get(action.service)
        if action.kind == "leave":
            self._progress.step(f"Container {action.name}: unchanged", service=action.service)
            return
        if service is not None and action.kind != "remove":
            self._conditions().wait(service)
        self._progress.check()
        self._progress.step(_describe(action), service=action.service)
        with self._pointing_at(service):
            switch.turn()
        for warning in switch.warnings():
            self._progress.step(f"Container {action.name}: {warning}", service=action.service)
        self._done += 1
        self._progress.advance(self._done, self._total, _describe(action))

    def _conditions(self) -> Conditions:
        return Conditions(self._engine, self._ids_of, self._progress)

    @contextmanager
    def _pointing_at(self, service: Service | None) -> Iterator[None]:
        """Give the engine's errors their place in the compose file."""
        try:
            yield
        except AgentError as error:
            if service is not None:
                self._places.mark(error, field_of(error, service))
            raise

    def _each(self, switches: Sequence[Switch], act: Callable[[Switch], None]) -> None:
        """Act on all at once; after the first error nothing new begins."""
        self._progress.check()
        together(act, switches)

    def _commit(self) -> None:
        for switch in self._switches:
            switch.commit()
        self._folder.commit()
        remove_outdated(self._engine, self._outdated)


def _is_reachable(project: Project, service: Service) -> bool:
    """Whether the service's ports are published: those on internal networks alone are not."""
    return any(not project.networks[each.network].internal for each in service.networks)


def _describe(action: ContainerAction) -> str:
    causes = ", ".join(change.field for change in action.reasons)
    because = f" ({causes})" if causes and action.kind in ("recreate", "restart") else ""
    return f"Container {action.name}: {WORDS[action.kind]}{because}"


def _summary(made: Plan) -> str:
    counts = {
        word: sum(action.kind == kind for action in made.containers)
        for kind, word in (
            ("create", "created"),
            ("recreate", "replaced"),
            ("start", "started"),
            ("restart", "restarted"),
            ("remove", "removed"),
            ("leave", "unchanged"),
        )
    }
    return (
        ", ".join(f"{count} {word}" for word, count in counts.items() if count) or "nothing to do"
    )
