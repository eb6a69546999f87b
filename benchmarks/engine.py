"""The native engine beside Docker Engine and beside the bare runtime, in one run."""

import shutil
import statistics
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from agents.errors import NotSupportedError
from benchmarks.docker.daemon import docker
from benchmarks.figures import Figure, compared, measured
from benchmarks.floor import bare_runs
from benchmarks.sides import Docker, Ours, Side, all_at_once
from benchmarks.spans import traced
from tests.native_engine import native_home

RUNS = 15
ROUNDS = 5
MANY = 20
# Time for the containers' programs to ask for their signals.
SETTLE = 0.5
# What one engine leaves to do, and how ready it leaves the kernel, is not to help or hinder
# the other.
QUIET = 0.1
START = "create and start a container with a published port"
BARE = "the bare runtime runs the same bundle"
BARE_COLD = "the bare runtime, as it meets the kernel"
EXEC = "run true in a container"
EXEC_PROGRAM = "run true in a container, Docker by its command line"
BOTH = f"create and start {MANY} containers at once"
END = f"stop and remove {MANY} containers at once"

Taken = dict[str, list[float]]


def measure() -> list[Figure]:
    """Measure both engines alternately, so that the machine's moods hit both."""
    with _folder() as folder, native_home(folder) as home, home.engine() as engine:
        ours = Ours(engine)
        ready, cold = bare_runs(home, ours, RUNS)
        parts = _spent(ours)
        try:
            with docker() as daemon:
                peer = f"Docker Engine {daemon.version}"
                theirs = Docker(daemon)
                taken = {**_alternately(ours, theirs), EXEC_PROGRAM: _by_program(ours, theirs)}
        except NotSupportedError as exc:
            print(exc.message)
            peer, taken = "", _alternately(ours)
    bars = {START: 4.0, BOTH: 4.0, END: 3.0, EXEC: 3.0, EXEC_PROGRAM: 3.0}
    floors = {START: statistics.median(ready)}
    rows = [
        compared(name, "ms", *values, peer, floor=floors.get(name), least_ratio=bars[name])
        for name, values in taken.items()
    ]
    return [*rows, *parts, measured(BARE, "ms", ready), measured(BARE_COLD, "ms", cold)]


@contextmanager
def _folder() -> Iterator[Path]:
    folder = Path(tempfile.mkdtemp(prefix="webpanel-bench-", dir="/var/tmp"))
    folder.chmod(0o711)
    try:
        yield folder
    finally:
        shutil.rmtree(folder)


def _alternately(*sides: Side) -> dict[str, list[list[float]]]:
    """Return milliseconds by what was measured, a list for each side."""
    taken: dict[str, list[list[float]]] = defaultdict(lambda: [[] for _ in sides])
    for _ in range(RUNS):
        for number, side in enumerate(sides):
            taken[START][number].append(_one(side))
    _execs(sides, taken[EXEC])
    for _ in range(ROUNDS):
        for number, side in enumerate(sides):
            begun, ended = _many(side)
            taken[BOTH][number].append(begun)
            taken[END][number].append(ended)
    return taken


def _one(side: Side) -> float:
    container: list[str] = []
    took = _after_quiet(lambda: container.append(side.begin()))
    side.remove(container[0])
    return took


def _execs(sides: Sequence[Side], taken: list[list[float]]) -> None:
    containers = [side.begin() for side in sides]
    for _ in range(RUNS):
        for side, container, values in zip(sides, containers, taken, strict=True):
            values.append(_after_quiet(lambda one=side, it=container: _execute(one, it)))
    for side, container in zip(sides, containers, strict=True):
        side.remove(container)


def _execute(side: Side, container: str) -> None:
    assert side.execute(container) == 0


def _by_program(ours: Ours, theirs: Docker) -> list[list[float]]:
    """Return milliseconds of an exec of ours, and of one by Docker's command line."""
    taken: list[list[float]] = [[], []]
    first, second = ours.begin(), theirs.begin()
    for _ in range(RUNS):
        taken[0].append(_after_quiet(lambda: _execute(ours, first)))
        taken[1].append(_after_quiet(lambda: theirs.execute_by_program(second)))
    ours.remove(first)
    theirs.remove(second)
    return taken


def _many(side: Side) -> tuple[float, float]:
    containers: list[str] = []

    def begin() -> None:
        containers.append(side.begin())

    def end(container: str) -> None:
        side.stop(container)
        side.remove(container)

    begun = _milliseconds(lambda: all_at_once([begin] * MANY))
    time.sleep(SETTLE)
    acts: list[Callable[[], object]] = [lambda one=one: end(one) for one in containers]
    return begun, _milliseconds(lambda: all_at_once(acts))


def _after_quiet(act: Callable[[], object]) -> float:
    time.sleep(QUIET)
    return _milliseconds(act)


def _milliseconds(act: Callable[[], object]) -> float:
    began = time.monotonic()
    act()
    return (time.monotonic() - began) * 1000


def _spent(ours: Ours) -> list[Figure]:
    """Name what the time of a start is spent on, each part's median."""
    ours.remove(ours.begin())
    parts: Taken = defaultdict(list)
    for _ in range(RUNS):
        time.sleep(QUIET)
        with traced() as spans:
            container = ours.begin()
        ours.remove(container)
        for label, seconds in spans.taken.items():
            parts[label].append(seconds * 1000)
    ordered = sorted(parts.items(), key=lambda pair: -statistics.median(pair[1]))
    return [measured(f"… of which {label}", "ms", values) for label, values in ordered]
