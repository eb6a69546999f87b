"""Answers questions about log lines that are already written."""

import queue
import threading

import msgspec
import redis
import structlog

from agents.engines.base import Engine
from agents.errors import AgentError
from agents.protocol import keys
from agents.protocol.control import LogChunk, ReadLogs
from agents.reporter.connection import keep_trying

log = structlog.get_logger(__name__)

FIELD = "chunk"
REPLY_SECONDS = 60
MAX_LINES = 5000
MAX_WAITING = 256


class LogReader:
    """One thread that answers in the order of the questions."""

    def __init__(self, *, uid: str, engine: Engine, client: redis.Redis) -> None:
        self._uid = uid
        self._engine = engine
        self._client = client
        self._waiting: queue.Queue[ReadLogs | None] = queue.Queue(MAX_WAITING)
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="log-reader", daemon=True)

    def start(self) -> None:
        """Begin to answer."""
        self._thread.start()

    def ask(self, request: ReadLogs) -> None:
        """Take a question; returns at once. With too many waiting it is dropped."""
        try:
            self._waiting.put_nowait(request)
        except queue.Full:
            log.warning("too_many_questions", container_id=request.container_id)

    def close(self) -> None:
        """Stop answering."""
        self._stopping.set()
        try:
            self._waiting.put_nowait(None)
        except queue.Full:
            return
        self._thread.join(2.0)

    def _run(self) -> None:
        while (request := self._waiting.get()) is not None and not self._stopping.is_set():
            self._answer(request)

    def _answer(self, request: ReadLogs) -> None:
        chunk = msgspec.json.encode(self._chunk(request))
        stream = keys.reply(self._uid, request.request_id)

        def send() -> None:
            pipeline = self._client.pipeline()
            pipeline.xadd(stream, {FIELD: chunk})
            pipeline.expire(stream, REPLY_SECONDS)
            pipeline.execute()

        keep_trying(send, self._stopping, "reply")

    def _chunk(self, request: ReadLogs) -> LogChunk:
        try:
            lines = self._engine.read_logs(
                request.container_id,
                after=request.after,
                before=request.before,
                limit=min(max(request.limit, 1), MAX_LINES),
                newest=request.newest,
            )
            newest = self._engine.read_logs(request.container_id, limit=1, newest=True)
        except AgentError as error:
            return LogChunk(error=error.message)
        return LogChunk(lines=lines, end=newest[-1].position if newest else 0)
