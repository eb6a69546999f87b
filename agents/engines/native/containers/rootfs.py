"""Paths inside a container's file system, as a process in there would find them."""

from pathlib import Path

from agents.errors import InvalidInputError

_MOST_LINKS = 40


def resolve_inside(root: Path, path: str) -> Path:
    """Return where ``path`` of a container is on the host; links lead nowhere outside.

    The last part need not exist. Only for a tree in which nothing else is at work, as a
    link could be changed between this and the use of what it returns.

    Raises:
        InvalidInputError: links go round in a circle.
    """
    todo = [part for part in reversed(path.split("/")) if part not in ("", ".")]
    inside: list[str] = []
    links = 0
    while todo:
        part = todo.pop()
        if part == "..":
            del inside[-1:]
            continue
        here = root.joinpath(*inside, part)
        if not here.is_symlink():
            inside.append(part)
            continue
        links += 1
        if links > _MOST_LINKS:
            raise InvalidInputError(f"too many links on the way to {path}")
        target = str(here.readlink())
        if target.startswith("/"):
            inside.clear()
        todo.extend(one for one in reversed(target.split("/")) if one not in ("", "."))
    return root.joinpath(*inside)


def read_inside(root: Path, path: str, limit: int = 1_000_000) -> str:
    """Return the text of a file of a container, "" when there is none; at most ``limit`` bytes."""
    found = resolve_inside(root, path)
    if not found.is_file():
        return ""
    with found.open("rb") as file:
        return file.read(limit).decode(errors="replace")
