"""Several threads that act at once, each on things of its own, as chance will have it."""

import random
import threading
from collections.abc import Callable
from dataclasses import dataclass, field

from agents.engines.specs import BuildSpec, EndpointSpec, MountSpec, NetworkSpec, VolumeSpec
from tests.agents.native.storm.acts import IMAGE, Stage
from tests.agents.native.storm.tale import GONE, THERE

THREADS = 3
_STEPS = 30


@dataclass
class Player:
    """One thread's things: a container, a volume, a network and an image, there or not."""

    stage: Stage
    name: str
    dice: random.Random
    there: set[str] = field(default_factory=set)

    def play(self) -> None:
        for _ in range(_STEPS):
            self.dice.choice(self._moves())()

    def _moves(self) -> list[Callable[[], None]]:
        if "container" not in self.there:
            moves = [self._create, self._volume, self._network, self._build]
        elif "running" not in self.there:
            moves = [self._start, self._start, self._remove]
        else:
            moves = [self._stop, self._remove, self._restart, self._plug]
        return [*moves, self._tag]

    def _create(self) -> None:
        mounts = (
            MountSpec(kind="volume", source=self.name, target="/etc"),
            MountSpec(kind="volume", target="/var"),
        )
        self.stage.create(self.name, mounts=mounts)
        self.there |= {"container", "volume"}

    def _start(self) -> None:
        self.stage.start(self.name)
        self.there.add("running")

    def _stop(self) -> None:
        self.stage.stop(self.name)
        self.there.discard("running")

    def _restart(self) -> None:
        self.stage.teller.touching(f"c:{self.name}")
        self.stage.engine.restart_container(self.name)
        self.stage.tell_running(self.name)

    def _remove(self) -> None:
        self.stage.remove(self.name, force=True)
        self.there -= {"container", "running", "plugged"}

    def _plug(self) -> None:
        if "network" not in self.there:
            self._network()
        if "plugged" in self.there:
            self.stage.engine.disconnect_network(self.name, self.name)
        else:
            self.stage.engine.connect_network(self.name, EndpointSpec(network=self.name))
        self.there ^= {"plugged"}

    def _volume(self) -> None:
        key, engine = f"v:{self.name}", self.stage.engine
        if "volume" in self.there:
            self.stage.change(key, GONE, lambda: engine.remove_volume(self.name))
        else:
            spec = VolumeSpec(name=self.name)
            self.stage.change(key, THERE, lambda: engine.create_volume(spec))
        self.there ^= {"volume"}

    def _network(self) -> None:
        key, engine = f"n:{self.name}", self.stage.engine
        if "network" in self.there:
            self.stage.change(key, GONE, lambda: engine.remove_network(self.name))
        else:
            spec = NetworkSpec(name=self.name)
            self.stage.change(key, THERE, lambda: engine.create_network(spec))
        self.there ^= {"network"}

    def _tag(self) -> None:
        key, engine = f"i:{self.name}:latest", self.stage.engine
        if "image" in self.there:
            self.stage.change(key, GONE, lambda: engine.remove_image(self.name))
        else:
            self.stage.change(key, THERE, lambda: engine.tag_image(IMAGE, self.name))
        self.there ^= {"image"}

    def _build(self) -> None:
        context = self.stage.folder / f"context-{self.name}"
        context.mkdir(exist_ok=True)
        (context / "Dockerfile").write_text(f"FROM {IMAGE}\nRUN echo {self.name} > /name\n")
        spec = BuildSpec(context=context, references=(f"{self.name}-built",), use_cache=False)
        key, engine = f"i:{self.name}-built:latest", self.stage.engine
        self.stage.change(key, THERE, lambda: engine.build_image(spec, lambda _: None))


def play(stage: Stage, seed: int, fail: Callable[[], None]) -> None:
    """Let several threads act; whatever one of them raises is told to ``fail``."""

    def run(number: int) -> None:
        try:
            Player(stage, f"player{number}", random.Random(f"{seed}-{number}")).play()
        except BaseException:  # noqa: BLE001 - a thread's outer edge
            fail()

    threads = [threading.Thread(target=run, args=(number,)) for number in range(THREADS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
