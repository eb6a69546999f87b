"""The system parts, from the distribution's packages."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Sequence

from setup.problem import Problem
from setup.run import run, say, step

# Debian's redis-tools holds the server too (redis-server is a link to redis-check-rdb) and,
# unlike the package redis-server, starts no service beside ours.
# tini brings the static init that containers with "init: true" begin with.
RUN_PACKAGES = (
    "busybox-static",
    "ca-certificates",
    "conmon",
    "crun",
    "dnsmasq-base",
    "iproute2",
    "nftables",
    "python3-venv",
    "redis-tools",
    "tini",
)
TEST_PACKAGES = ("chromium", "curl", "openssl")
# Debian's packages make and start services of their own (a cluster, a registry), which is not
# ours to do on a person's machine; where they are missing, the tests on PostgreSQL and on
# registries are skipped with that reason. apache2-utils has htpasswd, for the registry's users.
CI_PACKAGES = ("apache2-utils", "docker-registry", "postgresql")


def test_packages() -> tuple[str, ...]:
    """Return what the tests need here: all on a machine that is only for tests (``CI=true``)."""
    extra = CI_PACKAGES if os.environ.get("CI") == "true" else ()
    return (*TEST_PACKAGES, *extra)


def install_packages(names: Sequence[str]) -> None:
    """Install what is missing of ``names``. Raises :class:`Problem`."""
    missing = [name for name in names if name not in _installed(names)]
    if not missing:
        return
    if shutil.which("apt-get") is None:
        raise Problem("There is no apt-get here.", f"Install these by hand: {' '.join(missing)}")
    with step(f"Installing system parts: {' '.join(missing)}"):
        _apt("update")
        _apt("install", "--yes", "--no-install-recommends", *missing)


def _installed(names: Sequence[str]) -> set[str]:
    """Ask dpkg-query(1) once; it exits with 1 when a name is unknown, which is fine."""
    found = subprocess.run(
        ["dpkg-query", "-W", "-f", "${Package} ${db:Status-Status}\n", *names],
        check=False,
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    ).stdout
    return {line.split()[0] for line in found.splitlines() if line.endswith(" installed")}


def _apt(*arguments: str) -> None:
    run(
        ["apt-get", "-q", "-o", "DPkg::Lock::Timeout=120", "-o", "Acquire::Retries=2", *arguments],
        env={"DEBIAN_FRONTEND": "noninteractive", "LC_ALL": "C.UTF-8"},
        failed=f"apt-get {arguments[0]} failed.",
        do="If the network or the package mirror is away, mend that and run it again.",
    )


def python() -> str:
    """Return the Python that the panel will run on: the distribution's, 3.11 or newer."""
    candidates = [os.environ.get("WEBPANEL_PYTHON"), "/usr/bin/python3", shutil.which("python3")]
    check = "import sys, venv, ensurepip; raise SystemExit(sys.version_info < (3, 11))"
    for candidate in filter(None, candidates):
        try:
            run([candidate, "-c", check])
        except Problem:
            continue
        return candidate
    say("    looked at: " + ", ".join(filter(None, candidates)))
    raise Problem(
        "No Python 3.11 or newer with venv was found.",
        "Use Debian 12 or newer, or name one: WEBPANEL_PYTHON=/path/to/python3 make up",
    )
