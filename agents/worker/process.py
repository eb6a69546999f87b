"""The running agent: its parts put together, started and stopped in order."""

import signal
import threading
from contextlib import ExitStack

import redis
import structlog

from agents.config import AgentConfig
from agents.engines.base import Engine
from agents.projects.leftovers import settle_leftovers
from agents.protocol.control import (
    AnyControl,
    CancelOperation,
    FollowLogs,
    LookAtContainer,
    ReadLogs,
    WatchStats,
)
from agents.recovery import resume_operations
from agents.reporter import Reporter, connect, first_reachable, vitals
from agents.sessions import (
    ContainerLooker,
    ControlReader,
    Followers,
    LogReader,
    StatsPublisher,
)
from agents.state import State
from agents.tasks.acceptance import Acceptance
from agents.tasks.context import Context
from agents.tasks.dispatch import Dispatcher
from agents.tasks.executor import Executor
from agents.worker.app import make_app
from agents.worker.inventory import Observer, Repeater

log = structlog.get_logger(__name__)

# Together under the five seconds in which an agent must stop.
HALT_SECONDS = 3.0
LAST_WORDS_SECONDS = 1.0


class Agent:
    """One host's agent. ``run`` blocks until a signal comes."""

    def __init__(self, config: AgentConfig, engine: Engine) -> None:
        self._config = config
        self._engine = engine
        self._stopping = threading.Event()

    def run(self) -> None:
        """Work until SIGTERM or SIGINT, then stop within five seconds."""
        with ExitStack() as stack:
            state = State(self._config.root)
            stack.callback(state.close)
            self._listen_to_signals()
            self._start_engine(stack)
            url = first_reachable(self._config, self._stopping)
            if not url:
                return
            client = connect(self._config, url)
            stack.callback(client.close)
            self._work(stack, state, url, client)

    def _start_engine(self, stack: ExitStack) -> None:
        """Take up the containers first: they need no panel, and it may be away for long."""
        self._engine.start()
        stack.callback(self._engine.close)
        settle_leftovers(self._engine)

    def _listen_to_signals(self) -> None:
        """Stop also while Redis is away; Celery takes the signals over when it starts."""
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: self._stopping.set())

    def _work(self, stack: ExitStack, state: State, url: str, client: redis.Redis) -> None:
        parts = Parts(self._config, self._engine, state, url, client)
        parts.start(stack)
        app = make_app(self._config, url, parts.acceptance.take)
        if not self._stopping.is_set():
            worker = app.Worker(
                hostname=f"agent@{self._config.name}",
                quiet=True,
                without_gossip=True,
                without_mingle=True,
                without_heartbeat=True,
            )
            log.info("agent_ready", uid=self._config.uid, redis=url)
            worker.start()
        log.info("agent_stops")


class Parts:
    """The agent's parts, tied together."""

    def __init__(
        self, config: AgentConfig, engine: Engine, state: State, url: str, client: redis.Redis
    ) -> None:
        self._config = config
        self._engine = engine
        self._state = state
        self._panel_key = config.load_panel_key()
        self.reporter = self._make_reporter(url)
        self.observer = Observer(config=config, engine=engine, reporter=self.reporter, state=state)
        self.repeater = Repeater(self.observer.report_all)
        self.executor = self._make_executor()
        self.acceptance = Acceptance(
            uid=config.uid,
            panel_key=self._panel_key,
            state=state,
            reporter=self.reporter,
            submit=self.executor.submit,
        )
        self.followers = Followers(uid=config.uid, engine=engine, client=client)
        self.stats = StatsPublisher(uid=config.uid, engine=engine, client=client)
        self.log_reader = LogReader(uid=config.uid, engine=engine, client=client)
        self.looker = ContainerLooker(uid=config.uid, engine=engine, client=client)
        self.control = self._make_control(client)

    def _make_reporter(self, url: str) -> Reporter:
        config = self._config
        return Reporter(
            uid=config.uid,
            key=config.load_private_key(),
            state=self._state,
            connect=lambda connected: connect(config, url, on_connect=connected),
            vitals=lambda: vitals.heartbeat(config.root, self.executor.active()),
            heartbeat_seconds=config.heartbeat_seconds,
            resync=lambda: self.repeater.ask(),
        )

    def _make_executor(self) -> Executor:
        context = Context(
            root=self._config.root,
            engine=self._engine,
            state=self._state,
            reporter=self.reporter,
            report_all=self.observer.report_all,
        )
        dispatcher = Dispatcher(context)
        return Executor(
            state=self._state,
            reporter=self.reporter,
            perform=dispatcher.perform,
            lane_of=dispatcher.lane_of,
        )

    def _make_control(self, client: redis.Redis) -> ControlReader:
        return ControlReader(
            uid=self._config.uid,
            panel_key=self._panel_key,
            client=client,
            state=self._state,
            handle=self._handle,
            refuse=self.acceptance.refuse,
        )

    def halt(self) -> None:
        """Ask all parts to stop; returns at once. What waits for them comes after."""
        self.control.halt()
        self.followers.halt()
        self.stats.halt()
        self.executor.halt()

    def start(self, stack: ExitStack) -> None:
        """Start everything; ``stack`` gets what stops it, in the reverse order."""
        # What changed before is in the inventory, which is the first thing reported.
        self._engine.subscribe(self.observer.container_changed)
        self.reporter.start()
        stack.callback(self.reporter.close, LAST_WORDS_SECONDS)
        resume_operations(self._state, self.reporter, self.executor.submit)
        stack.callback(self.executor.close, HALT_SECONDS)
        self.repeater.start()
        stack.callback(self.repeater.close)
        self.log_reader.start()
        stack.callback(self.log_reader.close)
        self.looker.start()
        stack.callback(self.looker.close)
        stack.callback(self.stats.close)
        stack.callback(self.followers.close)
        self.control.start()
        stack.callback(self.control.close)
        stack.callback(self.halt)

    def _handle(self, request: AnyControl) -> None:
        match request:
            case FollowLogs():
                self.followers.follow(request)
            case ReadLogs():
                self.log_reader.ask(request)
            case WatchStats():
                self.stats.watch(request)
            case LookAtContainer():
                self.looker.ask(request)
            case CancelOperation():
                self.executor.cancel(request.operation_id)
