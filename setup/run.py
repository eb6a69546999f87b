"""Running programs and saying what happens, for the set-up."""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from setup.problem import Problem

# In the words of the kernel and of SQLite.
DISK_FULL = ("No space left on device", "database or disk is full", "Disk quota exceeded")


def say(text: str) -> None:
    """Print one line at once, also into a pipe."""
    print(text, flush=True)


@contextmanager
def step(title: str) -> Iterator[None]:
    """Say what begins, and how long it took."""
    say(f"==> {title}")
    began = time.monotonic()
    yield
    took = time.monotonic() - began
    if took > 1:
        say(f"    done in {took:.1f} s")


def run(
    argv: Sequence[str],
    *,
    failed: str = "",
    do: str = "",
    env: Mapping[str, str] | None = None,
    cwd: Path | None = None,
    timeout: float | None = 1800,
) -> str:
    """Run a program and return its standard output.

    Raises :class:`Problem` with ``failed``, the end of what the program said, and ``do``.
    """
    try:
        done = subprocess.run(
            list(argv),
            env=_environment(env),
            cwd=cwd,
            timeout=timeout,
            text=True,
            capture_output=True,
            stdin=subprocess.DEVNULL,
            check=False,
        )
    except FileNotFoundError as error:
        raise Problem(f"The program {argv[0]} is not here.", do or "Install it.") from error
    except subprocess.TimeoutExpired as error:
        raise Problem(f"{shlex.join(argv)} did not end in {timeout:.0f} s.", do) from error
    if done.returncode != 0:
        _raise_if_offline(done.stderr + done.stdout)
        said = done.stderr.strip() or done.stdout.strip()
        what = failed or shlex.join(argv) + " failed."
        if any(words in said for words in DISK_FULL):
            raise Problem(f"{what} The disk is full.", "Free some space, then run it again.")
        raise Problem(f"{what}\n{said[-1500:]}\n", do or "See above.")
    return done.stdout


# What apt, pip, uv and npm say when they reach nobody.
OFFLINE = (
    "Temporary failure resolving",
    "Could not resolve",
    "Network is unreachable",
    "No route to host",
    "Failed to establish a new connection",
    "Temporary failure in name resolution",
    "dns error",
    "error trying to connect",
    "EAI_AGAIN",
    "ENOTFOUND",
    "ECONNREFUSED",
    "ENETUNREACH",
)


def _raise_if_offline(said: str) -> None:
    """Tell a machine without a network in one sentence, whichever program found out."""
    for sign in OFFLINE:
        if sign in said:
            raise Problem(
                f"The package registries cannot be reached ({sign.lower()}).",
                "Check this machine's network, name resolution and proxy, then run the same"
                " command again; what is done already is kept.",
            )


def succeeds(argv: Sequence[str], *, timeout: float = 60) -> bool:
    """Tell whether a program ends with 0; its output is thrown away."""
    try:
        done = subprocess.run(
            list(argv),
            timeout=timeout,
            stdin=subprocess.DEVNULL,
            check=False,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
    except (FileNotFoundError, subprocess.TimeoutExpired):
        return False
    return done.returncode == 0


def show(
    argv: Sequence[str], *, env: Mapping[str, str] | None = None, cwd: Path | None = None
) -> int:
    """Run a program with its output on ours and return its exit code."""
    sys.stdout.flush()
    return subprocess.run(list(argv), env=_environment(env), cwd=cwd, check=False).returncode


def _environment(extra: Mapping[str, str] | None) -> dict[str, str]:
    """Return our environment with ``extra``; another project's venv must not leak in."""
    environment = {**os.environ, **(extra or {})}
    environment.pop("VIRTUAL_ENV", None)
    environment.pop("PYTHONHOME", None)
    return environment
