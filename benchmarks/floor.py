"""What a container costs at the least: its own bundle, run by the bare runtime."""

import json
import secrets
import shutil
import time
from pathlib import Path

from agents.engines.native import runtime
from agents.engines.native.containers.paths import ContainerPaths
from agents.linux.cgroups import host_layout
from agents.linux.cgroups.moves import Readiness
from benchmarks.sides import Ours
from tests.native_engine import NativeHome

DEADLINE = 20.0
# Longer than a grace period of the kernel.
QUIET = 0.1


def bare_runs(home: NativeHome, ours: Ours, runs: int) -> tuple[list[float], list[float]]:
    """Run the bundle of a container of ours by the runtime alone; return milliseconds.

    The first ones are with a kernel that has been made ready to move processes between
    cgroups (agents/linux/cgroups/moves.py), the second ones as the runtime meets it.
    """
    # The first one teaches the engine what its system call filter compiles to.
    ours.remove(ours.begin())
    container = ours.begin()
    bundle = ContainerPaths.of(home.root, home.run, container).bundle
    copy = home.folder / "bundle"
    shutil.copytree(bundle, copy, ignore=lambda _, names: set(names) - {"config.json"})
    ready, cold = [], []
    for _ in range(runs):
        with Readiness(host_layout()).kept():
            time.sleep(QUIET)
            ready.append(_one(home, copy))
        time.sleep(QUIET)
        cold.append(_one(home, copy))
    ours.remove(container)
    return ready, cold


def _one(home: NativeHome, bundle: Path) -> float:
    state, name = home.folder / "crun", f"bare-{secrets.token_hex(4)}"
    config = json.loads((bundle / "config.json").read_text())
    parent = Path(config["linux"]["cgroupsPath"]).parent
    config["linux"]["cgroupsPath"] = str(parent / name)
    (bundle / "config.json").write_text(json.dumps(config))
    began = time.monotonic()
    # Not run(): the container would hold its pipes open.
    code = runtime.spawn(state, "run", "--detach", f"--bundle={bundle}", name).wait(DEADLINE)
    took = (time.monotonic() - began) * 1000
    runtime.run(state, "delete", "--force", name)
    assert code == 0, f"the runtime ended with {code}"
    return took
