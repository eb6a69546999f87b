"""Builds survive one another, and what a killed one leaves is cleared away."""

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from agents.engines.native.build.network import remove_left
from agents.engines.native.images.store import ImageStore
from agents.engines.specs import BuildSpec
from agents.errors import CancelledError, NotSupportedError, OutOfSpaceError
from agents.linux import mounts, process
from tests.agents.native.building import Workshop, workshop
from tests.agents.native.image_files import needs_root

pytestmark = [pytest.mark.root, needs_root]

CHILD = """
import sys
from pathlib import Path
from agents.engines.native.build.builder import Builder
from agents.engines.native.images.store import ImageStore
from agents.engines.native.network import Networks
from agents.engines.specs import BuildSpec
root = Path(sys.argv[1])
spec = BuildSpec(context=root / "context", references=("built",))
networks = Networks(root / "store", root / "store/run")
networks.adopt(())
builder = Builder(root / "store", ImageStore(root / "store"), networks)
builder.build(spec, lambda line: print(line, flush=True))
"""


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Workshop]:
    try:
        with workshop(tmp_path) as made:
            yield made
    except NotSupportedError as exc:
        pytest.skip(exc.message)


def wait_until(condition: Callable[[], bool], seconds: float = 10.0) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not come to pass"
        threading.Event().wait(0.02)


def processes_in(root: Path) -> list[str]:
    """Return the processes that have something below ``root`` on their command line."""
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            if os.fsencode(root) in path.read_bytes():
                found.append(path.parent.name)
        except (FileNotFoundError, ProcessLookupError):
            continue
    return found


def test_what_a_killed_build_leaves_is_removed_by_repair(shop: Workshop) -> None:
    shop.put("Dockerfile", "FROM busybox\nRUN echo $$ in; exec sleep 1000\n")
    child = subprocess.Popen([sys.executable, "-c", CHILD, shop.root], stdout=subprocess.PIPE)
    assert child.stdout is not None
    with child, child.stdout:
        while b" in" not in (line := child.stdout.readline()) or line.startswith(b"Step"):
            assert line
        child.send_signal(signal.SIGKILL)
        child.wait()
    shop.networks.adopt(())
    assert len(shop.leftovers()) == 3
    ImageStore(shop.root / "store").repair()
    remove_left(shop.networks)
    assert shop.leftovers() == []
    wait_until(lambda: not processes_in(shop.root))


def test_repair_leaves_a_running_build_alone(shop: Workshop) -> None:
    started, done = threading.Event(), threading.Event()

    def say(line: str) -> None:
        if line == "started":
            started.set()

    shop.put("Dockerfile", "FROM busybox\nRUN echo started; sleep 1000\n")
    spec = BuildSpec(context=shop.context, references=("built",))
    with ThreadPoolExecutor(1) as pool:
        build = pool.submit(shop.builder.build, spec, say, done.is_set)
        assert started.wait(10)
        shop.store.repair()
        assert len(shop.leftovers()) == 3
        done.set()
        with pytest.raises(CancelledError):
            build.result()
    assert shop.leftovers() == []


def test_builds_at_the_same_time_do_not_disturb_each_other(shop: Workshop) -> None:
    shop.put("Dockerfile", "FROM busybox\nARG N\nRUN echo $N > /n\n")

    def build(number: int) -> str:
        spec = BuildSpec(
            context=shop.context,
            references=(f"built:{number}",),
            arguments={"N": str(number)},
        )
        return shop.read(shop.builder.build(spec, lambda _: None), "n")

    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(build, range(8))) == [f"{number}\n" for number in range(8)]
    assert shop.leftovers() == []


def test_removing_an_image_spares_the_layers_of_a_running_build(shop: Workshop) -> None:
    old = shop.build("FROM busybox\nRUN touch /a\n")

    def say(line: str) -> None:
        if line == "now":
            shop.store.remove("built")

    shop.put("Dockerfile", "FROM busybox\nRUN touch /a\nRUN echo now > /dev/stdout; touch /b\n")
    spec = BuildSpec(context=shop.context, references=("new",))
    image = shop.builder.build(spec, say)
    assert old.layers[-1] == image.layers[1]
    assert (image.layers[1] / "a").is_file()


def test_a_full_disk_stops_the_build_and_leaves_nothing(tmp_path: Path) -> None:
    disk = tmp_path / "disk"
    disk.mkdir()
    mounts.mount_tmpfs(disk, size=8 << 20)
    try:
        with workshop(disk) as shop:
            shop.put("big").write_bytes(os.urandom(3 << 20))
            with pytest.raises(OutOfSpaceError) as caught:
                shop.build("FROM busybox\nCOPY big /one\nCOPY big /two\n")
            assert (caught.value.file, caught.value.line) == ("Dockerfile", 3)
            assert shop.leftovers() == [str(disk)]
            assert [one.references for one in shop.store.list()] == [("busybox:latest",)]
    except NotSupportedError as exc:
        pytest.skip(exc.message)
    finally:
        mounts.unmount(disk)


def test_a_program_left_behind_by_a_command_ends_with_it(shop: Workshop) -> None:
    shop.build("FROM busybox\nRUN (sleep 1000 &) ; echo done\n")
    assert "done" in shop.lines
    shop.builder.close()
    assert not any(process.is_running(int(pid)) for pid in processes_in(shop.root))
