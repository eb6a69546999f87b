"""What a container uses, as a page shows it: rates from two readings of counters. No I/O."""

from dataclasses import dataclass

import msgspec
from django.template.defaultfilters import filesizeformat

from agents.protocol.stats import Pressure, StatsRecord

UNKNOWN = "–"
# A host may say anything of its clock.
_SHORTEST_SECONDS = 0.1


class Figures(msgspec.Struct, frozen=True, kw_only=True, tag="figures"):
    """Panel → browser. ``shown`` is text by the name of a part of the page, ``filled`` how
    much of its limit is used, 0 to 1. Each of ``points`` is a time in milliseconds since the
    epoch, CPUs in use, and bytes of memory.
    """

    shown: dict[str, str]
    filled: dict[str, float | None]
    points: list[tuple[float, float | None, float | None]]


@dataclass(frozen=True, kw_only=True)
class Rates:
    """What happened between two readings, a second; None is not known."""

    cpu: float | None = None
    throttled: float | None = None
    received: float | None = None
    sent: float | None = None
    read: float | None = None
    written: float | None = None


class Meter:
    """Turns one container's readings into figures; it remembers the one before."""

    def __init__(self) -> None:
        self._before: StatsRecord | None = None

    def take(self, readings: list[StatsRecord]) -> Figures:
        """Return the figures after these readings, of which there is at least one."""
        points: list[tuple[float, float | None, float | None]] = []
        rates = Rates()
        for reading in readings:
            rates = rates_between(self._before, reading)
            points.append((reading.at * 1000, rates.cpu, reading.memory.used))
            self._before = reading
        return show(readings[-1], rates, points)


def rates_between(before: StatsRecord | None, now: StatsRecord) -> Rates:
    """Return the rates; those of counters that began anew, as after a restart, are None."""
    if before is None or now.at <= before.at:
        return Rates()
    seconds = max(now.at - before.at, _SHORTEST_SECONDS)
    cpu = _rate(before.cpu.total, now.cpu.total, seconds)
    periods = now.cpu.periods - before.cpu.periods
    waited = now.cpu.throttled_periods - before.cpu.throttled_periods
    traffic = _traffic(before), _traffic(now)
    blocks = _blocks(before), _blocks(now)
    return Rates(
        cpu=cpu,
        throttled=waited / periods if periods > 0 and 0 <= waited <= periods else None,
        received=_rate(traffic[0][0], traffic[1][0], seconds),
        sent=_rate(traffic[0][1], traffic[1][1], seconds),
        read=_rate(blocks[0][0], blocks[1][0], seconds),
        written=_rate(blocks[0][1], blocks[1][1], seconds),
    )


def show(
    now: StatsRecord, rates: Rates, points: list[tuple[float, float | None, float | None]]
) -> Figures:
    """Return one reading with its rates in words."""
    shown = {
        **_cpu(now, rates),
        **_memory(now),
        **_processes(now),
        **_flows(now, rates),
        **_pressure(now),
    }
    filled = {
        "cpu": _part(rates.cpu, now.cpu.limit or now.cpu.online),
        "memory": _part(now.memory.used, now.memory.limit),
        "processes": _part(now.pids, now.pids_limit),
    }
    return Figures(shown=shown, filled=filled, points=points)


def _cpu(now: StatsRecord, rates: Rates) -> dict[str, str]:
    limit = now.cpu.limit
    share = _percent(_part(rates.cpu, limit or now.cpu.online))
    whole = f"its limit of {limit:g}" if limit else f"the host's {now.cpu.online}"
    notes = [f"{share} of {whole}"]
    if rates.throttled:
        notes.append(f"held back in {_percent(rates.throttled)} of periods")
    cores = UNKNOWN if rates.cpu is None else f"{rates.cpu:.2f}"
    return {"cpu": cores, "cpu_note": ", ".join(notes)}


def _memory(now: StatsRecord) -> dict[str, str]:
    memory = now.memory
    note = "no limit"
    if memory.limit:
        note = f"{_percent(_part(memory.used, memory.limit))} of {_size(memory.limit)}"
    if memory.oom_kills:
        note += f", {memory.oom_kills} killed for want of it"
    return {"memory": _size(memory.used), "memory_note": note}


def _processes(now: StatsRecord) -> dict[str, str]:
    pids = UNKNOWN if now.pids is None else str(now.pids)
    note = f"of at most {now.pids_limit}" if now.pids_limit else "no limit"
    return {"processes": pids, "processes_note": note}


def _flows(now: StatsRecord, rates: Rates) -> dict[str, str]:
    received, sent = _traffic(now)
    read, written = _blocks(now)
    network = f"{_size(received)} received, {_size(sent)} sent in all"
    return {
        "received": _speed(rates.received),
        "sent": _speed(rates.sent),
        "network_note": network if now.interfaces else "It has no network of its own",
        "read": _speed(rates.read),
        "written": _speed(rates.written),
        "disks_note": f"{_size(read)} read, {_size(written)} written in all",
    }


def _pressure(now: StatsRecord) -> dict[str, str]:
    found = {
        "pressure_cpu": now.cpu_pressure,
        "pressure_memory": now.memory_pressure,
        "pressure_io": now.io_pressure,
    }
    known = any(found.values())
    note = "of the last 10 seconds somebody waited" if known else "not told by this host"
    return {**{name: _stall(one) for name, one in found.items()}, "pressure_note": note}


def _stall(pressure: Pressure | None) -> str:
    return UNKNOWN if pressure is None else f"{pressure.some.avg10:.1f} %"


def _traffic(reading: StatsRecord) -> tuple[int | None, int | None]:
    links = reading.interfaces
    if not links:
        return None, None
    return sum(one.received_bytes for one in links), sum(one.sent_bytes for one in links)


def _blocks(reading: StatsRecord) -> tuple[int, int]:
    devices = reading.blocks
    return sum(one.read_bytes for one in devices), sum(one.written_bytes for one in devices)


def _rate(before: float | None, now: float | None, seconds: float) -> float | None:
    if before is None or now is None or now < before:
        return None
    return (now - before) / seconds


def _part(value: float | None, whole: float | None) -> float | None:
    """Return a part of a whole, between 0 and 1; None where either is not known."""
    if value is None or not whole or whole < 0:
        return None
    return min(max(value / whole, 0.0), 1.0)


def _percent(part: float | None) -> str:
    return UNKNOWN if part is None else f"{part * 100:.0f} %"


def _size(value: float | None) -> str:
    return UNKNOWN if value is None else filesizeformat(value)


def _speed(value: float | None) -> str:
    return UNKNOWN if value is None else f"{filesizeformat(value)}/s"
