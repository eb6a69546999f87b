"""Answers what runs in a container, how well it is, and what the kernel holds of it."""

import time

from agents.engines.abilities.health import ChecksHealth
from agents.engines.abilities.kernel import ShowsKernel
from agents.engines.abilities.processes import ListsProcesses
from agents.errors import AgentError, NotSupportedError
from agents.protocol.control import ContainerFindings, LookAtContainer
from agents.sessions.answering import Answerer


class ContainerLooker(Answerer[LookAtContainer]):
    """Looks at containers when somebody asks, and only then."""

    field = "findings"
    thread_name = "looker"

    def find(self, question: LookAtContainer) -> ContainerFindings:
        """See :class:`LookAtContainer`; takes some 20 to 40 ms for the kernel, else a few."""
        at = time.time()
        try:
            match question.what:
                case "processes":
                    return self._processes(question.container_id, at)
                case "health":
                    return self._health(question.container_id, at)
                case "kernel":
                    return self._kernel(question.container_id, at)
        except AgentError as error:
            return ContainerFindings(at=at, error=error.message)

    def _processes(self, container_id: str, at: float) -> ContainerFindings:
        engine = self._engine
        if not isinstance(engine, ListsProcesses):
            raise NotSupportedError(f"the {engine.name} engine does not tell what runs")
        return ContainerFindings(at=at, processes=engine.top_container(container_id))

    def _health(self, container_id: str, at: float) -> ContainerFindings:
        engine = self._engine
        if not isinstance(engine, ChecksHealth):
            raise NotSupportedError(f"the {engine.name} engine does not check health")
        return ContainerFindings(at=at, health=engine.find_health(container_id))

    def _kernel(self, container_id: str, at: float) -> ContainerFindings:
        engine = self._engine
        if not isinstance(engine, ShowsKernel):
            raise NotSupportedError(f"the {engine.name} engine has nothing in the kernel")
        return ContainerFindings(at=at, kernel=engine.view_kernel(container_id))
