"""What an engine is doing when it is killed: each act with what must be there before it."""

import io
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from agents.engines.native.engine import NativeEngine
from agents.engines.specs import (
    BuildSpec,
    ContainerSpec,
    EndpointSpec,
    MountSpec,
    NetworkSpec,
    PortSpec,
    RestartPolicy,
    VolumeSpec,
)
from tests.agents.native.storm.survey import MARK
from tests.agents.native.storm.tale import ANY, GONE, RUNNING, STOPPED, THERE, Teller
from tests.contracts.volumes import tar_of

IMAGE, NETWORK = "busybox", "base"
SERVE = "exec httpd -f -p 80"


@dataclass
class Stage:
    """Where acts are done: an engine, and who is told about it."""

    engine: NativeEngine
    teller: Teller
    folder: Path
    uid: str

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


def with_volumes(**fields: Any) -> dict[str, Any]:
    named = MountSpec(kind="volume", source="new", target="/etc")
    anonymous = MountSpec(kind="volume", target="/var")
    return {"mounts": (named, anonymous), **fields}


def in_turn(*steps: Step) -> Step:
    def do(stage: Stage) -> None:
        for step in steps:
            step(stage)

    return do


def created(stage: Stage) -> None:
    stage.create("one", **with_volumes())


def running(stage: Stage) -> None:
    stage.run("one", **with_volumes())


def stopped(stage: Stage) -> None:
    running(stage)
    stage.stop("one")


def rename(stage: Stage) -> None:
    stage.teller.touching("c:one", "c:two")
    stage.engine.rename_container("one", "two")
    stage.teller.tell(expect={"c:one": GONE})
    stage.tell_running("two")


def end_by_itself(stage: Stage) -> None:
    stage.create("one", "exit 3")
    stage.teller.touching("c:one")
    stage.engine.start_container("one")
    stage.engine.wait_container("one", timeout=10)
    stage.teller.tell(expect={"c:one": STOPPED})


def end_again_and_again(stage: Stage) -> None:
    stage.create("one", "exit 3", restart=RestartPolicy(name="on-failure", maximum_retries=2))
    stage.teller.touching("c:one")
    stage.engine.start_container("one")
    stage.engine.wait_container("one", timeout=10)


def remove_itself(stage: Stage) -> None:
    stage.create("one", "exit 3", auto_remove=True, **with_volumes())
    stage.teller.touching("c:one")
    stage.engine.start_container("one")
    stage.engine.wait_container("one", timeout=10)


def special_mounts(stage: Stage) -> None:
    options = {"type": "tmpfs", "device": "tmpfs"}
    stage.change(
        "v:memory",
        THERE,
        lambda: stage.engine.create_volume(VolumeSpec(name="memory", options=options)),
    )
    stage.change("v:parts", THERE, lambda: fill(stage, "parts"))
    folder = stage.folder / "project"
    (folder / "data").mkdir(parents=True, exist_ok=True)
    mounts = (
        MountSpec(kind="volume", source="memory", target="/memory"),
        MountSpec(kind="volume", source="parts", target="/part", subpath="sub"),
        MountSpec(kind="bind", source=str(folder / "data"), target="/d", inside=str(folder)),
    )
    stage.create("one", mounts=mounts)


def fill(stage: Stage, name: str) -> None:
    stage.engine.create_volume(VolumeSpec(name=name))
    stage.engine.import_volume(name, io.BytesIO(tar_of("sub/file", "other")))


def make_network(stage: Stage) -> None:
    stage.change("n:new", THERE, lambda: stage.engine.create_network(NetworkSpec(name="new")))


def remove_network(stage: Stage) -> None:
    stage.change("n:new", GONE, lambda: stage.engine.remove_network("new"))


def on_two_networks(stage: Stage) -> None:
    make_network(stage)
    both = (EndpointSpec(network=NETWORK), EndpointSpec(network="new"))
    stage.create("one", endpoints=both)


def make_volume(stage: Stage) -> None:
    stage.change("v:new", THERE, lambda: fill(stage, "new"))


def remove_volume(stage: Stage) -> None:
    stage.change("v:new", GONE, lambda: stage.engine.remove_volume("new"))


def replace_volume(stage: Stage) -> None:
    archive = io.BytesIO(tar_of("other"))
    stage.engine.import_volume("new", archive)


def prune_volumes(stage: Stage) -> None:
    stage.change("v:new", GONE, lambda: stage.engine.prune_volumes(include_named=True))


def import_image(stage: Stage) -> None:
    archive = stage.folder / "small.tar"
    archive.write_bytes(tar_of("file"))
    stage.change("i:small:latest", THERE, lambda: stage.engine.import_image(archive, "small"))


def remove_image(stage: Stage) -> None:
    stage.change("i:small:latest", GONE, lambda: stage.engine.remove_image("small"))


def build(stage: Stage) -> None:
    context = stage.folder / "context"
    context.mkdir(exist_ok=True)
    (context / "file").write_text("content")
    (context / "Dockerfile").write_text(
        "FROM busybox\nRUN echo $$ > /pid\nCOPY file /file\nRUN cat /file\nCMD true\n"
    )
    spec = BuildSpec(context=context, references=("built",), use_cache=False)
    stage.change("i:built:latest", THERE, lambda: stage.engine.build_image(spec, lambda _: None))


def step(method: str, *arguments: Any, **fields: Any) -> Step:
    def do(stage: Stage) -> None:
        getattr(stage, method)(*arguments, **fields)

    return do


ACTS = (
    Act("create", nothing, created),
    Act("start", created, step("start", "one")),
    Act("start again", stopped, step("start", "one")),
    Act("start with special mounts", special_mounts, step("start", "one")),
    Act("start on two networks", on_two_networks, step("start", "one")),
    Act("stop", running, step("stop", "one")),
    Act("remove", stopped, step("remove", "one")),
    Act("remove by force", running, step("remove", "one", force=True)),
    Act("rename", running, rename),
    Act("end by itself", nothing, end_by_itself),
    Act("end again and again", nothing, end_again_and_again),
    Act("remove itself", nothing, remove_itself),
    Act("make a network", nothing, make_network),
    Act("remove a network", make_network, remove_network),
    Act("make a volume", nothing, make_volume),
    Act("remove a volume", make_volume, remove_volume),
    Act("replace a volume", make_volume, replace_volume),
    Act("prune volumes", make_volume, prune_volumes),
    Act("import an image", nothing, import_image),
    Act("remove an image", import_image, remove_image),
    Act("build", nothing, build),
)
__all__ = ("ACTS", "ANY", "Act", "Stage")
