"""Kills engines, hundreds of them, and looks at what each next one makes of it.

Run as ``python -m tests.agents.native.storm.program FOLDER UID KILLS SEED`` in mount and
network namespaces of its own. Everything is imported once; each engine lives in a fork of
this process, takes up what the one before it left, is looked at, and is killed in an act.
"""

import os
import random
import select
import signal
import sys
import time
import traceback
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from agents.engines.native.engine import NativeEngine
from agents.engines.native.images import busybox
from agents.engines.native.images.store import ImageStore
from agents.engines.specs import EndpointSpec, MountSpec, NetworkSpec, RestartPolicy
from agents.linux import netlink
from tests.agents.native.storm import fuse, mix
from tests.agents.native.storm.acts import IMAGE, NETWORK, Act, Stage, nothing
from tests.agents.native.storm.container_acts import CONTAINER_ACTS
from tests.agents.native.storm.fuse import FUSE
from tests.agents.native.storm.store_acts import STORE_ACTS
from tests.agents.native.storm.survey import Survey, build_cgroups
from tests.agents.native.storm.tale import THERE, Tale, Teller
from tests.native_engine import NativeHome, assert_nothing_left, clear
from tests.registries import running_registry

ACTS = (*CONTAINER_ACTS, *STORE_ACTS)
# Done by several threads at once; which acts these are depends on where it is cut off.
MIX = Act("mix", nothing, nothing)
WITNESS = "witness"
_LONGEST_MIX = 1500
_KEPT = {"c": WITNESS, "n": NETWORK, "i": f"{IMAGE}:latest", "v": "witnessed"}


@dataclass(frozen=True)
class Turn:
    """One engine's life: it is killed at the ``at``-th change of an act (0: at its end)."""

    act: Act | None
    at: int

    def __str__(self) -> str:
        return f"{self.act.name if self.act else 'the end'}:{self.at}"


@dataclass
class Storm:
    """The engines, one after the other, and what they told."""

    home: NativeHome
    tale: Tale = field(default_factory=Tale)
    links_before: frozenset[str] = frozenset()
    counts: dict[str, int] = field(default_factory=dict)
    kills: Counter[str] = field(default_factory=Counter)
    held: int = 0
    registry: str = ""
    cgroups_before: frozenset[Path] = field(default_factory=build_cgroups)

    def live(self, turn: Turn) -> None:
        """Let one engine live and die. Raises RuntimeError for what it says is wrong."""
        reader, writer = os.pipe()
        held, self.held = self.held, 0
        child = os.fork()
        if child == 0:
            os.close(reader)
            self._child(turn, Teller(writer), held)
        os.close(writer)
        lines = heard(reader, child)
        status = os.waitpid(child, 0)[1]
        for line in lines:
            if line.startswith("!"):
                raise RuntimeError(line[1:].replace("\\n", "\n"))
            if line.startswith("~"):
                self.held = int(line[1:])
            elif line.startswith("#"):
                self.counts[turn.act.name if turn.act else ""] = int(line[1:])
            else:
                self.tale.hear(line)
        if os.WIFSIGNALED(status):
            self.kills[turn.act.name if turn.act else ""] += 1

    def rage(self, turns: Iterable[Turn]) -> int:
        """Let engines live and die; return how many found something wrong."""
        bound = int(os.environ.get("WEBPANEL_STORM_FAULTS", "1"))
        faults, last = 0, ""
        for turn in turns:
            try:
                self.live(turn)
            except RuntimeError as exc:
                faults += 1
                say(f"FAULT at {turn} after {last}:\n{exc}")
                if faults >= bound:
                    break
                self._start_over(faults)
            last = str(turn)
        return faults

    def _start_over(self, number: int) -> None:
        """Go on in another place after a fault, to look for more."""
        self.finish()
        folder, uid = self.home.folder.parent, self.home.uid
        self.home = new_home(folder / str(number), f"{uid[:8]}{number}")
        self.tale = Tale()
        self.tale.expected[f"i:{_KEPT['i']}"] = THERE
        self.links_before = frozenset(one.name for one in netlink.list_links())
        self.cgroups_before = build_cgroups()

    def finish(self) -> None:
        """Remove everything, in this process."""
        with self.home.engine() as engine:
            clear(engine)
        assert_nothing_left(self.home)

    def _child(self, turn: Turn, teller: Teller, held: int) -> None:
        try:
            self._live(turn, teller, held)
        except BaseException:  # noqa: BLE001 - told to the parent
            fail(teller)
        os._exit(0)

    def _hold(self, teller: Teller, pid: int) -> None:
        """Let a program stand still that was just started, to go on at the worst moment."""
        if pid:
            os.kill(pid, signal.SIGSTOP)
            os.write(teller.fd, f"~{pid}\n".encode())

    def _live(self, turn: Turn, teller: Teller, held: int) -> None:
        engine = NativeEngine(self.home.root, self.home.run, self.home.uid)
        engine.start()
        let_go(held)
        stage = Stage(engine, teller, self.home.folder, self.home.uid, self.registry)
        faults = Survey(
            engine, self.home, self.tale, self.links_before, self.cgroups_before
        ).faults()
        if faults:
            raise RuntimeError("; ".join(faults))
        tidy(stage)
        if turn.act is None:
            return
        turn.act.before(stage)
        FUSE.held = lambda pid: self._hold(teller, pid)
        FUSE.arm(turn.at)
        if turn.act is MIX:
            mix.play(stage, turn.at, lambda: fail(teller))
        else:
            turn.act.during(stage)
        FUSE.disarm()
        os.write(teller.fd, f"#{FUSE.count}\n".encode())


def fail(teller: Teller) -> None:
    """Tell the parent of the exception at hand, and end."""
    text = traceback.format_exc().replace("\n", "\\n")
    os.write(teller.fd, f"!{text}\n".encode())
    os._exit(0)


def let_go(pid: int) -> None:
    """Have a program go on that stood still, if it is there, and give it time to end."""
    try:
        pidfd = os.pidfd_open(pid) if pid else -1
        if pidfd >= 0:
            signal.pidfd_send_signal(pidfd, signal.SIGCONT)
            select.select([pidfd], [], [], 0.3)
            os.close(pidfd)
    except ProcessLookupError:
        return


def heard(reader: int, child: int) -> list[str]:
    """Return the lines that a child writes until it ends, and close the pipe.

    Not until the pipe ends: a program that the child started may hold it for longer.
    """
    text = b""
    pidfd = os.pidfd_open(child)
    try:
        while True:
            ready = select.select([reader, pidfd], [], [])[0]
            more = os.read(reader, 1 << 20) if reader in ready else b""
            text += more
            if not more:
                return text.decode().splitlines()
    finally:
        os.close(pidfd)
        os.close(reader)


def tidy(stage: Stage) -> None:
    """Leave only the witness, which is made if it is not there, and what it needs."""
    engine = stage.engine
    for container in engine.list_containers():
        if container.name != WITNESS:
            engine.remove_container(container.id, force=True)
    for network in engine.list_networks():
        if network.name != NETWORK:
            engine.remove_network(network.name)
    for volume in engine.list_volumes():
        if volume.name != _KEPT["v"]:
            engine.remove_volume(volume.name)
    tidy_images(engine)
    stage.teller.tell(reset=True, expect={f"i:{_KEPT['i']}": THERE})
    if engine._parts.containers.named(WITNESS) is None:
        make_witness(stage)
    else:
        stage.teller.tell(expect={f"{kind}:{_KEPT[kind]}": THERE for kind in "nv"})
        stage.tell_running(WITNESS)


def tidy_images(engine: NativeEngine) -> None:
    for image in engine.list_images():
        for name in image.references or (image.id,):
            if name != _KEPT["i"]:
                engine.remove_image(name)


def make_witness(stage: Stage) -> None:
    """Run the container that nothing may ever happen to."""
    network = NetworkSpec(name=NETWORK)
    stage.change(f"n:{NETWORK}", THERE, lambda: stage.engine.create_network(network))
    mount = MountSpec(kind="volume", source=_KEPT["v"], target="/data")
    stage.run(
        WITNESS,
        mounts=(mount,),
        restart=RestartPolicy(name="unless-stopped"),
        endpoints=(EndpointSpec(network=NETWORK),),
    )


def turns(storm: Storm, kills: int, dice: random.Random) -> Iterator[Turn]:
    """Give every act once in peace, to count its changes; then kills at places spread evenly."""
    for act in ACTS:
        yield Turn(act, 0)
    places = [Turn(act, at) for act in ACTS for at in range(1, storm.counts[act.name] + 1)]
    offset = dice.random()
    step = max(1.0, len(places) / (kills * 0.8))
    chosen = [places[int(index)] for index in _steps(offset * step, step, len(places))]
    # A quarter more by chance, while several threads act.
    chosen += [Turn(MIX, dice.randint(1, _LONGEST_MIX)) for _ in range(len(chosen) // 4)]
    dice.shuffle(chosen)
    yield from chosen
    yield Turn(None, 0)


def _steps(start: float, step: float, end: int) -> Iterator[float]:
    while start < end:
        yield start
        start += step


def new_home(folder: Path, uid: str) -> NativeHome:
    """Make a place for engines, with an image."""
    home = NativeHome(folder, uid)
    home.root.mkdir(parents=True, mode=0o711)
    busybox.seed(ImageStore(home.root), folder)
    return home


def main() -> int:
    folder, uid, kills, seed = Path(sys.argv[1]), sys.argv[2], int(sys.argv[3]), int(sys.argv[4])
    netlink.bring_loopback_up(Path("/proc/self/ns/net"))
    links = frozenset(one.name for one in netlink.list_links())
    storm = Storm(home=new_home(folder / "0", uid), links_before=links)
    storm.tale.expected[f"i:{_KEPT['i']}"] = THERE
    fuse.install()
    begun = time.monotonic()
    with running_registry(folder / "registry") as registry:
        storm.registry = registry.name
        try:
            faults = storm.rage(chosen_turns(storm, kills, random.Random(seed)))
        finally:
            storm.finish()
    seconds = time.monotonic() - begun
    say(f"{storm.kills.total()} kills in {seconds:.1f} s, seed {seed}: {dict(storm.kills)}")
    say(f"changes: {storm.counts}")
    return 1 if faults else 0


def chosen_turns(storm: Storm, kills: int, dice: random.Random) -> Iterator[Turn]:
    """Give what is asked for by the environment, or places that are spread evenly."""
    wanted = os.environ.get("WEBPANEL_STORM_TURN", "")
    if not wanted:
        yield from turns(storm, kills, dice)
        return
    for one in wanted.split(","):
        name, _, at = one.partition(":")
        yield Turn(next(act for act in (*ACTS, MIX) if act.name == name), int(at))
    yield Turn(None, 0)


def say(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
