"""Programs in containers: run beside the first one, attached to, listed."""

from agents.engines.abilities.processes import Session
from agents.engines.base import Engine
from agents.engines.native.parts import Parts
from agents.engines.native.processes import attach, top
from agents.engines.specs import ExecSpec, TerminalSize
from agents.protocol.records import ExecRecord, ProcessRecord


class ProcessActs(Engine):
    """The engine's part for programs in containers."""

    _parts: Parts

    def start_exec(self, container_id: str, spec: ExecSpec) -> Session:
        """See :meth:`agents.engines.abilities.processes.Executes.start_exec`."""
        return self._parts.execs.start(self._parts.containers.find(container_id), spec)

    def list_execs(self, container_id: str) -> tuple[ExecRecord, ...]:
        """See :meth:`agents.engines.abilities.processes.Executes.list_execs`."""
        return self._parts.execs.list(self._parts.containers.find(container_id).id)

    def attach_container(
        self, container_id: str, *, stdin: bool = False, detach_keys: str = ""
    ) -> Session:
        """See :meth:`agents.engines.abilities.processes.Attaches.attach_container`."""
        return attach.attach(
            self._parts.containers.find(container_id),
            self._parts.pump,
            self._parts.lifecycle.kill,
            stdin=stdin,
            detach_keys=detach_keys,
        )

    def resize_container(self, container_id: str, size: TerminalSize) -> None:
        """See :meth:`agents.engines.abilities.processes.Attaches.resize_container`."""
        attach.resize(self._parts.containers.find(container_id), size)

    def top_container(self, container_id: str) -> tuple[ProcessRecord, ...]:
        """See :meth:`agents.engines.abilities.processes.ListsProcesses.top_container`."""
        container = self._parts.containers.find(container_id)
        return top.list_processes(container, self._parts.cgroups)
