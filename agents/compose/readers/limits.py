"""What a service may use: limits, deploy.resources, ulimits, sysctls and capabilities."""

from typing import TypeVar

import msgspec

from agents.compose.cursor import Cursor, Fields
from agents.compose.errors import InvalidValueError
from agents.compose.keys import keys
from agents.compose.model import Limits, Ulimit
from agents.compose.quantities import parse_seconds, parse_size
from agents.compose.readers.lifecycle import read_count
from agents.compose.readers.pairs import read_labels
from agents.compose.readers.tables import (
    BLKIO,
    BLKIO_RATE,
    DEPLOY,
    RESERVATIONS,
    RESOURCE_LIMITS,
    RESOURCES,
    ULIMIT,
)

_USUAL_PERIOD = 100_000
_MICROSECONDS = 1_000_000
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
    older = _with_blkio(_read_older(fields), fields)
    scale = fields.read("scale", read_count, None)
    deploy = fields.get("deploy")
    if deploy is None:
        return older, 1 if scale is None else scale
    return deploy.guard(lambda at: _read_deploy(at, older, scale), (older, scale or 1))


def _read_older(fields: Fields) -> Limits:
    shares = fields.read("cpu_shares", read_count, None)
    return Limits(
        cpus=_read_cpu_bound(fields),
        memory=fields.read("mem_limit", _read_memory, None),
        pids=fields.read("pids_limit", _read_pids, None),
        cpu_shares=shares or None,
        cpuset=fields.read("cpuset", Cursor.word, ""),
        memory_swap=fields.read("memswap_limit", _read_swap, None),
        memory_reservation=fields.read("mem_reservation", _read_memory, None),
    )


def _read_cpu_bound(fields: Fields) -> float | None:
    """Read ``cpus``, or the quota and period (microseconds) that say the same."""
    cpus = fields.read("cpus", _read_cpus, None)
    quota = fields.read("cpu_quota", _read_microseconds, None)
    period = fields.read("cpu_period", _read_microseconds, None) or _USUAL_PERIOD
    if quota is None:
        return cpus
    if cpus is not None and cpus != quota / period:
        fields.cursor.find("cpu_quota").error('"cpus" and "cpu_quota" differ', hint="Keep one.")
    return quota / period


def _read_microseconds(cursor: Cursor) -> float | None:
    """Read a number, or a duration such as ``50ms``."""
    text = cursor.word()
    number = float(text) if text.lstrip("-").isdecimal() else parse_seconds(text) * _MICROSECONDS
    return number if number > 0 else None


def _read_swap(cursor: Cursor) -> int | None:
    text = cursor.word()
    return -1 if text == "-1" else parse_size(text) or None


def _with_blkio(limits: Limits, fields: Fields) -> Limits:
    at = fields.get("blkio_config")
    return limits if at is None else at.guard(lambda one: _read_blkio(one, limits), limits)


def _read_blkio(cursor: Cursor, limits: Limits) -> Limits:
    fields = cursor.fields(BLKIO)
    return msgspec.structs.replace(
        limits,
        blkio_weight=fields.read("weight", read_count, None) or None,
        read_bytes=fields.read("device_read_bps", _read_rates, {}),
        write_bytes=fields.read("device_write_bps", _read_rates, {}),
        read_operations=fields.read("device_read_iops", _read_rates, {}),
        write_operations=fields.read("device_write_iops", _read_rates, {}),
    )


def _read_rates(cursor: Cursor) -> dict[str, int]:
    return dict(cursor.each(_read_rate))


def _read_rate(cursor: Cursor) -> tuple[str, int]:
    fields = cursor.fields(BLKIO_RATE)
    path = fields.read("path", Cursor.word, "")
    rate = fields.read("rate", lambda at: parse_size(at.word()), None)
    if not path or not rate:
        raise InvalidValueError('"path" and "rate" are both needed')
    return path, rate


def _read_deploy(cursor: Cursor, older: Limits, scale: int | None) -> tuple[Limits, int]:
    fields = cursor.fields(DEPLOY)
    replicas = fields.read("replicas", read_count, None)
    if None not in (scale, replicas) and scale != replicas:
        raise InvalidValueError('"scale" and "deploy.replicas" differ', hint="Keep one of them.")
    newer = fields.read("resources", _read_resources, Limits())
    limits = msgspec.structs.replace(
        older,
        cpus=_one_of("cpus", older.cpus, newer.cpus),
        memory=_one_of("mem_limit", older.memory, newer.memory),
        pids=_one_of("pids_limit", older.pids, newer.pids),
        memory_reservation=_one_of(
            "mem_reservation", older.memory_reservation, newer.memory_reservation
        ),
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
    limits = fields.read("limits", _read_resource_limits, Limits())
    reserved = fields.read("reservations", _read_reservations, None)
    return msgspec.structs.replace(limits, memory_reservation=reserved)


def _read_reservations(cursor: Cursor) -> int | None:
    return cursor.fields(RESERVATIONS).read("memory", _read_memory, None)


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
