"""What limits do that only the native engine's host can show: files, devices, huge pages."""

import os
import shutil
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest

from agents.engines.native.engine import NativeEngine
from agents.engines.native.limits.blocks import device_number
from agents.engines.native.limits.place import Place
from agents.engines.native.limits.settings import NO_LIMITS, make_settings
from agents.engines.native.oci import capabilities
from agents.engines.specs import ContainerSpec, Limits, MountSpec, UpdateSpec
from agents.errors import InvalidInputError, NotSupportedError
from agents.linux import cgroups, mounts, process
from tests.contracts.bench import unique
from tests.native_engine import run_here
from tests.waiting import wait_until

pytestmark = pytest.mark.root

MEBIBYTE = 1 << 20
HUGE = Path("/sys/kernel/mm/hugepages/hugepages-2048kB")


def values(engine: NativeEngine, container_id: str, limits: Limits) -> dict[str, str | None]:
    """What the kernel has in the files that ``limits`` would be written to."""
    parts = engine._parts
    place = parts.cgroups.place(container_id)
    settings = make_settings(NO_LIMITS, limits, place)
    return {one.file: cgroups.in_force(place.layout, place.cgroup, one) for one in settings}


def expected(engine: NativeEngine, container_id: str, limits: Limits) -> dict[str, str]:
    settings = make_settings(NO_LIMITS, limits, engine._parts.cgroups.place(container_id))
    return {one.file: one.value for one in settings}


def test_every_value_is_in_the_kernels_files(engine: NativeEngine) -> None:
    limits = Limits(
        cpus=0.5,
        cpu_shares=512,
        cpuset_cpus="0",
        cpuset_mems="0",
        memory=64 * MEBIBYTE,
        memory_swap=80 * MEBIBYTE,
        memory_reservation=32 * MEBIBYTE,
        pids=50,
    )
    container = run_here(engine, "sleep 1000 & wait", limits=limits)
    assert values(engine, container.id, limits) == expected(engine, container.id, limits)


@pytest.mark.parametrize("size", [512, 16, 200])
def test_memory_and_swap_are_raised_and_lowered(engine: NativeEngine, size: int) -> None:
    first = Limits(memory=64 * MEBIBYTE, memory_swap=64 * MEBIBYTE)
    container = run_here(engine, "sleep 1000 & wait", limits=first)
    change = Limits(memory=size * MEBIBYTE, memory_swap=(size + 8) * MEBIBYTE)
    engine.update_container(container.id, UpdateSpec(limits=change))
    assert values(engine, container.id, change) == expected(engine, container.id, change)
    engine.update_container(container.id, UpdateSpec(lifted=("memory", "memory_swap")))
    assert engine.read_stats(container.id).memory.limit is None


def test_a_lifted_set_of_cpus_is_the_hosts_again(engine: NativeEngine) -> None:
    script = "while :; do grep Cpus_allowed_list /proc/self/status; sleep 0.05; done"
    online = Path("/sys/devices/system/cpu/online").read_text().strip()
    container = run_here(engine, script, limits=Limits(cpuset_cpus="0"))
    engine.update_container(container.id, UpdateSpec(lifted=("cpuset_cpus",)))

    def has_all() -> bool:
        (line,) = engine.read_logs(container.id, limit=1, newest=True) or [None]
        return line is not None and line.text.split()[-1] == online

    wait_until(has_all, "all CPUs")


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[tuple[str, Path]]:
    """A block device with a file system, and where it is mounted."""
    if shutil.which("mkfs.ext4") is None:
        pytest.skip("not installed: mkfs.ext4")
    image, folder = tmp_path / "disk", tmp_path / "mounted"
    with image.open("wb") as file:
        file.truncate(32 * MEBIBYTE)
    folder.mkdir()
    process.run(("mkfs.ext4", "-q", str(image)))
    found = process.run(("losetup", "--find", "--show", str(image)), check=False)
    if found.exit_code != 0:
        pytest.skip("this machine has no loop devices")
    device = found.text().strip()
    try:
        process.run(("mount", device, str(folder)))
        folder.chmod(0o777)
        yield device, folder
    finally:
        mounts.unmount(folder)
        process.run(("losetup", "--detach", device))


def test_writing_to_a_disk_takes_as_long_as_its_bound_says(
    engine: NativeEngine, disk: tuple[str, Path]
) -> None:
    device, folder = disk
    size = 2 * MEBIBYTE
    script = (
        "echo begin; dd if=/dev/zero of=/data/x bs=64k count=32 oflag=direct 2>/dev/null;"
        " echo end; sleep 1000 & wait"
    )
    container = run_here(
        engine,
        script,
        limits=Limits(write_bytes={device: 2 * size}),
        mounts=(MountSpec(kind="bind", target="/data", source=str(folder)),),
    )
    wait_until(lambda: len(engine.read_logs(container.id)) == 2, "the file to be written")
    begin, end = engine.read_logs(container.id)
    assert end.at - begin.at >= 0.4
    number = device_number(device, "write_bytes")
    (used,) = [one for one in engine.read_stats(container.id).blocks if one.device == number]
    assert used.written_bytes >= size
    assert used.writes >= 32


def test_the_bound_of_a_disk_is_changed_and_lifted(
    engine: NativeEngine, disk: tuple[str, Path]
) -> None:
    device, _ = disk
    limits = Limits(write_bytes={device: MEBIBYTE}, read_operations={device: 50})
    container = run_here(engine, "sleep 1000 & wait", limits=limits)
    assert values(engine, container.id, limits) == expected(engine, container.id, limits)
    other = Limits(write_bytes={device: 2 * MEBIBYTE})
    engine.update_container(container.id, UpdateSpec(limits=other))
    assert values(engine, container.id, other) == expected(engine, container.id, other)
    engine.update_container(container.id, UpdateSpec(lifted=("write_bytes",)))
    assert set(values(engine, container.id, other).values()) <= {"0", "max"}


@pytest.fixture
def huge_pages(tmp_path: Path) -> Iterator[Path]:
    """Four huge pages of 2 MB, and a file system of them."""
    if not HUGE.is_dir():
        pytest.skip("this machine has no huge pages of 2 MB")
    before = (HUGE / "nr_hugepages").read_text()
    (HUGE / "nr_hugepages").write_text(str(int(before) + 4))
    folder = tmp_path / "huge"
    folder.mkdir()
    try:
        if int((HUGE / "free_hugepages").read_text()) < 4:
            pytest.skip("this machine has no memory for huge pages")
        process.run(
            ("mount", "-t", "hugetlbfs", "-o", "pagesize=2M,mode=1777", "none", str(folder))
        )
        yield folder
    finally:
        mounts.unmount(folder)
        (HUGE / "nr_hugepages").write_text(before)


def test_no_more_huge_pages_than_allowed_are_given(engine: NativeEngine, huge_pages: Path) -> None:
    more = "fallocate -l 4M /huge/b 2>/dev/null || echo refused"
    script = f"fallocate -l 2M /huge/a && echo one; {more}"
    container = run_here(
        engine,
        script,
        limits=Limits(huge_pages={"2MB": 4 * MEBIBYTE}),
        mounts=(MountSpec(kind="bind", target="/huge", source=str(huge_pages)),),
    )
    engine.wait_container(container.id, timeout=20.0)
    lines = [one.text for one in engine.read_logs(container.id)]
    assert lines == ["one", "refused"]


def test_huge_pages_of_a_strange_size_are_refused(engine: NativeEngine) -> None:
    with pytest.raises(NotSupportedError) as caught:
        run_here(engine, "true", limits=Limits(huge_pages={"3MB": MEBIBYTE}))
    assert caught.value.field == "huge_pages"


def test_an_oom_score_is_given_to_all_processes(engine: NativeEngine) -> None:
    script = "cat /proc/1/oom_score_adj; cat /proc/self/oom_score_adj"
    container = run_here(engine, script, oom_score_adj=700)
    engine.wait_container(container.id, timeout=20.0)
    assert [one.text for one in engine.read_logs(container.id)] == ["700", "700"]


def test_an_oom_score_that_cannot_be_given_is_refused(engine: NativeEngine) -> None:
    with pytest.raises(InvalidInputError) as caught:
        run_here(engine, "true", oom_score_adj=1001)
    assert caught.value.field == "oom_score_adj"
    if "SYS_RESOURCE" in capabilities.available():
        return
    with pytest.raises(NotSupportedError) as refused:
        run_here(engine, "true", oom_score_adj=-1000)
    assert refused.value.field == "oom_score_adj"


def test_a_weight_is_kept_or_refused_by_name(engine: NativeEngine) -> None:
    limits = Limits(blkio_weight=300)
    container = run_here(engine, "sleep 1000 & wait")
    place = engine._parts.cgroups.place(container.id)
    (setting,) = make_settings(NO_LIMITS, limits, place)
    if cgroups.in_force(place.layout, place.cgroup, setting) is None:
        with pytest.raises(NotSupportedError) as caught:
            run_here(engine, "true", limits=limits)
        assert caught.value.field == "blkio_weight"
    else:
        engine.update_container(container.id, UpdateSpec(limits=limits))
        assert values(engine, container.id, limits) == expected(engine, container.id, limits)


def test_v2_gets_its_own_files_and_scales(tmp_path: Path) -> None:
    layout = cgroups.Layout(unified=tmp_path, controllers={})
    limits = Limits(cpus=1.5, cpu_shares=1024, memory=100, memory_swap=-1, pids=-1)
    made = make_settings(NO_LIMITS, limits, Place(layout=layout, cgroup="/c"))
    assert {one.file: one.value for one in made} == {
        "cpu.max": "150000 100000",
        "cpu.weight": "100",
        "pids.max": "max",
        "memory.max": "100",
        "memory.swap.max": "max",
    }


def test_a_container_whose_limits_fail_at_its_start_leaves_nothing(
    engine: NativeEngine, tmp_path: Path
) -> None:
    # A block device by its node, but no disk is behind it.
    os.mknod(tmp_path / "nothing", stat.S_IFBLK | 0o600, os.makedev(230, 250))
    limits = Limits(write_bytes={str(tmp_path / "nothing"): MEBIBYTE})
    name = unique("c")
    spec = ContainerSpec(name=name, image="busybox", command=("true",), limits=limits)
    container = engine.create_container(spec)
    with pytest.raises(InvalidInputError) as caught:
        engine.start_container(container.id)
    assert caught.value.field == "write_bytes"
    assert engine.find_container(container.id).state == "created"
    path = engine._parts.cgroups.path(container.id)
    assert not any(one.exists() for one in engine._parts.cgroups.layout.folders(path))
