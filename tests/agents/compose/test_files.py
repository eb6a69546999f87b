"""Reading a project's files from a folder, and never from elsewhere."""

import os
from pathlib import Path

import pytest

from agents.compose.errors import FileMissingError, FileReadError, FileRefusedError
from agents.compose.files import FolderFiles, MappingFiles


def test_a_file_of_the_folder_is_read(tmp_path: Path) -> None:
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub" / "a.env").write_text("A=1")
    assert FolderFiles(tmp_path).read("./sub/a.env") == "A=1"


@pytest.mark.parametrize("path", ["../secret", "/etc/passwd", "sub/../../secret", "link", "deep/x"])
def test_nothing_outside_the_folder_is_read(tmp_path: Path, path: str) -> None:
    (tmp_path / "secret").write_text("s")
    root = tmp_path / "project"
    root.mkdir()
    (root / "link").symlink_to(tmp_path / "secret")
    (root / "deep").symlink_to(tmp_path)
    with pytest.raises(FileReadError):
        FolderFiles(root).read(path)


def test_a_link_within_the_folder_is_followed(tmp_path: Path) -> None:
    (tmp_path / "real").write_text("x")
    (tmp_path / "link").symlink_to("real")
    assert FolderFiles(tmp_path).read("link") == "x"


def test_a_pipe_neither_blocks_nor_is_read(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(FileRefusedError, match="not a plain file"):
        FolderFiles(tmp_path).read("pipe")


def test_a_file_that_is_too_big_or_no_text_is_refused(tmp_path: Path) -> None:
    (tmp_path / "big").write_text("x" * 11)
    (tmp_path / "binary").write_bytes(b"\xff\xfe")
    files = FolderFiles(tmp_path, max_bytes=10)
    with pytest.raises(FileRefusedError, match="larger"):
        files.read("big")
    with pytest.raises(FileRefusedError, match="UTF-8"):
        files.read("binary")


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(FileMissingError, match="no.env is not there"):
        FolderFiles(tmp_path).read("no.env")


def test_a_mapping_is_read_by_normal_path() -> None:
    files = MappingFiles({"a/b.env": "x"})
    assert files.read("./a/../a/b.env") == "x"
    with pytest.raises(FileRefusedError):
        files.read("../a")
