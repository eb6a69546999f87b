"""What a service asks of the host, from its file to the engine's spec."""

from agents.compose.load import load
from agents.compose.model import Project
from agents.compose.plan import ContainerAction
from agents.engines.specs import ContainerSpec, DeviceSpec
from agents.projects.translate import container_spec

FILE = """
services:
  web:
    image: busybox
    security_opt: ["no-new-privileges:true", "seccomp=profile.json", "systempaths=unconfined"]
    userns_mode: host
    devices: [/dev/a, "/dev/b:/dev/c:r", {source: /dev/d, permissions: rw}]
    device_cgroup_rules: ["c 188:* rwm"]
    group_add: [video, "44"]
    pid: host
    ipc: shareable
    uts: host
    domainname: inside.example
    dns_search: a.example
    dns_opt: ["ndots:3"]
    shm_size: 128m
    oom_score_adj: 500
    tty: true
    stdin_open: true
    cpu_quota: 50000
    cpu_shares: 512
    cpuset: 0-1
    memswap_limit: -1
    mem_reservation: 64m
    blkio_config:
      weight: 300
      device_write_bps: [{path: /dev/a, rate: 12mb}]
    volumes:
      - {type: volume, source: kept, target: /v, volume: {subpath: inside, nocopy: true}}
      - {type: bind, source: /srv, target: /s, bind: {propagation: rslave}}
      - {type: tmpfs, target: /t, tmpfs: {mode: 0o1777}}
volumes: {kept: {}}
"""


def spec() -> ContainerSpec:
    project = loaded()
    action = ContainerAction(kind="create", service="web", number=1, name="web-1")
    return container_spec(project, action, "sha256:0")


def loaded() -> Project:
    return load({"compose.yaml": FILE, "profile.json": "{}"}, project_name="p")


def test_what_keeps_it_from_the_host_arrives() -> None:
    made = spec()
    assert made.security.no_new_privileges
    assert made.security.unmask
    assert made.security.seccomp == "{}"
    assert made.security.user_namespace == "host"
    assert (made.pid_mode, made.ipc_mode, made.uts_mode) == ("host", "shareable", "host")


def test_what_it_is_given_of_the_host_arrives() -> None:
    made = spec()
    assert made.devices == (
        DeviceSpec(source="/dev/a"),
        DeviceSpec(source="/dev/b", target="/dev/c", access="r"),
        DeviceSpec(source="/dev/d", access="rw"),
    )
    assert made.device_rules == ("c 188:* rwm",)
    assert made.groups == ("video", "44")


def test_how_it_asks_for_names_arrives() -> None:
    made = spec()
    assert (made.domainname, made.dns_search) == ("inside.example", ("a.example",))
    assert made.dns_options == ("ndots:3",)


def test_limits_arrive() -> None:
    limits = spec().limits
    assert (limits.cpus, limits.cpu_shares, limits.cpuset_cpus) == (0.5, 512, "0-1")
    assert (limits.memory_swap, limits.memory_reservation) == (-1, 64 << 20)
    assert (limits.blkio_weight, limits.write_bytes) == (300, {"/dev/a": 12 << 20})
    assert (spec().shm_size, spec().oom_score_adj) == (128 << 20, 500)


def test_options_of_mounts_arrive() -> None:
    volume, bind, tmpfs = spec().mounts
    assert (volume.subpath, volume.no_copy) == ("inside", True)
    assert bind.propagation == "rslave"
    assert tmpfs.tmpfs_mode == 0o1777


def test_a_terminal_arrives() -> None:
    assert (spec().tty, spec().open_stdin) == (True, True)
