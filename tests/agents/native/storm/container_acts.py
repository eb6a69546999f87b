"""Acts on containers in which engines are killed."""

import io
from collections.abc import Callable
from typing import Any

from agents.engines.specs import (
    EndpointSpec,
    ExecSpec,
    HealthcheckSpec,
    Limits,
    LogSpec,
    MountSpec,
    RestartPolicy,
    UpdateSpec,
    VolumeSpec,
)
from tests.agents.native.storm.acts import NETWORK, Act, Stage, in_turn, nothing, step
from tests.agents.native.storm.store_acts import fill, make_network
from tests.agents.native.storm.tale import GONE, STOPPED, THERE
from tests.contracts.volumes import tar_of
from tests.waiting import wait_until


def with_volumes(**fields: Any) -> dict[str, Any]:
    named = MountSpec(kind="volume", source="new", target="/etc")
    anonymous = MountSpec(kind="volume", target="/var")
    return {"mounts": (named, anonymous), **fields}


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


def on_two_networks(stage: Stage) -> None:
    make_network(stage)
    both = (EndpointSpec(network=NETWORK), EndpointSpec(network="new"))
    stage.create("one", endpoints=both)


def beside_a_network(stage: Stage) -> None:
    running(stage)
    make_network(stage)


def plug(stage: Stage) -> None:
    stage.engine.connect_network("one", EndpointSpec(network="new"))


def unplug(stage: Stage) -> None:
    stage.engine.disconnect_network("one", "new")


def restart(stage: Stage) -> None:
    stage.teller.touching("c:one")
    stage.engine.restart_container("one")
    stage.tell_running("one")


def pause(stage: Stage) -> None:
    stage.teller.touching("c:one")
    stage.engine.pause_container("one")


def unpause(stage: Stage) -> None:
    stage.engine.unpause_container("one")
    stage.tell_running("one")


def update(stage: Stage) -> None:
    stage.engine.update_container("one", UpdateSpec(limits=Limits(memory=64 << 20, pids=50)))


def execute(stage: Stage) -> None:
    with stage.engine.start_exec("one", ExecSpec(command=("true",))) as session:
        assert session.wait(timeout=20) == 0


def copy_in(stage: Stage) -> None:
    stage.engine.copy_to("one", "/", io.BytesIO(tar_of("copied")))


def copy_into_stopped(stage: Stage) -> None:
    stage.teller.touching("c:one")
    copy_in(stage)
    stage.teller.tell(expect={"c:one": STOPPED})


def commit(stage: Stage) -> None:
    stage.change("i:made:latest", THERE, lambda: stage.engine.commit_container("one", "made"))


def watch_health(stage: Stage) -> None:
    check = HealthcheckSpec(test=("CMD", "true"), interval=0.05, retries=1)
    stage.create("one", healthcheck=check)
    stage.start("one")
    wait_for(stage, lambda: stage.engine.find_container("one").health == "healthy")


def rotate_logs(stage: Stage) -> None:
    log = LogSpec(max_size=20_000, max_files=2)
    script = (
        "i=0; while [ $i -lt 3000 ]; do echo line $i of some length; i=$((i+1)); done; sleep 99"
    )
    stage.create("one", f"{script}; sleep 99", log=log)
    stage.start("one")
    wait_for(stage, lambda: len(stage.engine.read_logs("one", limit=10, newest=True)) == 10)


def wait_for(_: Stage, reached: Callable[[], bool]) -> None:
    wait_until(reached, "what the act is about", 10.0)


CONTAINER_ACTS = (
    Act("create", nothing, created),
    Act("start", created, step("start", "one")),
    Act("start again", stopped, step("start", "one")),
    Act("start with special mounts", special_mounts, step("start", "one")),
    Act("start on two networks", on_two_networks, step("start", "one")),
    Act("stop", running, step("stop", "one")),
    Act("restart", running, restart),
    Act("remove", stopped, step("remove", "one")),
    Act("remove by force", running, step("remove", "one", force=True)),
    Act("rename", running, rename),
    Act("end by itself", nothing, end_by_itself),
    Act("end again and again", nothing, end_again_and_again),
    Act("remove itself", nothing, remove_itself),
    Act("plug in", beside_a_network, plug),
    Act("unplug", in_turn(beside_a_network, plug), unplug),
    Act("pause", running, pause),
    Act("unpause", in_turn(running, pause), unpause),
    Act("update", running, update),
    Act("execute", running, execute),
    Act("copy in", running, copy_in),
    Act("copy into one that does not run", created, copy_into_stopped),
    Act("commit", running, commit),
    Act("watch health", nothing, watch_health),
    Act("rotate logs", nothing, rotate_logs),
)
