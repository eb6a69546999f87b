"""Containers of the first release, from before user namespaces, are taken up and cleared away."""

import errno
import json
from pathlib import Path

import pytest

from agents.engines.native.containers.paths import ContainerPaths
from agents.engines.native.engine import NativeEngine
from agents.engines.native.images.removal import remove_tree
from agents.engines.specs import SecuritySpec
from agents.linux import mounts, process
from tests.native_engine import NativeHome, run_here
from tests.waiting import wait_until

pytestmark = pytest.mark.root

MANIFEST = [
    "id",
    "name",
    "image",
    "image_id",
    "created_at",
    "asked",
    "spec",
    "command",
    "stop_signal",
    "volumes",
    "anonymous",
]
SPEC = [
    "name",
    "image",
    "command",
    "entrypoint",
    "environment",
    "working_dir",
    "user",
    "hostname",
    "labels",
    "endpoints",
    "network_mode",
    "ports",
    "mounts",
    "restart",
    "limits",
    "stop_signal",
    "stop_grace",
    "read_only",
    "privileged",
    "cap_add",
    "cap_drop",
    "extra_hosts",
    "dns",
    "sysctls",
    "ulimits",
    "init",
    "spec_json",
]


def run_formerly(home: NativeHome, script: str) -> ContainerPaths:
    """Leave a running container as the first release had it: its records, and its mount."""
    safety = SecuritySpec(user_namespace="host", seccomp="unconfined")
    with home.engine() as engine:
        container = run_here(engine, script, security=safety, stop_grace=0.0)
    paths = ContainerPaths.of(home.root, home.run, container.id)
    record = json.loads(paths.manifest.read_bytes())
    for name in ("asked", "spec"):
        record[name] = {key: record[name][key] for key in SPEC}
    paths.manifest.write_text(json.dumps({key: record[key] for key in MANIFEST}))
    former = paths.state / "rootfs"
    former.mkdir()
    process.run(("mount", "--bind", str(paths.rootfs), str(former)))
    mounts.unmount(paths.rootfs)
    remove_tree(paths.passage)
    return paths


def read(engine: NativeEngine, container_id: str) -> list[str]:
    return [line.text for line in engine.read_logs(container_id)]


def test_it_runs_on_restarts_and_goes_without_a_trace(home: NativeHome) -> None:
    paths = run_formerly(home, "echo x >>/kept; wc -l </kept; exec sleep 1000")
    with home.engine() as engine:
        (taken_up,) = engine.list_containers()
        assert (taken_up.state, taken_up.user_namespace) == ("running", "host")
        wait_until(lambda: read(engine, taken_up.id) == ["1"], "the first run to write")
        engine.restart_container(taken_up.id)
        wait_until(lambda: read(engine, taken_up.id) == ["1", "2"], "the second run to write")
        engine.stop_container(taken_up.id)
        assert not (paths.state / "rootfs").exists()
        engine.remove_container(taken_up.id)
    assert not paths.state.exists()


def test_one_that_never_starts_again_goes_without_a_trace(home: NativeHome) -> None:
    paths = run_formerly(home, "exec sleep 1000")
    with home.engine() as engine:
        engine.remove_container(paths.state.name, force=True)
    assert not paths.state.exists()


def test_a_folder_that_cannot_go_is_told(tmp_path: Path) -> None:
    mounted = tmp_path / "tree" / "mounted"
    mounted.mkdir(parents=True)
    mounts.mount_tmpfs(mounted, size=1 << 20)
    try:
        with pytest.raises(OSError, match="busy") as caught:
            remove_tree(tmp_path / "tree")
        assert caught.value.errno == errno.EBUSY
    finally:
        mounts.unmount(mounted)
    remove_tree(tmp_path / "tree")
    assert not (tmp_path / "tree").exists()
