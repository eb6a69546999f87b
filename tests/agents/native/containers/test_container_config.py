"""The configuration that the OCI runtime is given; pure, so no root is needed."""

from pathlib import Path
from typing import Any

import msgspec
import pytest

from agents.engines.native.containers.conmon import conmon_argv
from agents.engines.native.containers.paths import ContainerPaths
from agents.engines.native.containers.process_plan import choose_command, merge_environment
from agents.engines.native.oci.config import make_config
from agents.engines.native.oci.mounts import INIT_TARGET
from agents.engines.native.oci.places import Places
from agents.engines.native.oci.process import ProcessPlan
from agents.engines.native.oci.types import Config, User, encode
from agents.engines.specs import ContainerSpec, Limits, MountSpec, UlimitSpec
from agents.errors import InvalidInputError

PLAN = ProcessPlan(args=("run",), env=("A=1",), cwd="/", user=User(uid=5, gid=6))


def config(
    volumes: dict[str, Path] | None = None, init: Path | None = None, **fields: Any
) -> Config:
    spec = ContainerSpec(name="c", image="i", **fields)
    own_network = spec.network_mode != "host"
    places = Places(
        rootfs=Path("/rootfs"),
        cgroup="/parent/c",
        shared=("user",) if own_network else ("user", "network"),
        files={"/etc/hosts": Path("/state/hosts")},
        volumes=volumes or {},
        init=init,
    )
    return make_config(spec, PLAN, places)


def kinds(made: Config) -> set[str]:
    return {one.type for one in made.linux.namespaces}


def test_it_is_written_in_the_words_of_the_specification() -> None:
    written = msgspec.json.decode(encode(config(hostname="box", read_only=True)))
    assert written["ociVersion"] == "1.0.2"
    assert written["hostname"] == "box"
    assert written["root"] == {"path": "/rootfs", "readonly": True}
    assert written["process"]["user"] == {"uid": 5, "gid": 6}
    assert written["linux"]["cgroupsPath"] == "/parent/c"


def test_a_container_has_namespaces_of_its_own() -> None:
    assert kinds(config()) == {"pid", "ipc", "uts", "mount", "cgroup", "network"}
    assert {one.path for one in config().linux.namespaces} == {""}


def test_the_hosts_network_is_no_namespace_and_no_setting() -> None:
    made = config(network_mode="host")
    assert "network" not in kinds(made)
    assert made.linux.sysctl == {}
    assert [one.type for one in made.mounts if one.destination == "/sys"] == ["bind"]


def test_the_runtime_writes_no_limit_as_the_engine_does() -> None:
    resources = config(limits=Limits(cpus=0.5, memory=8 << 20, pids=7)).linux.resources
    assert (resources.cpu, resources.memory, resources.pids) == (None, None, None)


def test_the_privileged_see_everything() -> None:
    made = config(privileged=True)
    assert (made.linux.masked_paths, made.linux.readonly_paths) == ((), ())
    assert "CAP_SYS_ADMIN" in made.process.capabilities.bounding
    assert "CAP_SYS_ADMIN" not in config().process.capabilities.bounding


def test_parents_are_mounted_before_what_is_in_them() -> None:
    wanted = tuple(MountSpec(kind="tmpfs", target=one) for one in ("/a/b/c", "/a", "/a/b"))
    targets = [one.destination for one in config(mounts=wanted).mounts]
    assert [one for one in targets if one.startswith("/a")] == ["/a", "/a/b", "/a/b/c"]


def test_a_mount_of_the_spec_replaces_ours_at_its_place() -> None:
    wanted = (
        MountSpec(kind="bind", source="/mine", target="/etc/hosts", read_only=True),
        MountSpec(kind="tmpfs", target="/dev/shm/", tmpfs_size=99),
    )
    found = [one for one in config(mounts=wanted).mounts if "hosts" in one.destination]
    assert [(one.source, one.options) for one in found] == [("/mine", ("rbind", "rprivate", "ro"))]
    shm = [one for one in config(mounts=wanted).mounts if "shm" in one.destination]
    assert ["size=99" in one.options for one in shm] == [True]


def test_a_volume_is_bound_from_its_folder() -> None:
    wanted = (MountSpec(kind="volume", source="v", target="/data"),)
    made = config(volumes={"/data": Path("/volumes/v")}, mounts=wanted)
    assert ("/volumes/v", "/data") in [(one.source, one.destination) for one in made.mounts]


def test_an_init_goes_before_the_command() -> None:
    made = config(init=Path("/usr/bin/tini-static"))
    assert made.process.args == (INIT_TARGET, "--", "run")


@pytest.mark.parametrize(
    "limit",
    [UlimitSpec(name="none", soft=1, hard=1), UlimitSpec(name="nofile", soft=2, hard=1)],
)
def test_a_senseless_ulimit_is_refused(limit: UlimitSpec) -> None:
    with pytest.raises(InvalidInputError):
        config(ulimits=(limit,))


@pytest.mark.parametrize(
    ("entrypoint", "command", "expected"),
    [
        (None, None, ("e", "c")),
        (None, ("x",), ("e", "x")),
        (("n",), None, ("n",)),
        (("n",), ("x",), ("n", "x")),
        ((), ("x",), ("x",)),
    ],
)
def test_a_spec_overrides_the_images_command(
    entrypoint: tuple[str, ...] | None, command: tuple[str, ...] | None, expected: tuple[str, ...]
) -> None:
    spec = ContainerSpec(name="c", image="i", entrypoint=entrypoint, command=command)
    assert choose_command(spec, ("e",), ("c",)) == expected


def test_a_container_without_any_command_is_refused() -> None:
    with pytest.raises(InvalidInputError, match="no program"):
        choose_command(ContainerSpec(name="c", image="i", entrypoint=()), ("e",), ("c",))


def test_the_specs_variables_come_last() -> None:
    spec = ContainerSpec(name="c", image="i", environment={"A": "spec", "HOME": "/spec"})
    lines = merge_environment(("A=image", "B=image"), spec, hostname="box", home="/root")
    assert {"A=spec", "B=image", "HOME=/spec", "HOSTNAME=box"} <= set(lines)
    assert len(lines) == len({line.partition("=")[0] for line in lines})


def test_conmon_is_told_where_everything_is() -> None:
    paths = ContainerPaths.of(Path("/root"), Path("/run"), "abc")
    argv = conmon_argv("abc", paths, Path("/run/runtime"), ("/bin/crun",))
    assert "--full-attach" in argv
    assert "--runtime-arg=--root=/run/runtime" in argv
    assert f"k8s-file:{paths.log}" in argv
