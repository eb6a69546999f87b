"""The operation journal: which commands were accepted, and how they ended.

An operation is ``accepted``, then ``running``, then ``ended``, and never goes back but
when the agent died or stopped meanwhile: then it is ``accepted`` again.
"""

import sqlite3
import time
from dataclasses import dataclass
from typing import Literal

from agents.state.database import Database

EntryState = Literal["accepted", "running", "ended"]
KEEP_ENDED_SECONDS = 7 * 86400.0


@dataclass(frozen=True, kw_only=True)
class Entry:
    """One operation; ``command`` and ``finished`` are JSON of the message itself.

    ``last_seq`` is the number of its newest output line. ``attempts`` counts its starts.
    """

    operation_id: str
    command: bytes
    state: EntryState
    accepted_at: float
    expires_at: float
    attempts: int = 0
    last_seq: int = 0
    finished: bytes | None = None


class Journal:
    """The operations of this host, oldest first."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def accept(self, operation_id: str, command: bytes, *, expires_at: float) -> Entry | None:
        """Write down a new operation; None if it is there already."""
        with self._database.writing() as connection:
            added = connection.execute(
                "INSERT OR IGNORE INTO operation"
                " (operation_id, command, state, accepted_at, expires_at)"
                " VALUES (?, ?, 'accepted', ?, ?)",
                (operation_id, command, time.time(), expires_at),
            ).rowcount
        return self.find(operation_id) if added else None

    def find(self, operation_id: str) -> Entry | None:
        """Return one operation."""
        with self._database.reading() as connection:
            row = connection.execute(
                "SELECT * FROM operation WHERE operation_id = ?", (operation_id,)
            ).fetchone()
        return _entry(row) if row else None

    def unended(self) -> tuple[Entry, ...]:
        """Return what was accepted and has not ended, in the order of acceptance."""
        with self._database.reading() as connection:
            rows = connection.execute(
                "SELECT * FROM operation WHERE state != 'ended' ORDER BY accepted_at, rowid"
            ).fetchall()
        return tuple(_entry(row) for row in rows)

    def begin(self, operation_id: str) -> None:
        """Note that the work begins, and count the attempt."""
        self._write(
            "UPDATE operation SET state = 'running', attempts = attempts + 1"
            " WHERE operation_id = ?",
            operation_id,
        )

    def hand_back(self, operation_id: str) -> None:
        """Note that the work stopped half way, to be taken up by the next start."""
        self._write("UPDATE operation SET state = 'accepted' WHERE operation_id = ?", operation_id)

    def note_seq(self, operation_id: str, seq: int) -> None:
        """Note the number of the newest output line."""
        self._write(
            "UPDATE operation SET last_seq = max(last_seq, ?) WHERE operation_id = ?",
            seq,
            operation_id,
        )

    def end(self, operation_id: str, finished: bytes) -> None:
        """Note the end, with the event that tells of it."""
        self._write(
            "UPDATE operation SET state = 'ended', finished = ?, ended_at = ?"
            " WHERE operation_id = ?",
            finished,
            time.time(),
            operation_id,
        )

    def forget_old(self, now: float) -> None:
        """Drop what ended long ago."""
        with self._database.writing() as connection:
            connection.execute(
                "DELETE FROM operation WHERE state = 'ended' AND ended_at < ? AND expires_at < ?",
                (now - KEEP_ENDED_SECONDS, now),
            )

    def _write(self, statement: str, *values: bytes | float | str) -> None:
        with self._database.writing() as connection:
            connection.execute(statement, values)


def _entry(row: sqlite3.Row) -> Entry:
    return Entry(
        operation_id=row[0],
        command=row[1],
        state=row[2],
        accepted_at=row[3],
        expires_at=row[4],
        attempts=row[5],
        last_seq=row[6],
        finished=row[7],
    )
