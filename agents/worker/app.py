"""The Celery app of one host: one queue, one task, nothing else."""

from collections.abc import Callable

from celery import Celery
from kombu import Exchange, Queue

from agents.config import AgentConfig
from agents.protocol import keys
from agents.reporter import redis_options
from agents.worker import broker

# A command is written down within milliseconds and acknowledged then. One that was taken
# by an agent which died in that moment comes again after this long.
VISIBILITY_SECONDS = 30
# How long a BRPOP waits; a stop waits for it.
POLL_SECONDS = 1

Accept = Callable[[str, bool], None]


def make_app(config: AgentConfig, url: str, accept: Accept) -> Celery:
    """Return the app; ``accept(sealed, redelivered)`` is called for each command."""
    options = redis_options(config, url)
    options["socket_timeout"] = None
    app = Celery(keys.recipient(config.uid), set_as_current=False, fixups=[])
    app.conf.update(_settings(config.uid, broker.install(options)))
    _keep_only_own_tasks(app)

    @app.task(name=keys.COMMAND_TASK, bind=True, shared=False)
    def command(task: object, sealed: str) -> None:
        info = task.request.delivery_info or {}  # type: ignore[attr-defined]
        accept(sealed, bool(info.get("redelivered")))

    return app


def _settings(uid: str, url: str) -> dict[str, object]:
    name = keys.queue(uid)
    queue = Queue(name, Exchange(name, type="direct"), routing_key=name)
    return {
        "broker_url": url,
        "broker_transport_options": _transport_options(name),
        "broker_connection_retry_on_startup": True,
        "broker_connection_max_retries": None,
        "broker_channel_error_retry": True,
        "task_queues": [queue],
        "task_default_queue": name,
        "accept_content": ["json"],
        "task_serializer": "json",
        "task_acks_late": True,
        "task_reject_on_worker_lost": True,
        "task_ignore_result": True,
        "result_backend": None,
        "worker_prefetch_multiplier": 1,
        "worker_pool": "solo",
        "worker_concurrency": 1,
        "worker_enable_remote_control": False,
        "worker_send_task_events": False,
        "worker_hijack_root_logger": False,
        "worker_cancel_long_running_tasks_on_connection_loss": False,
        "task_create_missing_queues": False,
    }


def _transport_options(name: str) -> dict[str, object]:
    return {
        "unacked_key": f"{name}.unacked",
        "unacked_index_key": f"{name}.unacked_index",
        "unacked_mutex_key": f"{name}.unacked_mutex",
        "visibility_timeout": VISIBILITY_SECONDS,
        "unacked_restore_throttle": 1,
        "polling_interval": POLL_SECONDS,
        "priority_steps": [0],
    }


def _keep_only_own_tasks(app: Celery) -> None:
    """Unregister Celery's built-in tasks: who may write to the queue gets no other door."""
    app.finalize()
    for name in tuple(app.tasks):
        app.tasks.pop(name, None)
