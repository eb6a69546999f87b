import errno
import signal
import uuid
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from agents.errors import InvalidInputError, KernelError, NotSupportedError
from agents.linux import cgroups, process
from agents.linux.cgroups import Layout, Setting
from agents.protocol.stats import BlockUsage
from tests.waiting import wait_until

UNIFIED = {
    "cpu.max": "50000 100000\n",
    "cpu.stat": (
        "usage_usec 2500000\nuser_usec 2000000\nsystem_usec 500000\n"
        "nr_periods 9\nnr_throttled 4\nthrottled_usec 1500000\n"
    ),
    "io.stat": "8:0 rbytes=10 wbytes=20 rios=1 wios=2 dbytes=0 dios=0\n",
    "memory.current": "1000\n",
    "memory.events": "low 0\nhigh 0\nmax 5\noom 1\noom_kill 1\n",
    "memory.stat": "anon 700\nfile 200\nkernel 60\ninactive_file 300\n",
    "memory.swap.current": "50\n",
    "memory.max": "max\n",
    "pids.current": "3\n",
    "pids.max": "100\n",
}
SEPARATE = {
    "cpuacct/c1/cpuacct.usage": "2500000000\n",
    "cpuacct/c1/cpuacct.stat": "user 200\nsystem 50\n",
    "cpu/c1/cpu.cfs_quota_us": "50000\n",
    "cpu/c1/cpu.cfs_period_us": "100000\n",
    "cpu/c1/cpu.stat": "nr_periods 9\nnr_throttled 4\nthrottled_time 1500000000\n",
    "blkio/c1/blkio.throttle.io_service_bytes_recursive": "8:0 Read 10\n8:0 Write 20\nTotal 30\n",
    "blkio/c1/blkio.throttle.io_serviced_recursive": "8:0 Read 1\n8:0 Write 2\nTotal 3\n",
    "memory/c1/memory.usage_in_bytes": "1000\n",
    "memory/c1/memory.stat": (
        "inactive_file 1\ntotal_inactive_file 300\ntotal_rss 700\ntotal_cache 200\ntotal_swap 50\n"
    ),
    "memory/c1/memory.kmem.usage_in_bytes": "60\n",
    "memory/c1/memory.failcnt": "5\n",
    "memory/c1/memory.oom_control": "oom_kill_disable 0\nunder_oom 0\noom_kill 1\n",
    "memory/c1/memory.limit_in_bytes": "9223372036854771712\n",
    "pids/c1/pids.current": "3\n",
    "pids/c1/pids.max": "100\n",
}


def write(folder: Path, files: dict[str, str]) -> None:
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)


def check(layout: Layout) -> None:
    counters = cgroups.read_counters(layout, "/c1")
    memory = counters.memory
    assert (counters.cpu.total, counters.cpu.user, counters.cpu.system) == (2.5, 2.0, 0.5)
    assert (counters.cpu.periods, counters.cpu.throttled_periods) == (9, 4)
    assert (counters.cpu.throttled, counters.cpu.limit) == (1.5, 0.5)
    assert (memory.used, memory.limit, memory.anonymous, memory.cache) == (700, None, 700, 200)
    assert (memory.swap, memory.kernel, memory.limit_hits, memory.oom_kills) == (50, 60, 5, 1)
    assert (counters.pids, counters.pids_limit) == (3, 100)
    assert counters.blocks == (
        BlockUsage(device="8:0", read_bytes=10, written_bytes=20, reads=1, writes=2),
    )


def test_it_reads_the_files_of_version_2(tmp_path: Path) -> None:
    write(tmp_path / "c1", UNIFIED)
    check(Layout(unified=tmp_path, controllers={}))


def test_it_reads_the_files_of_version_1_beside_version_2(tmp_path: Path) -> None:
    write(tmp_path, SEPARATE)
    controllers = {name: tmp_path / name for name in ("blkio", "cpu", "cpuacct", "memory", "pids")}
    check(Layout(unified=tmp_path / "unified", controllers=controllers))


@pytest.mark.parametrize(
    ("unified", "controllers", "mode"),
    [
        (None, {}, "none"),
        (Path("/u"), {}, "v2"),
        (None, {"memory": Path("/m")}, "v1"),
        (Path("/u"), {"memory": Path("/m")}, "hybrid"),
    ],
)
def test_it_tells_the_layouts_apart(
    unified: Path | None, controllers: dict[str, Path], mode: str
) -> None:
    assert Layout(unified=unified, controllers=controllers).mode == mode


def test_a_cgroup_that_is_not_there_uses_nothing_known(tmp_path: Path) -> None:
    counters = cgroups.read_counters(Layout(unified=tmp_path, controllers={}), "/none")
    assert (counters.cpu.total, counters.memory.used, counters.pids) == (None, None, None)
    assert (counters.blocks, counters.cpu_pressure) == ((), None)


def test_a_cgroup_without_a_quota_has_no_limit_of_cpus(tmp_path: Path) -> None:
    free = {"cpu.max": "max 100000\n", "cpu.cfs_quota_us": "-1\n", "cpu.cfs_period_us": "100000\n"}
    write(tmp_path / "c1", free)
    for layout in (
        Layout(unified=tmp_path, controllers={}),
        Layout(unified=None, controllers={"cpu": tmp_path}),
    ):
        assert cgroups.read_counters(layout, "/c1").cpu.limit is None


@pytest.fixture
def layout() -> Layout:
    layout = cgroups.detect()
    if layout.mode == "none":
        pytest.skip("no cgroups are mounted")
    return layout


@pytest.fixture
def cgroup(layout: Layout) -> Iterator[str]:
    name = f"/webpanel-test-{uuid.uuid4().hex[:8]}"
    try:
        for folder in layout.folders(name):
            folder.mkdir()
    except OSError as exc:
        pytest.skip(f"cgroups cannot be made: {exc}")
    yield name
    cgroups.remove(layout, name)


@pytest.mark.root
def test_the_kernels_own_files_are_understood(layout: Layout, cgroup: str) -> None:
    counters = cgroups.read_counters(layout, cgroup)
    assert counters.cpu.total == 0.0
    assert counters.memory.limit is None


@pytest.mark.root
def test_a_cgroup_with_a_process_is_not_removed(layout: Layout, cgroup: str) -> None:
    child = process.spawn(["sleep", "60"])
    folder = next(layout.folders(cgroup))
    (folder / "cgroup.procs").write_text(str(child.pid))
    assert cgroups.list_processes(layout, cgroup) == (child.pid,)
    with pytest.raises(KernelError) as raised:
        cgroups.remove(layout, cgroup)
    assert raised.value.errno == errno.EBUSY
    process.stop(child.pid)
    child.wait(10)


@pytest.mark.root
def test_removing_takes_what_is_below_and_may_be_repeated(layout: Layout, cgroup: str) -> None:
    for folder in layout.folders(cgroup):
        (folder / "below").mkdir()
    cgroups.remove(layout, cgroup)
    cgroups.remove(layout, cgroup)
    assert not any(folder.exists() for folder in layout.folders(cgroup))


def test_pressure_is_read_where_there_is_a_v2_tree(tmp_path: Path) -> None:
    line = "avg10=1.50 avg60=0.25 avg300=0.00 total=2500000"
    write(tmp_path / "c1", {"cpu.pressure": f"some {line}\nfull {line}\n"})
    found = cgroups.read_counters(Layout(unified=tmp_path, controllers={}), "/c1")
    assert found.cpu_pressure is not None
    assert (found.cpu_pressure.some.avg10, found.cpu_pressure.some.total) == (1.5, 2.5)
    assert found.cpu_pressure.full == found.cpu_pressure.some
    assert found.io_pressure is None


def pids_setting(value: str) -> Setting:
    return Setting(field="pids", controller="pids", file="pids.max", value=value)


@pytest.mark.root
def test_settings_are_written_all_or_none(layout: Layout, cgroup: str) -> None:
    if layout.folder("pids", cgroup) is None:
        pytest.skip("no pids controller")
    cgroups.apply(layout, cgroup, (pids_setting("33"),))
    with pytest.raises(InvalidInputError) as caught:
        cgroups.apply(layout, cgroup, (pids_setting("44"), pids_setting("many")))
    assert caught.value.field == "pids"
    assert cgroups.in_force(layout, cgroup, pids_setting("")) == "33"


@pytest.mark.root
def test_a_file_that_the_kernel_lacks_is_named_or_left_out(layout: Layout, cgroup: str) -> None:
    setting = Setting(field="wings", controller="pids", file="pids.wings", value="2")
    with pytest.raises(NotSupportedError) as caught:
        cgroups.apply(layout, cgroup, (setting,))
    assert caught.value.field == "wings"
    cgroups.apply(layout, cgroup, (replace(setting, optional=True),))


@pytest.mark.root
def test_a_frozen_process_stands_still(layout: Layout, cgroup: str) -> None:
    child = process.spawn(["sleep", "60"])
    folder = layout.folder("freezer", cgroup)
    assert folder is not None
    (folder / "cgroup.procs").write_text(str(child.pid))
    assert not cgroups.is_frozen(layout, cgroup)
    cgroups.freeze(layout, cgroup)
    cgroups.freeze(layout, cgroup)
    assert cgroups.is_frozen(layout, cgroup)
    cgroups.thaw(layout, cgroup)
    assert not cgroups.is_frozen(layout, cgroup)
    process.signal_process(child.pid, signal.SIGKILL)
    child.wait(10)
    wait_until(lambda: cgroups.list_processes(layout, cgroup) == (), "the cgroup to be empty")
