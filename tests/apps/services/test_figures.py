"""Figures from readings: pure."""

import msgspec
import pytest

from agents.protocol.stats import (
    BlockUsage,
    CpuUsage,
    InterfaceUsage,
    MemoryUsage,
    Pressure,
    Stall,
    StatsRecord,
)
from apps.services.figures import Meter, rates_between
from tests.apps.services.figure_host import reading

ID = "a" * 64


def shown(*readings: StatsRecord) -> dict[str, str]:
    told = Meter().take(list(readings)).shown
    return {name: text.replace("\xa0", " ") for name, text in told.items()}


def test_the_first_reading_has_amounts_but_no_rates():
    told = shown(reading(ID, 1))
    assert (told["memory"], told["memory_note"]) == ("16.0 MB", "25 % of 64.0 MB")
    assert (told["cpu"], told["received"]) == ("–", "–")


def test_a_rate_is_the_difference_of_two_readings():
    told = shown(reading(ID, 1), reading(ID, 3))
    assert (told["cpu"], told["cpu_note"]) == ("0.25", "50 % of its limit of 0.5")
    assert told["received"] == "2.0 KB/s"


def test_without_a_quota_the_whole_is_the_host():
    free = {"cpu": CpuUsage(total=4.0, online=4)}
    told = shown(reading(ID, 1, cpu=CpuUsage(total=3.0, online=4)), reading(ID, 2, **free))
    assert told["cpu_note"] == "25 % of the host's 4"


def test_what_was_held_back_is_told():
    before = CpuUsage(total=1.0, limit=1.0, periods=10, throttled_periods=1)
    after = CpuUsage(total=1.5, limit=1.0, periods=20, throttled_periods=6)
    told = shown(reading(ID, 1, cpu=before), reading(ID, 2, cpu=after))
    assert told["cpu_note"] == "50 % of its limit of 1, held back in 50 % of periods"


def test_disks_and_pressure_are_told():
    def disks(second: int) -> dict:
        block = BlockUsage(device="8:0", read_bytes=1024 * second, written_bytes=0)
        return {"blocks": (block,), "io_pressure": Pressure(some=Stall(avg10=1.25))}

    told = shown(reading(ID, 1, **disks(1)), reading(ID, 2, **disks(2)))
    assert (told["read"], told["written"]) == ("1.0 KB/s", "0 bytes/s")
    assert (told["pressure_io"], told["pressure_cpu"]) == ("1.2 %", "–")


def test_a_container_that_began_anew_has_no_rates_for_a_moment():
    rates = rates_between(reading(ID, 9), reading(ID, 10, cpu=CpuUsage(total=0.01)))
    assert rates.cpu is None
    assert rates.received == 2048


def test_with_the_network_of_the_host_no_traffic_is_told():
    assert shown(reading(ID, 1, interfaces=()))["network_note"] == "It has no network of its own"


@pytest.mark.parametrize(
    "changes",
    [
        {"at": 1e308},
        {"at": -1e308},
        {"cpu": CpuUsage(total=-1.0, online=0, limit=-1.0)},
        {"cpu": CpuUsage(total=1e308, online=10**15, periods=-5, throttled_periods=3)},
        {"memory": MemoryUsage(used=-1, limit=-1, oom_kills=-3)},
        {"pids": -1, "pids_limit": 0},
        {"interfaces": (InterfaceUsage(name="x", received_bytes=2**63 - 1),) * 3},
    ],
)
def test_whatever_a_host_says_can_be_shown(changes):
    meter = Meter()
    for readings in ([reading(ID, 1), reading(ID, 2, **changes)], [reading(ID, 3, **changes)]):
        msgspec.json.encode(meter.take(readings))
