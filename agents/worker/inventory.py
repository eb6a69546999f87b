"""Tells the panel what this host holds: at start, when asked, and now and then."""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

import structlog

from agents import fingerprint
from agents.config import AgentConfig
from agents.engines.base import ContainerEvent, Engine
from agents.errors import AgentError
from agents.protocol.events import ContainerChanged, ContainerRemoved, HostReport, Inventory
from agents.reporter import Reporter
from agents.state import State

log = structlog.get_logger(__name__)

INTERVAL_SECONDS = 300.0


@dataclass(frozen=True, kw_only=True)
class Observer:
    """Reports what the engine holds."""

    config: AgentConfig
    engine: Engine
    reporter: Reporter
    state: State

    def report_all(self) -> None:
        """Report the host's facts and the whole inventory."""
        networks = self.engine.list_networks()
        facts = fingerprint.collect(
            self.config,
            (self.engine.describe(),),
            own_networks=tuple(network.subnet for network in networks),
            warnings=self.engine.warnings(),
        )
        self.reporter.put(HostReport(at=time.time(), facts=facts))
        inventory = Inventory(
            at=time.time(),
            containers=self.engine.list_containers(),
            images=self.engine.list_images(),
            networks=networks,
            volumes=self.engine.list_volumes(),
            projects=self.state.applied.all(),
        )
        self.reporter.put(inventory)

    def container_changed(self, event: ContainerEvent) -> None:
        """Report one change of a container; the engine calls this."""
        now = time.time()
        if event.container is not None:
            self.reporter.put(ContainerChanged(at=now, container=event.container))
        else:
            self.reporter.put(
                ContainerRemoved(at=now, container_id=event.container_id, sequence=event.sequence)
            )


class Repeater:
    """A thread that does something when asked, and every few minutes."""

    def __init__(self, act: Callable[[], None], interval: float = INTERVAL_SECONDS) -> None:
        self._act = act
        self._interval = interval
        self._wanted = threading.Event()
        self._stopping = False
        self._thread = threading.Thread(target=self._run, name="inventory", daemon=True)

    def start(self) -> None:
        """Do it once, and then repeatedly."""
        self._wanted.set()
        self._thread.start()

    def ask(self) -> None:
        """Have it done soon; returns at once."""
        self._wanted.set()

    def close(self) -> None:
        """Stop; does not wait for a run that goes on."""
        self._stopping = True
        self._wanted.set()

    def _run(self) -> None:
        while True:
            self._wanted.wait(self._interval)
            self._wanted.clear()
            if self._stopping:
                return
            try:
                self._act()
            except AgentError as error:
                log.warning("inventory_failed", error=str(error))
