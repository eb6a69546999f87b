import errno
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest

from agents.errors import KernelError
from agents.linux import cgroups, process
from agents.linux.cgroups import Layout

UNIFIED = {
    "cpu.stat": "usage_usec 2500000\nuser_usec 1\n",
    "memory.current": "1000\n",
    "memory.stat": "anon 700\ninactive_file 300\n",
    "memory.max": "max\n",
    "pids.current": "3\n",
    "pids.max": "100\n",
}
SEPARATE = {
    "cpuacct/c1/cpuacct.usage": "2500000000\n",
    "memory/c1/memory.usage_in_bytes": "1000\n",
    "memory/c1/memory.stat": "inactive_file 1\ntotal_inactive_file 300\n",
    "memory/c1/memory.limit_in_bytes": "9223372036854771712\n",
    "pids/c1/pids.current": "3\n",
    "pids/c1/pids.max": "100\n",
}


def write(folder: Path, files: dict[str, str]) -> None:
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)


def check(layout: Layout) -> None:
    usage = cgroups.read_usage(layout, "/c1")
    assert (usage.cpu, usage.memory, usage.memory_limit) == (2.5, 700, None)
    assert (usage.pids, usage.pids_limit) == (3, 100)


def test_it_reads_the_files_of_version_2(tmp_path: Path) -> None:
    write(tmp_path / "c1", UNIFIED)
    check(Layout(unified=tmp_path, controllers={}))


def test_it_reads_the_files_of_version_1_beside_version_2(tmp_path: Path) -> None:
    write(tmp_path, SEPARATE)
    controllers = {name: tmp_path / name for name in ("cpuacct", "memory", "pids")}
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
    usage = cgroups.read_usage(Layout(unified=tmp_path, controllers={}), "/none")
    assert (usage.cpu, usage.memory, usage.pids) == (None, None, None)


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
    usage = cgroups.read_usage(layout, cgroup)
    assert usage.cpu == 0.0
    assert usage.memory_limit is None


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
