"""The agent's own log: one line of JSON for each event, on stderr."""

import logging
import sys
import warnings

import structlog
from celery.exceptions import SecurityWarning

QUIET_LIBRARIES = ("kombu", "celery", "amqp", "redis")


def set_up(level: int = logging.INFO) -> None:
    """Send everything, also what libraries log, to stderr as JSON."""
    # Celery warns of root for the sake of pickle; the agent takes JSON alone, and signed.
    warnings.simplefilter("ignore", SecurityWarning)
    shared: list[structlog.typing.Processor] = [
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.format_exc_info,
    ]
    renderer = structlog.processors.JSONRenderer()
    structlog.configure(
        processors=[*shared, renderer],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.PrintLoggerFactory(file=sys.stderr),
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, renderer],
        )
    )
    logging.basicConfig(level=level, handlers=[handler], force=True)
    for name in QUIET_LIBRARIES:
        logging.getLogger(name).setLevel(logging.WARNING)
