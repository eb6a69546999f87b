"""Kernel settings below /proc/sys, as sysctl(8) names them but with slashes."""

from pathlib import Path

from agents.linux.failures import kernel_errors

ROOT = Path("/proc/sys")


def read_sysctl(name: str) -> str:
    """Return a setting of the calling thread's namespaces, such as ``net/ipv4/ip_forward``."""
    with kernel_errors("read the setting", ROOT / name):
        return (ROOT / name).read_text().strip()


def write_sysctl(name: str, value: str) -> None:
    """Change a setting. Raises KernelError, also where the kernel does not have it."""
    with kernel_errors("change the setting", ROOT / name):
        (ROOT / name).write_text(value)


def has_sysctl(name: str) -> bool:
    """Return whether this kernel has the setting."""
    return (ROOT / name).exists()


def list_sysctls(folder: str) -> tuple[str, ...]:
    """Return the names of settings or folders below a folder; none where it is not there."""
    path = ROOT / folder
    return tuple(sorted(one.name for one in path.iterdir())) if path.is_dir() else ()
