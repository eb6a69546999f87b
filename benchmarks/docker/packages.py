"""Docker Engine's programs, unpacked from Debian's packages into a folder; nothing is installed."""

import os
import shutil
from pathlib import Path

from agents.errors import AgentError, NotSupportedError
from agents.linux import process

FOLDER = Path(__file__).resolve().parents[2] / "build" / "docker"
# The engine of the figures that we compare with is trixie's. What touches the kernel and the
# C library closely is taken from the release that runs here.
SUITE = "trixie"
NEWER = ("docker.io", "docker-cli", "containerd")
OWN = ("tini", "runc", "iptables", "libip4tc2", "libip6tc2", "libxtables12")
KEYS = Path("/usr/share/keyrings/debian-archive-keyring.gpg")
SOURCE = f"deb [signed-by={KEYS}] http://deb.debian.org/debian {SUITE} main\n"
DOWNLOAD_SECONDS = 300.0


def unpack(folder: Path = FOLDER) -> Path:
    """Return a folder with ``usr/bin/dockerd`` and what it needs, fetched at the first call.

    Blocks for some seconds then. Raises ``NotSupportedError`` where apt cannot fetch it.
    """
    root = folder / "root"
    if (folder / "done").exists():
        return root
    shutil.rmtree(folder, ignore_errors=True)
    try:
        for deb in (*_download(folder / "newer", NEWER, _apt(folder)), *_own(folder)):
            process.run(("dpkg", "-x", str(deb), str(root)))
    except AgentError as exc:
        raise NotSupportedError(f"Docker's packages cannot be fetched: {exc.message}") from exc
    for name in ("iptables", "ip6tables"):
        # Debian's alternatives would do it when the package is installed.
        (root / "usr/sbin" / name).symlink_to("xtables-nft-multi")
    (folder / "done").touch()
    return root


def environment(root: Path) -> dict[str, str]:
    """Return the environment in which the unpacked programs find each other."""
    libraries = root / "usr/lib/x86_64-linux-gnu"
    return {
        "PATH": f"{root}/usr/sbin:{root}/usr/bin:{os.environ['PATH']}",
        "LD_LIBRARY_PATH": str(libraries),
        "XTABLES_LIBDIR": str(libraries / "xtables"),
    }


def _own(folder: Path) -> list[Path]:
    return _download(folder / "own", OWN, {})


def _download(folder: Path, names: tuple[str, ...], more: dict[str, str]) -> list[Path]:
    folder.mkdir(parents=True)
    argv = ("apt-get", "-q", "download", *names)
    process.run(argv, cwd=folder, env={**os.environ, **more}, timeout=DOWNLOAD_SECONDS)
    return sorted(folder.glob("*.deb"))


def _apt(folder: Path) -> dict[str, str]:
    """Make an apt of its own that knows the other release; return how to call it."""
    for name in ("state/lists/partial", "cache/archives/partial"):
        (folder / "apt" / name).mkdir(parents=True)
    (folder / "apt/sources.list").write_text(SOURCE)
    configuration = folder / "apt/apt.conf"
    configuration.write_text(
        f'Dir::Etc::sourcelist "{folder}/apt/sources.list";\n'
        'Dir::Etc::sourceparts "-";\n'
        f'Dir::State "{folder}/apt/state";\n'
        f'Dir::Cache "{folder}/apt/cache";\n'
        'Dir::State::status "/var/lib/dpkg/status";\n'
        'APT::Sandbox::User "root";\n'
    )
    environment = {"APT_CONFIG": str(configuration)}
    argv = ("apt-get", "-q", "update")
    process.run(argv, env={**os.environ, **environment}, timeout=DOWNLOAD_SECONDS)
    return environment
