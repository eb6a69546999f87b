"""The files of a project as they travel between the browser, the database and a host,
and the rules for their paths and sizes.
"""

import posixpath
from collections.abc import Iterable

import msgspec

from agents.compose.errors import Problem
from agents.protocol.records import ProjectFile

MAX_FILES = 100
MAX_PATH = 200
MAX_FILE_BYTES = 1024 * 1024
MAX_TOTAL_BYTES = 4 * 1024 * 1024
# The names that compose looks for, first come first.
COMPOSE_NAMES = ("compose.yaml", "compose.yml", "docker-compose.yml", "docker-compose.yaml")

Files = tuple[ProjectFile, ...]


def encode_files(files: Files) -> str:
    """Return the files as the JSON that is kept in the database."""
    return msgspec.json.encode(files).decode()


def decode_files(text: str) -> Files:
    """Return the files kept by :func:`encode_files`."""
    return msgspec.json.decode(text, type=Files)


def tidy_files(files: Iterable[ProjectFile]) -> Files:
    """Return the files sorted (the compose file first), paths trimmed, lines ended by \\n.

    Browsers send text with CRLF; a shell script or a Dockerfile would not survive that.
    """
    tidied = [
        ProjectFile(
            path=posixpath.normpath(file.path.strip()) if file.path.strip() else "",
            content=file.content.replace("\r\n", "\n").replace("\r", "\n"),
            executable=file.executable,
        )
        for file in files
    ]
    return tuple(sorted(tidied, key=lambda file: (file.path not in COMPOSE_NAMES, file.path)))


def check_files(files: Files) -> tuple[Problem, ...]:
    """Return what is wrong with the set of files, whatever is in them."""
    problems = [problem for file in files for problem in _check_file(file)]
    problems.extend(_check_together(files))
    return tuple(problems)


def check_path(path: str) -> str:
    """Return why a file cannot have this path, or ""."""
    parts = path.split("/")
    if not path or any(part in ("", ".", "..") for part in parts):
        return "A path must be relative and stay inside the project's folder."
    if len(path) > MAX_PATH:
        return f"A path may have at most {MAX_PATH} characters."
    if "\\" in path or not path.isprintable():
        return "A path may not have backslashes or control characters."
    return ""


def _check_file(file: ProjectFile) -> list[Problem]:
    problems = []
    if reason := check_path(file.path):
        problems.append(Problem(file=file.path, message=reason, code="bad_path"))
    if len(file.content.encode()) > MAX_FILE_BYTES:
        text = f"The file is larger than {MAX_FILE_BYTES // 1024} KiB."
        problems.append(Problem(file=file.path, message=text, code="too_large"))
    if "\0" in file.content:
        text = "The file has zero bytes; only text files can be kept here."
        problems.append(Problem(file=file.path, message=text, code="not_text"))
    return problems


def _check_together(files: Files) -> list[Problem]:
    paths = [file.path for file in files]
    problems = [
        Problem(file=path, message="Two files have this path.", code="twice")
        for path in sorted({path for path in paths if paths.count(path) > 1})
    ]
    folders = {path[:index] for path in paths for index, mark in enumerate(path) if mark == "/"}
    text = "This is both a file and the folder of another file."
    problems += [
        Problem(file=path, message=text, code="file_and_folder")
        for path in sorted(folders.intersection(paths))
    ]
    if len(files) > MAX_FILES:
        text = f"A project may have at most {MAX_FILES} files."
        problems.append(Problem(message=text, code="too_many_files"))
    if sum(len(file.content.encode()) for file in files) > MAX_TOTAL_BYTES:
        text = f"All files together may have at most {MAX_TOTAL_BYTES // 1024} KiB."
        problems.append(Problem(message=text, code="too_large"))
    if not any(path in COMPOSE_NAMES for path in paths):
        hint = "Add a file named compose.yml."
        problems.append(Problem(message="There is no compose file.", code="missing", hint=hint))
    return problems
