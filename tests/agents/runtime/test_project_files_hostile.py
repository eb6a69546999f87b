"""What containers may leave in a project's folder leads the agent nowhere else."""

import os
import threading
from pathlib import Path

import pytest

from agents.projects.files import ProjectFolder
from agents.protocol.records import ProjectFile

FILES = [ProjectFile(path="compose.yml", content="a"), ProjectFile(path="a/b/c", content="b")]


@pytest.fixture
def folder(tmp_path: Path) -> ProjectFolder:
    made = ProjectFolder(tmp_path / "root", "demo")
    made.apply(FILES)
    made.commit()
    return made


def in_time(act) -> None:
    """Fail when the act waits for something that never comes."""
    thread = threading.Thread(target=act, daemon=True)
    thread.start()
    thread.join(5)
    assert not thread.is_alive()


def test_a_fifo_in_a_file_s_place_is_replaced(folder: ProjectFolder):
    path = folder.path / "compose.yml"
    path.unlink()
    os.mkfifo(path)
    in_time(lambda: folder.apply(FILES, FILES))
    assert path.read_text() == "a"


def test_a_file_that_grew_without_end_is_not_read(folder: ProjectFolder):
    path = folder.path / "compose.yml"
    os.truncate(path, 1 << 40)
    in_time(lambda: folder.apply(FILES, FILES))
    folder.commit()
    assert path.read_text() == "a"


def test_removing_takes_no_folder_of_elsewhere(folder: ProjectFolder, tmp_path: Path):
    victim = tmp_path / "victim"
    (victim / "b").mkdir(parents=True)
    (folder.path / "a").rename(tmp_path / "aside")
    (folder.path / "a").symlink_to(victim)
    (victim / "b" / "c").write_text("precious")
    folder.remove(FILES)
    assert (victim / "b" / "c").read_text() == "precious"
    (victim / "b" / "c").unlink()
    folder.remove(FILES)
    assert (victim / "b").is_dir()


def test_removing_takes_its_own_empty_folders(folder: ProjectFolder):
    folder.remove(FILES)
    assert not folder.path.exists()
