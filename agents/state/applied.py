"""The last applied version of each project, so that a new panel can take it over."""

import msgspec

from agents.protocol.records import AppliedProject
from agents.state.database import Database


class AppliedProjects:
    """What was applied on this host, by whom; the variables stay on the host."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def put(self, project: AppliedProject, variables: dict[str, str]) -> None:
        """Keep a project's version in place of the one before."""
        row = (project.name, msgspec.json.encode(project), msgspec.json.encode(variables))
        with self._database.writing() as connection:
            connection.execute("INSERT OR REPLACE INTO applied VALUES (?, ?, ?)", row)

    def find(self, name: str) -> AppliedProject | None:
        """Return one project's last version."""
        with self._database.reading() as connection:
            row = connection.execute(
                "SELECT project FROM applied WHERE name = ?", (name,)
            ).fetchone()
        return msgspec.json.decode(row[0], type=AppliedProject) if row else None

    def variables(self, name: str) -> dict[str, str]:
        """Return the variables that the last version was applied with."""
        with self._database.reading() as connection:
            row = connection.execute(
                "SELECT variables FROM applied WHERE name = ?", (name,)
            ).fetchone()
        return msgspec.json.decode(row[0], type=dict[str, str]) if row else {}

    def all(self) -> tuple[AppliedProject, ...]:
        """Return every project's last version."""
        with self._database.reading() as connection:
            rows = connection.execute("SELECT project FROM applied ORDER BY name").fetchall()
        return tuple(msgspec.json.decode(row[0], type=AppliedProject) for row in rows)

    def remove(self, name: str) -> None:
        """Forget a project. Idempotent."""
        with self._database.writing() as connection:
            connection.execute("DELETE FROM applied WHERE name = ?", (name,))
