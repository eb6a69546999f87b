"""The agent's side of figures and of looks into containers, told what to answer."""

import time

import msgspec

from agents.protocol import keys
from agents.protocol.control import (
    AnyControl,
    ContainerFindings,
    LookAtContainer,
    StatsSample,
    WatchStats,
)
from agents.protocol.stats import CpuUsage, InterfaceUsage, MemoryUsage, StatsRecord
from tests.apps.logs.log_host import LogHost

MEBIBYTE = 1024 * 1024


def reading(container_id: str, second: int, **changes) -> StatsRecord:
    """What a container uses after ``second`` seconds of a quarter of a CPU."""
    given = {
        "container_id": container_id,
        "at": 1_700_000_000.0 + second,
        "cpu": CpuUsage(total=0.25 * second, online=4, limit=0.5),
        "memory": MemoryUsage(used=16 * MEBIBYTE, limit=64 * MEBIBYTE),
        "pids": 3,
        "interfaces": (InterfaceUsage(name="eth0", received_bytes=2048 * second),),
        **changes,
    }
    return StatsRecord(**given)


class FigureHost(LogHost):
    """``watches`` counts the requests for figures; ``findings`` is the answer to looks."""

    watches = 0
    findings: bytes = b""
    looked: tuple[LookAtContainer, ...] = ()

    def publish(self, *samples: StatsSample) -> None:
        """Put samples on the stream of their container; the first must have readings."""
        for sample in samples:
            self._redis.xadd(self._stream, {"s": msgspec.json.encode(sample)})

    def uses(self, container_id: str, *seconds: int, **changes) -> None:
        self._stream = keys.stats(self.uid, container_id)
        self.publish(
            *(
                StatsSample(at=0.0, stats=reading(container_id, second, **changes))
                for second in seconds
            )
        )

    def finds(self, **found) -> None:
        self.findings = msgspec.json.encode(ContainerFindings(at=time.time(), **found))

    def _answer(self, control: AnyControl) -> None:
        if isinstance(control, WatchStats):
            self.watches += 1
        elif isinstance(control, LookAtContainer):
            self.looked += (control,)
            key = keys.reply(self.uid, control.request_id)
            self._redis.xadd(key, {"findings": self.findings})
        else:
            super()._answer(control)
