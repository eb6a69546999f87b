"""What every container has: the file systems, devices and hidden paths that programs expect."""

from agents.engines.native.oci.types import DeviceRule, Mount

SHM_SIZE = 64 << 20
TERM = "xterm"
PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

MOUNTS = (
    Mount(destination="/proc", type="proc", source="proc", options=("nosuid", "noexec", "nodev")),
    Mount(
        destination="/dev",
        type="tmpfs",
        source="tmpfs",
        options=("nosuid", "strictatime", "mode=755", "size=65536k"),
    ),
    Mount(
        destination="/dev/pts",
        type="devpts",
        source="devpts",
        options=("nosuid", "noexec", "newinstance", "ptmxmode=0666", "mode=0620", "gid=5"),
    ),
    Mount(
        destination="/dev/mqueue",
        type="mqueue",
        source="mqueue",
        options=("nosuid", "noexec", "nodev"),
    ),
)

MASKED_PATHS = (
    "/proc/acpi",
    "/proc/asound",
    "/proc/interrupts",
    "/proc/kcore",
    "/proc/keys",
    "/proc/latency_stats",
    "/proc/timer_list",
    "/proc/timer_stats",
    "/proc/sched_debug",
    "/proc/scsi",
    "/sys/devices/virtual/powercap",
    "/sys/firmware",
)

READONLY_PATHS = (
    "/proc/bus",
    "/proc/fs",
    "/proc/irq",
    "/proc/sys",
    "/proc/sysrq-trigger",
)


def _character(major: int, minor: int | None) -> DeviceRule:
    return DeviceRule(allow=True, type="c", major=major, minor=minor, access="rwm")


# Nodes may be made, but only the harmless ones opened: null, zero, full, random, urandom,
# tty, console, ptmx and the pseudo-terminals. Numbers are of Documentation/admin-guide/devices.txt.
DEVICES = (
    DeviceRule(allow=False, access="rwm"),
    DeviceRule(allow=True, type="c", access="m"),
    DeviceRule(allow=True, type="b", access="m"),
    *(_character(1, minor) for minor in (3, 5, 7, 8, 9)),
    *(_character(5, minor) for minor in (0, 1, 2)),
    _character(136, None),
)
ALL_DEVICES = (DeviceRule(allow=True, access="rwm"),)


def shm_mount(size: int | None) -> Mount:
    """Return /dev/shm of ``size`` bytes, by default as large as Docker makes it."""
    return Mount(
        destination="/dev/shm",  # noqa: S108 - a mount target in the container, no file of ours
        type="tmpfs",
        source="shm",
        options=("nosuid", "noexec", "nodev", "mode=1777", f"size={size or SHM_SIZE}"),
    )


def network_sysctls(*, own_users: bool) -> dict[str, str]:
    """Return the settings of a container's own network; groups end with its range of ids."""
    last = 65_535 if own_users else 2_147_483_647
    return {
        "net.ipv4.ip_unprivileged_port_start": "0",
        "net.ipv4.ping_group_range": f"0 {last}",
    }


def system_mounts(*, own_network: bool, privileged: bool) -> tuple[Mount, ...]:
    """Return /sys and /sys/fs/cgroup, writable only for the privileged.

    sysfs shows the network namespace that mounts it, so with the host's network the host's
    own is bound instead.
    """
    mode = "rw" if privileged else "ro"
    options = ("nosuid", "noexec", "nodev", mode)
    if own_network:
        sys = Mount(destination="/sys", type="sysfs", source="sysfs", options=options)
    else:
        sys = Mount(
            destination="/sys", type="bind", source="/sys", options=("rbind", "rprivate", *options)
        )
    cgroup = Mount(
        destination="/sys/fs/cgroup",
        type="cgroup",
        source="cgroup",
        options=("nosuid", "noexec", "nodev", "relatime", mode),
    )
    return (sys, cgroup)
