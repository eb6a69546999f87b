"""What a service may use: limits, deploy.resources, ulimits, sysctls and capabilities."""

from typing import TypeVar

from agents.compose.cursor import Cursor, Fields
from agents.compose.errors import InvalidValueError
from agents.compose.keys import keys
from agents.compose.model import Limits, Ulimit
from agents.compose.quantities import parse_size
from agents.compose.readers.lifecycle import read_count
from agents.compose.readers.pairs import read_labels
from agents.compose.readers.tables import DEPLOY, RESOURCE_LIMITS, RESOURCES, ULIMIT

Number = TypeVar("Number", int, float)
_ULIMITS = keys(
    """
    as core cpu data fsize locks memlock msgqueue nice nofile nproc rss rtprio rttime sigpending
    stack
    """
)


def read_limits(fields: Fields) -> tuple[Limits, int]:
    """Read the limits of a service and how many containers it has.

    ``deploy`` wins over the older keys; Compose refuses to have both with different values.
    """
    older = Limits(
        cpus=fields.read("cpus", _read_cpus, None),
        memory=fields.read("mem_limit", _read_memory, None),
        pids=fields.read("pids_limit", _read_pids, None),
    )
    scale = fields.read("scale", read_count, None)
    deploy = fields.get("deploy")
    if deploy is None:
        return older, 1 if scale is None else scale
    return deploy.guard(lambda at: _read_deploy(at, older, scale), (older, scale or 1))


def _read_deploy(cursor: Cursor, older: Limits, scale: int | None) -> tuple[Limits, int]:
    fields = cursor.fields(DEPLOY)
    replicas = fields.read("replicas", read_count, None)
    if None not in (scale, replicas) and scale != replicas:
        raise InvalidValueError('"scale" and "deploy.replicas" differ', hint="Keep one of them.")
    newer = fields.read("resources", _read_resources, Limits())
    limits = Limits(
        cpus=_one_of("cpus", older.cpus, newer.cpus),
        memory=_one_of("mem_limit", older.memory, newer.memory),
        pids=_one_of("pids_limit", older.pids, newer.pids),
    )
    count = replicas if replicas is not None else scale
    return limits, 1 if count is None else count


def _one_of(key: str, older: Number | None, newer: Number | None) -> Number | None:
    if older is not None and newer is not None and older != newer:
        message = f'"{key}" and "deploy.resources.limits" differ'
        raise InvalidValueError(message, hint="Keep one of them.")
    return older if newer is None else newer


def _read_resources(cursor: Cursor) -> Limits:
    fields = cursor.fields(RESOURCES)
    return fields.read("limits", _read_resource_limits, Limits())


def _read_resource_limits(cursor: Cursor) -> Limits:
    fields = cursor.fields(RESOURCE_LIMITS)
    return Limits(
        cpus=fields.read("cpus", _read_cpus, None),
        memory=fields.read("memory", _read_memory, None),
        pids=fields.read("pids", _read_pids, None),
    )


def _read_cpus(cursor: Cursor) -> float | None:
    cpus = cursor.number()
    if cpus < 0:
        raise InvalidValueError(f"{cpus} is negative", expected="a number of CPUs, like 0.5")
    return cpus or None


def _read_memory(cursor: Cursor) -> int | None:
    size = parse_size(cursor.word())
    if size < 0:
        raise InvalidValueError("A limit cannot be negative", expected="a size, like 512m")
    return size or None


def _read_pids(cursor: Cursor) -> int | None:
    pids = cursor.integer()
    return pids if pids > 0 else None


def read_ulimits(cursor: Cursor) -> tuple[Ulimit, ...]:
    """Read ``ulimits``: a number, or soft and hard, for each name."""
    limits = cursor.each_entry(_read_ulimit)
    return tuple(sorted(limits, key=lambda limit: limit.name))


def _read_ulimit(cursor: Cursor) -> Ulimit:
    if cursor.key not in _ULIMITS:
        raise InvalidValueError(f'"{cursor.key}" is not a limit', expected="like nofile or nproc")
    if not cursor.is_mapping:
        number = cursor.integer()
        return Ulimit(name=cursor.key, soft=number, hard=number)
    fields = cursor.fields(ULIMIT)
    soft = fields.read("soft", Cursor.integer, None)
    hard = fields.read("hard", Cursor.integer, None)
    if soft is None or hard is None:
        raise InvalidValueError('"soft" and "hard" are both needed')
    if hard != -1 and (soft > hard or soft == -1):
        raise InvalidValueError('"soft" is higher than "hard"')
    return Ulimit(name=cursor.key, soft=soft, hard=hard)


def read_sysctls(cursor: Cursor) -> dict[str, str]:
    """Read ``sysctls``: a mapping, or a list of ``name=value``."""
    return read_labels(cursor)


def read_capabilities(cursor: Cursor) -> tuple[str, ...]:
    """Read capability names in upper case, without ``CAP_``, each once."""
    words = cursor.each(lambda item: item.word().upper().removeprefix("CAP_"))
    return tuple(dict.fromkeys(words))
