"""The project's folder: all files or none, and never a step outside."""

import os
from pathlib import Path

import pytest

from agents.errors import InvalidInputError, PathEscapeError
from agents.projects.files import ProjectFolder
from agents.protocol.records import ProjectFile


@pytest.fixture
def folder(tmp_path: Path) -> ProjectFolder:
    return ProjectFolder(tmp_path, "demo")


def file(path: str, content: str = "x", **changes) -> ProjectFile:
    return ProjectFile(path=path, content=content, **changes)


def content(folder: ProjectFolder) -> dict[str, str]:
    paths = (path for path in folder.path.rglob("*") if path.is_file())
    return {str(path.relative_to(folder.path)): path.read_text() for path in paths}


def test_it_writes_files_in_folders(folder: ProjectFolder):
    folder.apply([file("compose.yml", "a"), file("app/run.sh", "b", executable=True)])
    folder.commit()
    assert content(folder) == {"compose.yml": "a", "app/run.sh": "b"}
    assert os.access(folder.path / "app/run.sh", os.X_OK)


def test_files_of_the_version_before_go_and_others_stay(folder: ProjectFolder):
    old = [file("compose.yml"), file("gone.txt")]
    folder.apply(old)
    folder.commit()
    (folder.path / "data.db").write_text("precious")
    folder.apply([file("compose.yml", "new")], old)
    folder.commit()
    assert content(folder) == {"compose.yml": "new", "data.db": "precious"}


def test_roll_back_gives_everything_back(folder: ProjectFolder):
    old = [file("compose.yml", "old"), file("kept.txt", "kept")]
    folder.apply(old)
    folder.commit()
    folder.apply([file("compose.yml", "new"), file("added.txt")], old)
    folder.roll_back()
    assert content(folder) == {"compose.yml": "old", "kept.txt": "kept"}


def test_a_death_between_apply_and_commit_is_mended_by_the_next_one(
    folder: ProjectFolder, tmp_path: Path
):
    old = [file("compose.yml", "old")]
    folder.apply(old)
    folder.commit()
    folder.apply([file("compose.yml", "new")], old)
    again = ProjectFolder(tmp_path, "demo")
    again.apply([file("compose.yml", "newest")], old)
    again.roll_back()
    assert content(again) == {"compose.yml": "old"}


def test_an_unchanged_file_is_not_written_again(folder: ProjectFolder):
    folder.apply([file("compose.yml")])
    folder.commit()
    before = (folder.path / "compose.yml").stat().st_ino
    folder.apply([file("compose.yml")], [file("compose.yml")])
    folder.commit()
    assert (folder.path / "compose.yml").stat().st_ino == before


@pytest.mark.parametrize(
    "path", ["/etc/passwd", "../x", "a/../../x", "a/./b", "", "a//b", "..", "a/..", "a/"]
)
def test_a_path_that_leaves_the_folder_is_refused(folder: ProjectFolder, path: str):
    with pytest.raises(PathEscapeError):
        folder.apply([file(path)])


@pytest.mark.parametrize("path", ["a\0b", "x.webpanel-new"])
def test_an_unfit_name_is_refused(folder: ProjectFolder, path: str):
    with pytest.raises(InvalidInputError):
        folder.apply([file(path)])


@pytest.mark.parametrize("name", ["..", ".", "", "a/b", "/etc"])
def test_a_project_cannot_be_called_so(tmp_path: Path, name: str):
    with pytest.raises(PathEscapeError):
        ProjectFolder(tmp_path, name)


def test_a_link_that_a_container_made_leads_nowhere(folder: ProjectFolder, tmp_path: Path):
    folder.apply([file("compose.yml")])
    folder.commit()
    outside = tmp_path / "outside"
    outside.mkdir()
    (folder.path / "data").symlink_to(outside)
    with pytest.raises(PathEscapeError):
        folder.apply([file("data/evil")])
    assert list(outside.iterdir()) == []


def test_a_file_that_is_a_link_is_replaced_not_followed(folder: ProjectFolder, tmp_path: Path):
    folder.path.mkdir(parents=True)
    target = tmp_path / "target"
    target.write_text("mine")
    (folder.path / "compose.yml").symlink_to(target)
    folder.apply([file("compose.yml", "new")])
    folder.commit()
    assert target.read_text() == "mine"
    assert (folder.path / "compose.yml").read_text() == "new"


def test_removing_takes_the_files_and_the_empty_folders(folder: ProjectFolder):
    files = [file("compose.yml"), file("app/a/b.txt")]
    folder.apply(files)
    folder.commit()
    folder.remove(files)
    folder.remove(files)
    assert not folder.path.exists()
