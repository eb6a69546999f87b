"""Finds paths inside a root file system that is not the agent's own.

Links are followed as a process inside would see them: an absolute one starts at ``root``,
and ``..`` stops there. The tree must not change meanwhile.
"""

import errno
from pathlib import Path

from agents.errors import InvalidInputError

_MOST_LINKS = 40


def resolve(root: Path, path: str, *, follow_last: bool = True) -> Path:
    """Return where ``path`` of the tree at ``root`` is on the host; it may not exist.

    The last component stays a link unless ``follow_last``.

    Raises:
        InvalidInputError: the links go round in circles.
    """
    todo = _components(path)[::-1]
    done: list[str] = []
    links = 0
    while todo:
        part = todo.pop()
        if part == "..":
            done = done[:-1]
            continue
        target = _link(root.joinpath(*done, part)) if todo or follow_last else None
        if target is None:
            done.append(part)
            continue
        links += 1
        if links > _MOST_LINKS:
            raise InvalidInputError(f"Too many symbolic links in {path!r}.")
        if target.startswith("/"):
            done = []
        todo.extend(_components(target)[::-1])
    return root.joinpath(*done)


def _components(path: str) -> list[str]:
    return [part for part in path.split("/") if part not in ("", ".")]


def _link(path: Path) -> str | None:
    try:
        return str(path.readlink())
    except OSError as exc:
        if exc.errno in (errno.EINVAL, errno.ENOENT, errno.ENOTDIR):
            return None
        raise
