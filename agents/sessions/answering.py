"""Questions that have one answer each: one thread that answers in their order."""

import queue
import threading
from abc import ABC, abstractmethod
from typing import ClassVar, Generic, Protocol, TypeVar

import msgspec
import redis
import structlog

from agents.engines.base import Engine
from agents.protocol import keys
from agents.reporter.connection import keep_trying

log = structlog.get_logger(__name__)

REPLY_SECONDS = 60
MAX_WAITING = 256


class Question(Protocol):
    """A request with a place for its answer."""

    @property
    def request_id(self) -> str:
        """Names the reply's stream."""
        ...

    @property
    def container_id(self) -> str:
        """What is asked about."""
        ...


Q = TypeVar("Q", bound=Question)


class Answerer(ABC, Generic[Q]):
    """Answers each question on its reply stream, in the entry's field :attr:`field`."""

    field: ClassVar[str]
    thread_name: ClassVar[str]

    def __init__(self, *, uid: str, engine: Engine, client: redis.Redis) -> None:
        self._uid = uid
        self._engine = engine
        self._client = client
        self._waiting: queue.Queue[Q | None] = queue.Queue(MAX_WAITING)
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name=self.thread_name, daemon=True)

    @abstractmethod
    def find(self, question: Q) -> msgspec.Struct:
        """Return the answer; blocks. What fails is said in the answer, not raised."""

    def start(self) -> None:
        """Begin to answer."""
        self._thread.start()

    def ask(self, question: Q) -> None:
        """Take a question; returns at once. With too many waiting it is dropped."""
        try:
            self._waiting.put_nowait(question)
        except queue.Full:
            log.warning("too_many_questions", container_id=question.container_id)

    def close(self) -> None:
        """Stop answering."""
        self._stopping.set()
        try:
            self._waiting.put_nowait(None)
        except queue.Full:
            return
        self._thread.join(2.0)

    def _run(self) -> None:
        while (question := self._waiting.get()) is not None and not self._stopping.is_set():
            self._answer(question)

    def _answer(self, question: Q) -> None:
        answer = msgspec.json.encode(self.find(question))
        stream = keys.reply(self._uid, question.request_id)

        def send() -> None:
            pipeline = self._client.pipeline()
            pipeline.xadd(stream, {self.field: answer})
            pipeline.expire(stream, REPLY_SECONDS)
            pipeline.execute()

        keep_trying(send, self._stopping, "reply")
