"""The files and variables of a project as the editor's page shows them."""

from dataclasses import dataclass

from apps.core.components import Tab
from apps.projects.actions import FilesAndVariables
from apps.projects.variables import Variable, looks_secret

# Empty rows offered for new variables.
_SPARE_ROWS = 2


@dataclass(frozen=True, kw_only=True)
class EditedFile:
    """One file in its own tab; ``panel`` is the id of the tab's panel."""

    index: int
    panel: str
    path: str
    content: str
    active: bool
    is_compose: bool


@dataclass(frozen=True, kw_only=True)
class VariableRow:
    """One variable; the value of a secret one is never here."""

    name: str
    value: str
    secret: bool
    is_set: bool

    @classmethod
    def of(cls, variable: Variable) -> "VariableRow":
        """Return the row of a variable."""
        return cls(
            name=variable.name,
            value="" if variable.secret else variable.value,
            secret=variable.secret or looks_secret(variable.name),
            is_set=bool(variable.value),
        )


@dataclass(frozen=True, kw_only=True)
class Editor:
    """All that the editor shows."""

    files: tuple[EditedFile, ...]
    variables: tuple[VariableRow, ...]
    tabs: tuple[Tab, ...]

    @classmethod
    def of(cls, content: FilesAndVariables, wanted: str = "") -> "Editor":
        """Show the content with the file ``wanted`` (or the first) in front."""
        paths = [file.path for file in content.files]
        front = paths.index(wanted) if wanted in paths else 0
        files = tuple(
            EditedFile(
                index=index,
                panel=f"file-{index}",
                path=file.path,
                content=file.content,
                active=index == front,
                is_compose=file.path.endswith((".yml", ".yaml")) and "/" not in file.path,
            )
            for index, file in enumerate(content.files)
        )
        return cls(
            files=files,
            variables=tuple(VariableRow.of(variable) for variable in content.variables)
            + (VariableRow(name="", value="", secret=False, is_set=False),) * _SPARE_ROWS,
            tabs=tuple(Tab(label=f.path, panel=f.panel, active=f.active) for f in files),
        )
