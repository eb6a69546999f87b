"""Projects to begin with: the folders in ``apps/projects/examples``."""

from dataclasses import dataclass
from pathlib import Path

from agents.protocol.records import ProjectFile
from apps.projects.files import Files, tidy_files

_FOLDER = Path(__file__).parent / "examples"


@dataclass(frozen=True, kw_only=True)
class Starter:
    """A named set of files."""

    name: str
    title: str
    text: str

    @property
    def files(self) -> Files:
        """Its files, read from disk."""
        return read_folder(_FOLDER / self.name)


STARTERS = (
    Starter(name="blank", title="A single service", text="One container from an image."),
    Starter(
        name="built", title="Built from a Dockerfile", text="A web server with its own Dockerfile."
    ),
    Starter(name="pair", title="Two services", text="A server and a client that finds it by name."),
)


def starter_choices() -> list[tuple[str, str]]:
    """Return the starters as a form's choices."""
    return [(starter.name, f"{starter.title}: {starter.text}") for starter in STARTERS]


def find_starter(name: str) -> Starter:
    """Return the starter of this name, or the first."""
    return next((starter for starter in STARTERS if starter.name == name), STARTERS[0])


def read_folder(folder: Path) -> Files:
    """Return all files below a folder as a project's."""
    paths = sorted(path for path in folder.rglob("*") if path.is_file())
    return tidy_files(
        ProjectFile(
            path=path.relative_to(folder).as_posix(),
            content=path.read_text(),
            executable=bool(path.stat().st_mode & 0o100),
        )
        for path in paths
    )
