"""Paths and sizes of a project's files."""

import pytest

from agents.protocol.records import ProjectFile
from apps.projects.files import check_files, check_path, decode_files, encode_files, tidy_files

COMPOSE = ProjectFile(path="compose.yml", content="services: {}\n")


@pytest.mark.parametrize("path", ["compose.yml", "web/Dockerfile", "a b/c.txt", ".env", "ä.txt"])
def test_an_ordinary_path_is_taken(path):
    assert check_path(path) == ""


@pytest.mark.parametrize(
    "path",
    ["", "/etc/passwd", "../up", "a/../../b", "a//b", ".", "a/.", "a\\b", "a\nb", "x" * 201],
)
def test_a_path_that_leaves_the_folder_or_confuses_is_refused(path):
    assert check_path(path)


def test_line_ends_of_browsers_are_mended():
    file = ProjectFile(path="run.sh", content="#!/bin/sh\r\necho a\r\n")
    assert tidy_files([file])[0].content == "#!/bin/sh\necho a\n"


def test_the_compose_file_comes_first():
    files = tidy_files([ProjectFile(path="Dockerfile", content=""), COMPOSE])
    assert [file.path for file in files] == ["compose.yml", "Dockerfile"]


def test_a_dotted_path_is_made_plain_but_never_climbs():
    files = tidy_files([ProjectFile(path="./web/../Dockerfile", content="")])
    assert files[0].path == "Dockerfile"
    assert check_files(tidy_files([COMPOSE, ProjectFile(path="../x", content="")]))


def test_files_survive_the_database():
    files = (COMPOSE, ProjectFile(path="run.sh", content="é", executable=True))
    assert decode_files(encode_files(files)) == files


@pytest.mark.parametrize(
    ("files", "code"),
    [
        ((), "missing"),
        ((COMPOSE, COMPOSE), "twice"),
        (
            (COMPOSE, ProjectFile(path="a", content=""), ProjectFile(path="a/b", content="")),
            "file_and_folder",
        ),
        ((COMPOSE, ProjectFile(path="big", content="x" * 1_100_000)), "too_large"),
        ((COMPOSE, ProjectFile(path="nul", content="\0")), "not_text"),
        (
            (COMPOSE, *(ProjectFile(path=f"f{n}", content="") for n in range(100))),
            "too_many_files",
        ),
    ],
)
def test_a_bad_set_of_files_is_refused(files, code):
    assert code in [problem.code for problem in check_files(files)]


def test_a_good_set_has_no_problems():
    assert check_files((COMPOSE, ProjectFile(path="web/Dockerfile", content="FROM x"))) == ()
