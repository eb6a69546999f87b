"""What an engine is doing when it is killed: each act with what must be there before it."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from agents.engines.native.engine import NativeEngine
from agents.engines.specs import (
    ContainerSpec,
    EndpointSpec,
    PortSpec,
)
from tests.agents.native.storm.survey import MARK
from tests.agents.native.storm.tale import GONE, RUNNING, STOPPED, THERE, Teller

IMAGE, NETWORK = "busybox", "base"
SERVE = "exec httpd -f -p 80"


@dataclass
class Stage:
    """Where acts are done: an engine, and who is told about it."""

    engine: NativeEngine
    teller: Teller
    folder: Path
    uid: str
    registry: str

    def spec(self, name: str, script: str = SERVE, **fields: Any) -> ContainerSpec:
        serves = script == SERVE
        given: dict[str, Any] = {
            "image": IMAGE,
            "command": ("sh", "-c", script),
            "environment": {MARK: f"{self.uid}-{name}"},
            "endpoints": (EndpointSpec(network=NETWORK),),
            "ports": (PortSpec(container_port=80),) if serves else (),
            "labels": {"mark": name, **({"serve": "1"} if serves else {})},
            "stop_signal": "SIGKILL",
            **fields,
        }
        return ContainerSpec(name=name, **given)

    def create(self, name: str, script: str = SERVE, **fields: Any) -> str:
        spec = self.spec(name, script, **fields)
        volumes = [f"v:{one.source}" for one in spec.mounts if one.kind == "volume" and one.source]
        self.teller.touching(f"c:{name}", *volumes)
        made = self.engine.create_container(spec)
        self.teller.tell(expect={f"c:{name}": STOPPED, **dict.fromkeys(volumes, THERE)})
        return made.id

    def start(self, name: str) -> None:
        self.teller.touching(f"c:{name}")
        self.engine.start_container(name)
        self.tell_running(name)

    def run(self, name: str, script: str = SERVE, **fields: Any) -> str:
        container_id = self.create(name, script, **fields)
        self.start(name)
        return container_id

    def stop(self, name: str) -> None:
        self.teller.touching(f"c:{name}")
        self.engine.stop_container(name)
        self.teller.tell(expect={f"c:{name}": STOPPED})

    def remove(self, name: str, *, force: bool = False) -> None:
        self.teller.touching(f"c:{name}")
        self.engine.remove_container(name, force=force)
        self.teller.tell(expect={f"c:{name}": GONE})

    def tell_running(self, name: str) -> None:
        init = self.engine._parts.containers.find(name).status.init
        pids = {f"c:{name}": init.pid} if init is not None else {}
        self.teller.tell(expect={f"c:{name}": RUNNING}, pids=pids)

    def change(self, key: str, state: str, act: Callable[[], object]) -> None:
        """Do an act after which one thing is in a state."""
        self.teller.touching(key)
        act()
        self.teller.tell(expect={key: state})


Step = Callable[[Stage], None]


@dataclass(frozen=True)
class Act:
    """Something to be killed in: ``before`` is done in peace, ``during`` is not."""

    name: str
    before: Step
    during: Step


def nothing(_: Stage) -> None:
    """Prepare nothing."""


def in_turn(*steps: Step) -> Step:
    def do(stage: Stage) -> None:
        for step in steps:
            step(stage)

    return do


def step(method: str, *arguments: Any, **fields: Any) -> Step:
    def do(stage: Stage) -> None:
        getattr(stage, method)(*arguments, **fields)

    return do
