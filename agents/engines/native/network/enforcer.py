"""Brings resolvers and packet rules in line with the records, for many callers at once."""

import logging
import threading
from collections.abc import Callable

from agents.engines.native.network import declared, foreign
from agents.engines.native.network.declared import State
from agents.engines.native.network.names import Resolvers
from agents.errors import AgentError, KernelError, ProgramError
from agents.linux import nftables
from agents.linux.nftables import Channel, Ruleset

logger = logging.getLogger(__name__)


class Enforcer:
    """The one writer of an agent's packet rules and resolvers.

    Callers change the records first. Whoever comes while another's change is being put in
    force waits for its turn, and one turn serves all who wait. ``look`` returns the records;
    ``on_resolvers`` is called when other resolvers run than before.
    """

    def __init__(
        self,
        table: str,
        resolvers: Resolvers,
        look: Callable[[], State],
        on_resolvers: Callable[[], None],
    ) -> None:
        self.table = table
        self._resolvers = resolvers
        self._look = look
        self._on_resolvers = on_resolvers
        self._channel = Channel()
        self._turn = threading.Lock()
        self._counting = threading.Lock()
        self._wanted = 0
        self._done = 0
        self._in_force: Ruleset | None = None

    def enforce(self) -> None:
        """Put the records as they are now in force. Blocks; raises what it meets."""
        with self._counting:
            self._wanted += 1
            mine = self._wanted
        with self._turn:
            if self._done < mine:
                with self._counting:
                    served = self._wanted
                self._apply(self._look())
                self._done = served

    def _apply(self, state: State) -> None:
        dns_ports = self._serve(state)
        wanted = declared.ruleset(self.table, state, dns_ports)
        before, self._in_force = self._in_force, None
        if before is None:
            nftables.remove_legacy(self.table)
            nftables.replace(wanted)
        else:
            self._change(before, wanted)
        self._in_force = wanted

    def _serve(self, state: State) -> dict[str, int]:
        running = self._resolvers.pidfds()
        try:
            return self._resolvers.serve(declared.views(state))
        finally:
            if self._resolvers.pidfds() != running:
                self._on_resolvers()

    def _change(self, before: Ruleset, wanted: Ruleset) -> None:
        try:
            nftables.change(before, wanted, self._channel)
        except (KernelError, ProgramError) as exc:
            logger.warning("packet rules were gone, and are made anew: %s", exc)
            nftables.replace(wanted)

    def is_own(self, port_id: int) -> bool:
        """Return whether a change of packet rules that was announced is our own."""
        return port_id != 0 and port_id == self._channel.port_id

    def mend(self) -> bool:
        """Put back what others took from the rules; return whether something was missing."""
        with self._turn:
            wanted = self._in_force
            if wanted is None:
                return False
            whole = nftables.is_intact(wanted)
            if not whole:
                logger.warning("somebody changed the packet rules, which are made anew")
                nftables.replace(wanted)
            opened = foreign.open_docker_chains([one.bridge for one in wanted.subnets])
            return opened or not whole

    def revive(self) -> bool:
        """Start resolvers that ended, each at its former port; return whether they run."""
        try:
            self.enforce()
        except AgentError:
            logger.exception("a resolver that ended cannot be started")
            return False
        return True

    def resolver_pidfds(self) -> tuple[int, ...]:
        """Return what becomes readable when a resolver ends; open until the next change."""
        return self._resolvers.pidfds()

    def close(self) -> None:
        """Let go of what is open; rules and resolvers stay in force. Idempotent."""
        with self._turn:
            self._channel.close()
            self._resolvers.close()
