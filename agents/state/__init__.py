"""The agent's own state, in SQLite: what must survive its restart.

``database``  the one connection and its lock
``journal``   operations: accepted, running, ended
``seen``      ids of messages that were taken, against replays
``outbox``    events that Redis does not have yet
``applied``   the last applied version of each project
``cursors``   how far streams have been read
"""

from pathlib import Path

from agents.state.applied import AppliedProjects
from agents.state.cursors import Cursors
from agents.state.database import Database
from agents.state.journal import Entry, Journal
from agents.state.outbox import Outbox, Waiting
from agents.state.seen import SeenMessages

__all__ = ["Entry", "State", "Waiting"]


class State:
    """Everything the agent remembers; safe to use from several threads.

    A second agent on the same ``root`` is refused with ``ConflictError``.
    """

    def __init__(self, root: Path) -> None:
        self._database = Database(root)
        self.journal = Journal(self._database)
        self.seen = SeenMessages(self._database)
        self.outbox = Outbox(self._database)
        self.cursors = Cursors(self._database)
        self.applied = AppliedProjects(self._database)
        self.incarnation = self._database.next_incarnation()

    def close(self) -> None:
        """Write out and let go of the lock. Idempotent."""
        self._database.close()
