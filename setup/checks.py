"""What a machine must be, each with one sentence that says what to do."""

from __future__ import annotations

import os
import platform
import re
import socket
import sys
from pathlib import Path

from setup.problem import Problem
from setup.run import run

UNFIT_FILE_SYSTEMS = {"overlayfs", "nfs", "smb2", "cifs", "v9fs", "fuseblk", "vboxsf", "msdos"}
OLDEST_KERNEL = (5, 10)
OLDEST = {"debian": 12, "ubuntu": 24}
UNFIT = frozenset("%$\"'`\\;#:,")


def check_machine() -> None:
    """Check user, system, distribution and kernel. Raises :class:`Problem`."""
    check_root(os.geteuid())
    if platform.system() != "Linux":
        raise Problem("This is not Linux.", "Run it on a Debian 12 machine or a virtual one.")
    check_distribution(_read_release(Path("/etc/os-release")))
    check_kernel(platform.release())
    if sys.maxsize < 2**32:
        raise Problem("This is a 32-bit system.", "Use a 64-bit Debian.")


def check_root(uid: int) -> None:
    """Root makes mounts, namespaces and firewall rules."""
    if uid != 0:
        raise Problem("You are not root.", "Run it as root, for example: sudo make up")


def check_distribution(release: dict[str, str]) -> None:
    """Only what was tried is let through; a person may insist."""
    if os.environ.get("WEBPANEL_ANY_DISTRIBUTION") == "1":
        return
    name, version = release.get("ID", "unknown"), release.get("VERSION_ID", "0")
    oldest = OLDEST.get(name)
    if oldest is None or int(re.match(r"\d*", version).group() or 0) < oldest:  # type: ignore[union-attr]
        raise Problem(
            f"This is {release.get('PRETTY_NAME', name)}, which is not supported.",
            "Use Debian 12 or newer (or Ubuntu 24.04 or newer); to try anyway on a relative"
            " of Debian: WEBPANEL_ANY_DISTRIBUTION=1 make up",
        )


def _read_release(path: Path) -> dict[str, str]:
    """Read os-release(5)."""
    if not path.exists():
        return {}
    pairs = (line.split("=", 1) for line in path.read_text().splitlines() if "=" in line)
    return {key: value.strip().strip("\"'") for key, value in pairs}


def check_kernel(release: str) -> None:
    """Overlayfs, nftables NAT and cgroup v2 as we use them came with 5.10."""
    found = re.match(r"(\d+)\.(\d+)", release)
    version = (int(found.group(1)), int(found.group(2))) if found else (0, 0)
    if version < OLDEST_KERNEL:
        raise Problem(
            f"The kernel is {release}; 5.10 or newer is needed.",
            "Upgrade it (apt-get install linux-image-amd64) and restart the machine.",
        )


def check_path(path: Path, variable: str) -> None:
    """Check that supervisord, systemd, Redis and overlayfs can all write the path down."""
    unfit = sorted({letter for letter in str(path) if letter in UNFIT or not letter.isprintable()})
    if unfit:
        raise Problem(
            f"The path {str(path)!r} has {' '.join(map(ascii, unfit))} in it.",
            f"Use a folder without such characters (spaces are fine), see {variable}.",
        )


def check_file_system(path: Path) -> None:
    """Refuse a folder on which overlayfs cannot keep what containers write, see
    Documentation/filesystems/overlayfs.rst of the kernel. Raises :class:`Problem`.
    """
    there = next(folder for folder in (path, *path.parents) if folder.exists())
    kind = run(["stat", "--file-system", "--format", "%T", str(there)]).strip()
    if kind in UNFIT_FILE_SYSTEMS:
        raise Problem(
            f"{path} lies on a file system ({kind}) that cannot hold containers.",
            "Name a folder on ext4, XFS or btrfs: WEBPANEL_HOME=/folder make up",
        )


def check_port(address: str, port: int, what: str, variable: str) -> None:
    """Check that nobody listens on a port we are about to take. Raises :class:`Problem`."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((address, port))
        except OSError as error:
            raise Problem(
                f"Port {port}, for {what}, is taken by another program ({error.strerror}).",
                f"Stop that program, or choose another port: {variable}={port + 1000} make up",
            ) from error
