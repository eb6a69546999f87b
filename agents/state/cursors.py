"""How far the agent has read a stream, for its next start."""

from agents.state.database import Database


class Cursors:
    """The id of the last entry that was read, by name."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def put(self, name: str, entry_id: str) -> None:
        """Keep an id in place of the one before."""
        with self._database.writing() as connection:
            connection.execute("INSERT OR REPLACE INTO cursor VALUES (?, ?)", (name, entry_id))

    def find(self, name: str) -> str:
        """Return the id, or ""."""
        with self._database.reading() as connection:
            row = connection.execute(
                "SELECT entry_id FROM cursor WHERE name = ?", (name,)
            ).fetchone()
        return str(row[0]) if row else ""
