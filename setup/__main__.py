"""``python3 -m setup COMMAND``; the Makefile's targets are short for it."""

from __future__ import annotations

import inspect
import os
import sys
from collections.abc import Callable

from setup import commands, container
from setup.places import find_places
from setup.problem import Problem

COMMANDS = {
    "up": commands.up,
    "down": commands.down,
    "status": commands.status,
    "logs": commands.logs,
    "test": commands.test,
    "check": commands.check,
    "bench": commands.bench,
    "password": commands.password,
    "purge": commands.purge,
    "build": container.build,
    "prepare": container.prepare,
    "serve": container.serve,
}


def _takes(command: Callable[..., None], words: list[str]) -> bool:
    """Return whether these are as many words as the command wants."""
    try:
        inspect.signature(command).bind(None, *words)
    except TypeError:
        return False
    return True


def main(words: list[str]) -> int:
    """Run one command; return the exit code."""
    command: Callable[..., None] | None = COMMANDS.get(words[0]) if words else None
    if command is None or not _takes(command, words[1:]):
        print(f"Usage: python3 -m setup {'|'.join(COMMANDS)}", file=sys.stderr)
        return 2
    # What we make is not for others to write, nor hidden from the programs that read it.
    os.umask(0o022)
    try:
        command(find_places(), *words[1:])
    except Problem as problem:
        print(f"\n{problem.what} {problem.do}", file=sys.stderr)
        return 1
    except OSError as error:  # a full disk, a folder that cannot be written
        print(f"\n{error}. Mend that, then run it again.", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\nStopped. Run it again to go on from here.", file=sys.stderr)
        return 130
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
