"""One container of a project created, started, replaced or stopped, and back again.

A replacement is created, under another name, before the old container is touched; the old
one is only stopped, and removed when the whole ``up`` has succeeded.
"""

from collections.abc import Callable
from contextlib import suppress

import structlog

from agents.compose.plan import ContainerAction
from agents.engines.base import Engine
from agents.engines.specs import ContainerSpec
from agents.errors import AgentError, NotFoundError

log = structlog.get_logger(__name__)

RUNNING = frozenset({"running", "starting", "restarting"})


class Switch:
    """Carries out one action; every step has its undo. Each method may be called twice."""

    def __init__(self, engine: Engine, action: ContainerAction) -> None:
        self._engine = engine
        self.action = action
        self._new_id = ""
        self._stopped_id = ""
        self._started_id = ""

    @property
    def container_id(self) -> str:
        """The container that is, or will be, in place: the new one if there is one."""
        return self._new_id or self.action.container_id

    def create(self, spec: ContainerSpec) -> None:
        """Create the new container, not started."""
        self._remove_stale(spec.name)
        self._new_id = self._engine.create_container(spec).id

    def turn(self) -> None:
        """Put the action into force: stop the old, start the new."""
        kind, old = self.action.kind, self.action.container_id
        if kind in ("recreate", "remove", "restart"):
            self._stop(old)
        if kind in ("create", "recreate"):
            self._engine.start_container(self._new_id)
        if kind in ("start", "restart"):
            self._started_id = old if kind == "start" else ""
            self._engine.start_container(old)

    def warnings(self) -> tuple[str, ...]:
        """Return what the container that now runs was not given; none of one that was removed."""
        if self.action.kind == "remove":
            return ()
        return self._engine.find_container(self.container_id).warnings

    def commit(self) -> None:
        """Make it final: remove the old container, give the new one its name."""
        if self.action.kind in ("recreate", "remove"):
            self._engine.remove_container(self.action.container_id, force=True)
        if self.action.kind == "recreate":
            self._engine.rename_container(self._new_id, self.action.name)

    def roll_back(self) -> None:
        """Undo all: remove the new container, start the old one again. Raises nothing."""
        if self._new_id:
            self._quietly(lambda: self._engine.remove_container(self._new_id, force=True))
        if self._started_id:
            self._quietly(lambda: self._engine.stop_container(self._started_id))
        if self._stopped_id:
            self._quietly(lambda: self._engine.start_container(self._stopped_id))

    def _stop(self, container_id: str) -> None:
        if self._engine.find_container(container_id).state in RUNNING:
            self._stopped_id = container_id
            self._engine.stop_container(container_id)

    def _remove_stale(self, name: str) -> None:
        """Remove what an earlier try left under the name that only a replacement bears."""
        if self.action.kind == "recreate":
            with suppress(NotFoundError):
                stale = self._engine.find_container(name)
                if stale.name == name:
                    self._engine.remove_container(stale.id, force=True)

    def _quietly(self, act: Callable[[], object]) -> None:
        try:
            act()
        except AgentError as error:
            log.warning("roll_back_failed", container=self.action.name, error=error.message)
