"""How a service's log is kept: its driver and the bounds of its size."""

from agents.compose.cursor import Cursor
from agents.compose.errors import InvalidValueError
from agents.compose.keys import nearest
from agents.compose.model import Logging
from agents.compose.quantities import parse_size
from agents.compose.readers.tables import LOG_OPTIONS, LOGGING

# Docker's two that keep logs in files, which is what every engine here does.
_OURS = ("json-file", "local")
_OTHERS = (
    "none",
    "syslog",
    "journald",
    "gelf",
    "fluentd",
    "awslogs",
    "splunk",
    "etwlogs",
    "gcplogs",
)


def read_logging(cursor: Cursor) -> Logging | None:
    """Read ``logging``; the options of a driver that is not ours are left out."""
    fields = cursor.fields(LOGGING)
    driver = fields.read("driver", Cursor.word, _OURS[0])
    options = fields.get("options")
    if driver not in _OURS:
        _warn(cursor.find("driver"), driver)
        return None
    if options is None:
        return None
    logging = options.guard(_read_options, Logging())
    return None if logging == Logging() else logging


def _warn(cursor: Cursor, driver: str) -> None:
    hint = "The engine keeps the logs of all containers itself."
    near = "" if driver in _OTHERS else nearest(driver, [*_OURS, *_OTHERS])
    if near:
        hint = f'Did you mean "{near}"?'
    cursor.warn(f'The driver "{driver}" is ignored', hint=hint)


def _read_options(cursor: Cursor) -> Logging:
    fields = cursor.fields(LOG_OPTIONS)
    return Logging(
        max_size=fields.read("max-size", _read_size, None),
        max_files=fields.read("max-file", _read_files, None),
    )


def _read_size(cursor: Cursor) -> int | None:
    size = parse_size(cursor.word())
    if size == -1:
        cursor.warn("Logs are always bounded", hint="The engine's own bound is used.")
        return None
    if size < 1:
        raise InvalidValueError(f"{size} bytes are too few", expected="a size, like 10m")
    return size


def _read_files(cursor: Cursor) -> int:
    count = cursor.integer()
    if count < 1:
        raise InvalidValueError(f"{count} is too few", expected="1 or more")
    return count
