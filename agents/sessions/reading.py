"""Answers questions about log lines that are already written."""

from agents.errors import AgentError
from agents.protocol.control import LogChunk, ReadLogs
from agents.sessions.answering import Answerer

MAX_LINES = 5000


class LogReader(Answerer[ReadLogs]):
    """Reads lines from the engine's logs."""

    field = "chunk"
    thread_name = "log-reader"

    def find(self, question: ReadLogs) -> LogChunk:
        """See :class:`ReadLogs`."""
        try:
            lines = self._engine.read_logs(
                question.container_id,
                after=question.after,
                before=question.before,
                limit=min(max(question.limit, 1), MAX_LINES),
                newest=question.newest,
            )
            newest = self._engine.read_logs(question.container_id, limit=1, newest=True)
        except AgentError as error:
            return LogChunk(error=error.message)
        return LogChunk(lines=lines, end=newest[-1].position if newest else 0)
