"""``environment`` and ``env_file`` of a service, as one mapping."""

from agents.compose.cursor import Cursor, Fields
from agents.compose.dotenv import DotenvError, parse_dotenv, parse_raw_dotenv
from agents.compose.errors import FileMissingError, FileReadError, InvalidValueError, Problem
from agents.compose.files import FileReader
from agents.compose.readers.pairs import read_variables
from agents.compose.readers.tables import ENV_FILE


def read_environment(fields: Fields, files: FileReader) -> dict[str, str]:
    """Read both; later files win over earlier ones, and ``environment`` over all files."""
    values: dict[str, str] = {}
    for more in fields.read("env_file", _EnvFiles(files).read, ()):
        values.update(more)
    values.update(fields.read("environment", read_variables, {}))
    return values


class _EnvFiles:
    def __init__(self, files: FileReader) -> None:
        self._files = files

    def read(self, cursor: Cursor) -> tuple[dict[str, str], ...]:
        if cursor.is_list:
            return cursor.each(self._read_one)
        return (self._read_one(cursor),)

    def _read_one(self, cursor: Cursor) -> dict[str, str]:
        if not cursor.is_mapping:
            return self._load(cursor, cursor.word(), required=True, raw=False)
        fields = cursor.fields(ENV_FILE)
        path = fields.read("path", Cursor.word, "")
        if not path:
            raise InvalidValueError('"path" is missing')
        form = fields.read("format", Cursor.word, "")
        if form not in ("", "raw"):
            raise InvalidValueError(f'The format "{form}" is not known', expected="raw")
        required = fields.read("required", Cursor.boolean, True)
        return self._load(cursor, path, required=required, raw=form == "raw")

    def _load(self, cursor: Cursor, path: str, *, required: bool, raw: bool) -> dict[str, str]:
        cursor.scope.spend("env_file", 1)
        try:
            text = self._files.read(path)
        except FileMissingError as exc:
            if not required:
                return {}
            raise InvalidValueError(exc.message, hint=exc.hint, code=exc.code) from exc
        except FileReadError as exc:
            raise InvalidValueError(exc.message, hint=exc.hint, code=exc.code) from exc
        return self._parse(cursor, path, text, raw=raw)

    def _parse(self, cursor: Cursor, path: str, text: str, *, raw: bool) -> dict[str, str]:
        try:
            return parse_raw_dotenv(text) if raw else parse_dotenv(text, cursor.scope.variables.get)
        except DotenvError as exc:
            cursor.scope.report.add(dotenv_problem(exc, path))
            return {}


def dotenv_problem(exc: DotenvError, path: str) -> Problem:
    """Return what is wrong with a line of a file of variables."""
    return Problem(message=exc.message, file=path, line=exc.line, code="dotenv", hint=exc.hint)
