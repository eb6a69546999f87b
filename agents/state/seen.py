"""Ids of the messages that were taken: the same one is not taken twice."""

from agents.state.database import Database


class SeenMessages:
    """Remembers a message's id until the message expires by itself."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def add(self, message_id: str, expires_at: float) -> bool:
        """Remember an id; return False if it was there already."""
        with self._database.writing() as connection:
            added = connection.execute(
                "INSERT OR IGNORE INTO seen VALUES (?, ?)", (message_id, expires_at)
            ).rowcount
        return bool(added)

    def forget_expired(self, now: float) -> None:
        """Drop the ids of messages that are refused for their age anyway."""
        with self._database.writing() as connection:
            connection.execute("DELETE FROM seen WHERE expires_at < ?", (now,))
