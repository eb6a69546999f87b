"""Reading the small files of cgroups: a number, a table, nothing when they are not there."""

import errno
import os
from pathlib import Path

# v1 writes "no limit" as the greatest multiple of a page that a signed number can hold.
_UNLIMITED = 1 << 62
_MOST = 1 << 16

# ENODEV: the cgroup went away between open(2) and read(2). EOPNOTSUPP: pressure is
# switched off for it, or on the kernel's command line.
_ABSENT = (errno.ENOENT, errno.ESRCH, errno.ENODEV, errno.ENOTDIR, errno.EOPNOTSUPP)


def read_text(folder: Path | str | None, name: str) -> str:
    """Return what a file holds; "" if it is not there. Raises OSError for other reasons.

    Ten microseconds a file, half of what ``Path.read_text`` takes: statistics read many.
    """
    if folder is None:
        return ""
    try:
        fd = os.open(f"{folder}/{name}", os.O_RDONLY | os.O_CLOEXEC)
        try:
            return os.read(fd, _MOST).decode()
        finally:
            os.close(fd)
    except OSError as exc:
        if exc.errno in _ABSENT:
            return ""
        raise


def read_number(folder: Path | str | None, name: str) -> int | None:
    """Return the number in a file, None where it says "no limit" or is not there."""
    text = read_text(folder, name).strip()
    if not text.isdigit() or int(text) >= _UNLIMITED:
        return None
    return int(text)


def read_table(folder: Path | str | None, name: str) -> dict[str, int]:
    """Return a file of lines such as ``nr_periods 12``."""
    pairs = (line.split() for line in read_text(folder, name).splitlines())
    return {pair[0]: int(pair[1]) for pair in pairs if len(pair) == 2 and pair[1].isdigit()}
