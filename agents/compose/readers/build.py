"""``build`` of a service: a folder, or how to build from it."""

from agents.compose.cursor import Cursor
from agents.compose.errors import InvalidValueError
from agents.compose.model import Build
from agents.compose.readers.mounts import Paths
from agents.compose.readers.pairs import read_labels, read_variables
from agents.compose.readers.tables import BUILD

_REMOTE = ("http://", "https://", "git://", "git@", "ssh://", "github.com/")


def read_build(cursor: Cursor, paths: Paths) -> Build:
    """Read a context alone or the whole mapping."""
    if not cursor.is_mapping:
        return Build(context=_context(cursor, paths))
    fields = cursor.fields(BUILD)
    inline = fields.read("dockerfile_inline", Cursor.string, "")
    if inline and fields.get("dockerfile") is not None:
        raise InvalidValueError('Either "dockerfile" or "dockerfile_inline", not both')
    return Build(
        context=fields.read("context", lambda at: _context(at, paths), paths.resolve(".")),
        dockerfile="" if inline else fields.read("dockerfile", Cursor.word, "Dockerfile"),
        dockerfile_inline=inline,
        args=fields.read("args", read_variables, {}),
        target=fields.read("target", Cursor.word, ""),
        labels=fields.read("labels", read_labels, {}),
        no_cache=fields.read("no_cache", Cursor.boolean, False),
        pull=fields.read("pull", Cursor.boolean, False),
    )


def _context(cursor: Cursor, paths: Paths) -> str:
    text = cursor.word()
    if text.startswith(_REMOTE) or text.endswith(".git"):
        raise InvalidValueError(
            "A build from an address is not supported yet",
            expected="a folder of the project",
            code="unsupported",
        )
    return paths.resolve(text)
