"""The wheels that the panel serves to hosts: the agent's own, and those of all it needs."""

from __future__ import annotations

import hashlib
import platform
from pathlib import Path

from setup.places import CHECKOUT, Places
from setup.run import run, step
from setup.stamps import digest, once
from setup.tools import REGISTRY_ADVICE, tools_folder

# Those of Debian 12 and 13 and of Ubuntu 24.04; hosts need not be like the panel's machine.
PYTHONS = ("3.11", "3.12", "3.13")
PLATFORMS = ("manylinux2014", "manylinux_2_17", "manylinux_2_28")


def make_wheels(places: Places) -> None:
    """Put the wheels, and SHA256SUMS, where the panel serves them; only what is not there."""
    places.wheels.mkdir(parents=True, exist_ok=True)
    lock = [CHECKOUT / "pyproject.toml", CHECKOUT / "uv.lock"]
    needs = digest(lock, *PYTHONS)
    fetched = once(places.stamps / "fetched-wheels", needs, lambda: _fetch(places.wheels))
    own = digest([CHECKOUT / "agents", *lock])
    built = once(places.stamps / "wheels", own, lambda: _build(places.wheels))
    if fetched or built or not (places.wheels / "SHA256SUMS").exists():
        write_checksums(places.wheels)


def _build(folder: Path) -> None:
    with step("Making the agent's wheel"):
        for old in folder.glob("webpanel-*.whl"):
            old.unlink()
        run(
            [_uv(), "build", "--quiet", "--wheel", "--out-dir", str(folder)],
            cwd=CHECKOUT,
            failed="Building the agent's wheel failed.",
            do=REGISTRY_ADVICE,
        )


def _fetch(folder: Path) -> None:
    """Fetch what the lock file names; other versions must not be served beside them."""
    listing = folder / "requirements.txt"
    words = ["export", "--quiet", "--frozen", "--only-group", "agent", "--no-emit-project"]
    run([_uv(), *words, "--no-header", "--output-file", str(listing)], cwd=CHECKOUT)
    with step("Fetching what the agent needs"):
        for old in folder.glob("*.whl"):
            if not old.name.startswith("webpanel-"):
                old.unlink()
        for version in PYTHONS:
            run(
                [str(tools_folder() / "bin" / "python"), *pip_words(version, folder, listing)],
                failed=f"Fetching the agent's wheels for Python {version} failed.",
                do=REGISTRY_ADVICE,
            )


def pip_words(version: str, folder: Path, listing: Path) -> list[str]:
    """Return how pip fetches the wheels of one Python, for this machine's architecture."""
    words = ["-m", "pip", "download", "--quiet", "--disable-pip-version-check"]
    words += ["--only-binary=:all:", "--require-hashes", "--no-deps", "-d", str(folder)]
    words += ["--python-version", version, "--implementation", "cp"]
    words += [
        word for abi in (f"cp{version.replace('.', '')}", "abi3", "none") for word in ("--abi", abi)
    ]
    words += [word for name in PLATFORMS for word in ("--platform", f"{name}_{platform.machine()}")]
    return [*words, "-r", str(listing)]


def write_checksums(folder: Path) -> None:
    """Write SHA256SUMS in the form of sha256sum(1)."""
    wheels = sorted(folder.glob("*.whl"))
    lines = [f"{hashlib.sha256(wheel.read_bytes()).hexdigest()}  {wheel.name}" for wheel in wheels]
    (folder / "SHA256SUMS").write_text("\n".join(lines) + "\n")


def _uv() -> str:
    return str(tools_folder() / "bin" / "uv")
