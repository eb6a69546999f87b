"""From a project and what runs to what must be done; nothing is done here."""

from collections.abc import Mapping, Sequence
from typing import Literal

import msgspec

from agents.compose.canonical import config_hash, hash_spec, network_spec, service_spec
from agents.compose.changes import Change, compare_specs
from agents.compose.errors import Problem
from agents.compose.graph import closure, levels
from agents.compose.model import Network, Project, Service, Volume, shared_service
from agents.compose.names import container_name
from agents.compose.observed import Observed, ObservedContainer, ObservedNetwork

ActionKind = Literal["create", "recreate", "start", "restart", "leave", "remove"]

_RUNNING = frozenset({"running", "starting", "restarting"})


class ContainerAction(msgspec.Struct, frozen=True, kw_only=True):
    """What becomes of one container, and why.

    ``container_id`` is the one there is, "" if there is none. ``restart`` means that it is
    unchanged but a service it depends on is replaced and it asked to follow.
    """

    kind: ActionKind
    service: str
    number: int
    name: str
    container_id: str = ""
    reasons: tuple[Change, ...] = ()


class ResourceAction(msgspec.Struct, frozen=True, kw_only=True):
    """What becomes of a network or a volume; ``key`` is "" for one the file does not name."""

    kind: Literal["create", "recreate", "leave", "remove"]
    key: str
    name: str
    reasons: tuple[Change, ...] = ()


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that an ``up`` does, in the order: networks, volumes, containers by stage.

    ``orphans`` are containers of services that the project no longer has; they are part of
    ``containers`` only when they are to be removed. With ``problems`` it must not be run.
    """

    project: str
    networks: tuple[ResourceAction, ...] = ()
    volumes: tuple[ResourceAction, ...] = ()
    containers: tuple[ContainerAction, ...] = ()
    orphans: tuple[ObservedContainer, ...] = ()
    order: tuple[tuple[str, ...], ...] = ()
    problems: tuple[Problem, ...] = ()

    @property
    def changes_nothing(self) -> bool:
        """Whether everything is as it should be."""
        resources = (*self.networks, *self.volumes)
        return all(part.kind == "leave" for part in resources) and all(
            action.kind == "leave" for action in self.containers
        )

    def stages(self) -> tuple[tuple[ContainerAction, ...], ...]:
        """Return the containers in stages: those of one stage can be acted on together.

        Services follow the order of what needs what, after those that are in no order.
        """
        ordered = {name for names in self.order for name in names}
        strays = tuple(action for action in self.containers if action.service not in ordered)
        staged = (
            tuple(action for action in self.containers if action.service in names)
            for names in self.order
        )
        return tuple(stage for stage in (strays, *staged) if stage)


def plan(
    project: Project,
    observed: Observed,
    *,
    services: Sequence[str] = (),
    force_recreate: bool = False,
    remove_orphans: bool = False,
    build_ids: Mapping[str, str] | None = None,
) -> Plan:
    """Return what an ``up`` of the project must do.

    ``services`` limits it to these and what they depend on; ``force_recreate`` replaces
    these even when nothing changed. ``build_ids`` has the image each service would now run;
    a container of another image is replaced. A service that is not there is a problem.
    """
    return _Planner(project, observed, services, force_recreate, build_ids or {}).plan(
        remove_orphans=remove_orphans
    )


class _Planner:
    def __init__(
        self,
        project: Project,
        observed: Observed,
        services: Sequence[str],
        force_recreate: bool,
        build_ids: Mapping[str, str],
    ) -> None:
        self._project = project
        self._observed = observed
        self._force = frozenset(services or project.services) if force_recreate else frozenset()
        self._build_ids = build_ids
        self._needs = {
            name: [need.service for need in service.depends_on]
            for name, service in project.services.items()
        }
        self._unknown = [name for name in services if name not in project.services]
        self._chosen = closure(self._needs, services or project.services) & set(project.services)
        self._replaced: dict[str, tuple[Change, ...]] = {}
        self._kinds: dict[str, set[ActionKind]] = {}

    def plan(self, *, remove_orphans: bool) -> Plan:
        networks = tuple(self._plan_network(network) for network in self._used_networks())
        self._remade = {action.key: action for action in networks if action.kind == "recreate"}
        order = levels({name: self._needs[name] for name in sorted(self._chosen)})
        actions = [
            action for stage in order for name in stage for action in self._plan_service(name)
        ]
        orphans = tuple(item for item in self._containers() if item.service not in self._needs)
        orphans = tuple(item for item in orphans if item.service not in self._project.disabled)
        if remove_orphans:
            actions += [_remove(orphan, "service") for orphan in orphans]
        return Plan(
            project=self._project.name,
            networks=networks,
            volumes=tuple(self._plan_volume(volume) for volume in self._used_volumes()),
            containers=tuple(actions),
            orphans=orphans,
            order=order,
            problems=self._find_problems(),
        )

    def _containers(self) -> list[ObservedContainer]:
        return [item for item in self._observed.containers if not item.one_off]

    def _used_networks(self) -> list[Network]:
        chosen = (self._project.services[name] for name in self._chosen)
        used = {attachment.network for service in chosen for attachment in service.networks}
        return [self._project.networks[key] for key in sorted(used)]

    def _used_volumes(self) -> list[Volume]:
        chosen = (self._project.services[name] for name in self._chosen)
        used = {mount.source for service in chosen for mount in service.volumes}
        return [self._project.volumes[key] for key in sorted(used & self._project.volumes.keys())]

    def _plan_network(self, network: Network) -> ResourceAction:
        found = _by_name(self._observed.networks, network.name)
        if found is None and not network.external:
            return ResourceAction(kind="create", key=network.key, name=network.name)
        if found is None or network.external or not found.config_hash:
            return ResourceAction(kind="leave", key=network.key, name=network.name)
        now = hash_spec(network_spec(network))
        if found.config_hash == now:
            return ResourceAction(kind="leave", key=network.key, name=network.name)
        reason = Change(field="configuration", before=found.config_hash[:12], after=now[:12])
        return ResourceAction(
            kind="recreate", key=network.key, name=network.name, reasons=(reason,)
        )

    def _plan_volume(self, volume: Volume) -> ResourceAction:
        found = any(item.name == volume.name for item in self._observed.volumes)
        kind: Literal["leave", "create"] = "leave" if found or volume.external else "create"
        return ResourceAction(kind=kind, key=volume.key, name=volume.name)

    def _plan_service(self, name: str) -> list[ContainerAction]:
        service = self._project.services[name]
        mine = sorted(
            (item for item in self._containers() if item.service == name),
            key=lambda item: item.number,
        )
        by_number = {item.number: item for item in reversed(mine)}
        actions = [
            self._plan_container(service, number, by_number.get(number))
            for number in range(1, service.scale + 1)
        ]
        surplus = [item for item in mine if by_number[item.number] is not item]
        surplus += [item for item in by_number.values() if not 1 <= item.number <= service.scale]
        replaced = [action for action in actions if action.kind == "recreate"]
        self._kinds[name] = {action.kind for action in actions}
        if replaced:
            self._replaced[name] = replaced[0].reasons
        return actions + [_remove(item, "scale") for item in surplus]

    def _plan_container(
        self, service: Service, number: int, found: ObservedContainer | None
    ) -> ContainerAction:
        name = container_name(self._project.name, service.name, number, service.container_name)
        kind: ActionKind = "create"
        reasons: tuple[Change, ...] = ()
        if found is not None:
            kind, reasons = self._judge(service, found, name)
        return ContainerAction(
            kind=kind,
            service=service.name,
            number=number,
            name=name,
            container_id=found.id if found else "",
            reasons=reasons,
        )

    def _judge(
        self, service: Service, found: ObservedContainer, name: str
    ) -> tuple[ActionKind, tuple[Change, ...]]:
        reasons = self._differences(service, found, name)
        if reasons:
            return "recreate", reasons
        if found.state not in _RUNNING:
            return "start", (Change(field="state", before=found.state, after="running"),)
        followed = tuple(
            Change(field=f"depends_on.{need.service}", before="", after="replaced")
            for need in service.depends_on
            if need.restart and need.service in self._replaced
        )
        shared = shared_service(service)
        if self._kinds.get(shared, set()) & {"start", "restart"}:
            followed += (Change(field="network_mode", before="", after=f"{shared} started anew"),)
        return ("restart", followed) if followed else ("leave", ())

    def _differences(
        self, service: Service, found: ObservedContainer, name: str
    ) -> tuple[Change, ...]:
        changes: list[Change] = []
        if found.config_hash != config_hash(service):
            changes += compare_specs(found.spec_json, service_spec(service)) or [
                Change(field="configuration", before=found.config_hash[:12], after="(changed)")
            ]
        changes += self._image_change(service, found)
        changes += self._outer_changes(service, found, name)
        return tuple(changes)

    def _image_change(self, service: Service, found: ObservedContainer) -> list[Change]:
        wanted = self._build_ids.get(service.name, "")
        if not wanted or wanted == found.image_id:
            return []
        return [Change(field="image", before=found.image_id[:19], after=wanted[:19])]

    def _outer_changes(self, service: Service, found: ObservedContainer, name: str) -> list[Change]:
        changes = [
            Change(field=f"networks.{attachment.network}", before="", after="made anew")
            for attachment in service.networks
            if attachment.network in self._remade
        ]
        shared = shared_service(service)
        if self._kinds.get(shared, set()) & {"create", "recreate"}:
            changes.append(Change(field="network_mode", before="", after=f"{shared} made anew"))
        if found.state == "dead":
            changes.append(Change(field="state", before="dead", after="running"))
        if service.name in self._force:
            changes.append(Change(field="force_recreate", before="", after="asked for"))
        return changes

    def _find_problems(self) -> tuple[Problem, ...]:
        missing = [
            Problem(message=f'The project has no service "{name}"', code="undefined")
            for name in self._unknown
        ]
        missing += [
            _missing("network", item.key, item.name)
            for item in self._used_networks()
            if item.external and _by_name(self._observed.networks, item.name) is None
        ]
        present = {item.name for item in self._observed.volumes}
        missing += [
            _missing("volume", item.key, item.name)
            for item in self._used_volumes()
            if item.external and item.name not in present
        ]
        return tuple(missing)


def _missing(kind: str, key: str, name: str) -> Problem:
    return Problem(
        message=f'The {kind} "{name}" is not there, and the file says that it exists already',
        path=f"{kind}s.{key}",
        code="missing",
        hint=f'Create it, or remove "external" so that the project makes its own {kind}.',
    )


def _by_name(networks: Sequence[ObservedNetwork], name: str) -> ObservedNetwork | None:
    return next((network for network in networks if network.name == name), None)


def _remove(found: ObservedContainer, reason: str) -> ContainerAction:
    return ContainerAction(
        kind="remove",
        service=found.service,
        number=found.number,
        name=found.name,
        container_id=found.id,
        reasons=(Change(field=reason, before=found.service, after=""),),
    )
