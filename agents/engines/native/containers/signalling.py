"""Signals to processes that are known by a mark, so that no other one is ever hit."""

import os
from contextlib import suppress

from agents.engines.native.containers.records import ProcessMark
from agents.errors import NotFoundError
from agents.linux import process


def send(mark: ProcessMark | None, number: int) -> None:
    """Send a signal to a process, unless it has ended or is None."""
    if mark is None:
        return
    with suppress(NotFoundError):
        pidfd = process.open_pidfd(mark.pid)
        try:
            # Asked with the pidfd open, so the number cannot come to mean another.
            if mark.is_current():
                process.send_signal(pidfd, number)
        finally:
            os.close(pidfd)
