"""Changes of a container's limits and restart policy while it is there."""

from contextlib import suppress
from dataclasses import replace

import msgspec

from agents.engines.native.containers.cgroup import ContainerCgroups
from agents.engines.native.containers.container import Container
from agents.engines.native.containers.records import Manifest
from agents.engines.native.limits.checks import check_limits
from agents.engines.native.limits.settings import FIELDS, NO_LIMITS
from agents.engines.specs import ContainerSpec, Limits, UpdateSpec
from agents.errors import AgentError, ConflictError, InvalidInputError, NotFoundError


def update(container: Container, change: UpdateSpec, cgroups: ContainerCgroups) -> None:
    """Change a container: in its cgroup if it runs, and on disk. Wholly or not at all.

    See ``Updates.update_container`` for what is raised.
    """
    with container.lock:
        if container.removed:
            raise NotFoundError(f"the container {container.manifest.name} was removed")
        before = container.manifest.spec.limits
        after = merge(before, change)
        check_limits(after, cgroups.layout)
        manifest = _changed(container.manifest, change)
        _check_auto_remove(manifest.spec)
        _put_in_force(container, before, after, cgroups)
        try:
            container.save_manifest(manifest)
        except AgentError:
            _put_in_force(container, after, before, cgroups)
            raise
        container.update(container.status)


def merge(before: Limits, change: UpdateSpec) -> Limits:
    """Return the limits after a change. Raises ``InvalidInputError`` for an unknown field.

    >>> merge(Limits(cpus=1.0, pids=5), UpdateSpec(limits=Limits(pids=9), lifted=("cpus",))).pids
    9
    """
    given = {name: getattr(change.limits, name) for name in FIELDS}
    changes = {name: value for name, value in given.items() if value != getattr(NO_LIMITS, name)}
    for name in change.lifted:
        if name not in FIELDS:
            raise InvalidInputError(f"there is no limit {name!r}", field="lifted")
        if name in changes:
            raise InvalidInputError(f"{name} is both given and lifted", field=name)
        changes[name] = getattr(NO_LIMITS, name)
    if "memory" in changes and "memory_swap" not in changes:
        # The two are one bound; a new memory limit with the old total may make no sense.
        changes["memory_swap"] = None
    return replace(before, **changes)


def _changed(manifest: Manifest, change: UpdateSpec) -> Manifest:
    return msgspec.structs.replace(
        manifest, asked=_applied(manifest.asked, change), spec=_applied(manifest.spec, change)
    )


def _applied(spec: ContainerSpec, change: UpdateSpec) -> ContainerSpec:
    restart = spec.restart if change.restart is None else change.restart
    return replace(spec, limits=merge(spec.limits, change), restart=restart)


def _check_auto_remove(spec: ContainerSpec) -> None:
    if spec.auto_remove and spec.restart.name != "no":
        raise ConflictError(
            f"the container {spec.name} is removed when it ends, so it cannot restart",
            field="restart",
        )


def _put_in_force(
    container: Container, before: Limits, after: Limits, cgroups: ContainerCgroups
) -> None:
    if container.is_alive():
        # One that is ending may have no cgroup any more: the record is all there is to change.
        with suppress(NotFoundError):
            cgroups.change(container.id, before, after)
