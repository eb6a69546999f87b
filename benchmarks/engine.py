"""The native engine beside the bare runtime that it stands on."""

import json
import secrets
import shutil
import tempfile
import time
from pathlib import Path

from agents.engines.native.containers.paths import ContainerPaths
from agents.engines.native.engine import NativeEngine
from agents.engines.native.runtime import runtime_argv
from agents.engines.specs import ContainerSpec, EndpointSpec, NetworkSpec, PortSpec
from agents.linux import process
from agents.protocol.records import ContainerRecord
from benchmarks.figures import Figure, measured
from tests.native_engine import NativeHome, native_home

RUNS = 15
DEADLINE = 20.0
NETWORK = "bench"
SLEEP = ("sleep", "1000")


def measure() -> list[Figure]:
    """Create and start containers with a published port, each alone."""
    folder = Path(tempfile.mkdtemp(prefix="webpanel-bench-", dir="/var/tmp"))
    folder.chmod(0o711)
    try:
        with native_home(folder) as home, home.engine() as engine:
            engine.create_network(NetworkSpec(name=NETWORK))
            ours = [_one(engine) for _ in range(RUNS)]
            floor = sorted(_bare(home, engine))[RUNS // 2]
    finally:
        shutil.rmtree(folder)
    name = "create and start a container with a published port"
    return [measured(name, "ms", ours, floor=floor)]


def _start(engine: NativeEngine) -> ContainerRecord:
    spec = ContainerSpec(
        name=f"bench-{secrets.token_hex(4)}",
        image="busybox",
        command=SLEEP,
        endpoints=(EndpointSpec(network=NETWORK),),
        ports=(PortSpec(container_port=80),),
    )
    return engine.start_container(engine.create_container(spec).id)


def _one(engine: NativeEngine) -> float:
    began = time.monotonic()
    container = _start(engine)
    took = (time.monotonic() - began) * 1000
    engine.remove_container(container.id, force=True)
    return took


def _bare(home: NativeHome, engine: NativeEngine) -> list[float]:
    """Run the bundle of a container of ours by the runtime alone, in milliseconds."""
    container = _start(engine)
    bundle = ContainerPaths.of(home.root, home.run, container.id).bundle
    copy = home.folder / "bundle"
    shutil.copytree(bundle, copy, ignore=lambda _, names: set(names) - {"config.json"})
    taken = [_bare_one(home, copy) for _ in range(RUNS)]
    engine.remove_container(container.id, force=True)
    return taken


def _bare_one(home: NativeHome, bundle: Path) -> float:
    state, name = home.folder / "crun", f"bare-{secrets.token_hex(4)}"
    config = json.loads((bundle / "config.json").read_text())
    parent = Path(config["linux"]["cgroupsPath"]).parent
    config["linux"]["cgroupsPath"] = str(parent / name)
    (bundle / "config.json").write_text(json.dumps(config))
    argv = runtime_argv(state, "run", "--detach", f"--bundle={bundle}", name)
    began = time.monotonic()
    # Not run(): the container would hold its pipes open.
    code = process.spawn(argv).wait(DEADLINE)
    took = (time.monotonic() - began) * 1000
    process.run(runtime_argv(state, "delete", "--force", name))
    assert code == 0, f"the runtime ended with {code}"
    return took
