"""A small init for containers that ask for one: reaps orphans, hands signals on."""

import shutil
from pathlib import Path

from agents.errors import NotSupportedError

# Static programs only: they run on the image's files, whatever libraries are there.
_PROGRAMS = ("tini-static", "catatonit")


def init_program() -> Path:
    """Return the init program of this host.

    Raises:
        NotSupportedError: none is installed.
    """
    for name in _PROGRAMS:
        found = shutil.which(name)
        if found:
            return Path(found)
    raise NotSupportedError(
        "no init for containers is installed", hint="Install the package tini.", field="init"
    )
