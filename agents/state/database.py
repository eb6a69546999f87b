"""One SQLite connection for the whole agent, one writer at a time."""

import fcntl
import os
import sqlite3
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from agents.errors import ConflictError, OutOfSpaceError

LOCK_NAME = "state.lock"
# Whoever asks whether an agent runs holds the lock for a moment.
PATIENCE_SECONDS = 0.5
SCHEMA = """
CREATE TABLE IF NOT EXISTS number (name TEXT PRIMARY KEY, value INTEGER NOT NULL) STRICT;
CREATE TABLE IF NOT EXISTS operation (
    operation_id TEXT PRIMARY KEY,
    command BLOB NOT NULL,
    state TEXT NOT NULL,
    accepted_at REAL NOT NULL,
    expires_at REAL NOT NULL,
    attempts INTEGER NOT NULL DEFAULT 0,
    last_seq INTEGER NOT NULL DEFAULT 0,
    finished BLOB,
    ended_at REAL
) STRICT;
CREATE TABLE IF NOT EXISTS seen (message_id TEXT PRIMARY KEY, expires_at REAL NOT NULL) STRICT;
CREATE TABLE IF NOT EXISTS outbox (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    event BLOB NOT NULL,
    droppable INTEGER NOT NULL
) STRICT;
CREATE TABLE IF NOT EXISTS cursor (name TEXT PRIMARY KEY, entry_id TEXT NOT NULL) STRICT;
CREATE TABLE IF NOT EXISTS applied (
    name TEXT PRIMARY KEY, project BLOB NOT NULL, variables BLOB NOT NULL
) STRICT;
"""


class Database:
    """The file ``state.db`` and the lock that keeps a second agent away.

    WAL with ``synchronous=NORMAL``: what was written survives the death of the process at
    any moment; a power cut may take the last few writes, which the panel notices by their
    leases.
    """

    def __init__(self, root: Path) -> None:
        root.mkdir(parents=True, exist_ok=True, mode=0o700)
        # Whoever made it: projects have secrets, and volumes set-user-ID programs.
        root.chmod(0o700)
        self._lock_file = _lock(root / LOCK_NAME, patience=PATIENCE_SECONDS)
        self._mutex = threading.RLock()
        self._closed = False
        path = root / "state.db"
        self._connection = sqlite3.connect(path, check_same_thread=False, isolation_level=None)
        path.chmod(0o600)
        self._connection.execute("PRAGMA journal_mode=WAL")
        self._connection.execute("PRAGMA synchronous=NORMAL")
        self._connection.executescript(SCHEMA)

    @contextmanager
    def writing(self) -> Iterator[sqlite3.Connection]:
        """Hold the connection for one transaction; an error undoes it.

        Raises:
            OutOfSpaceError: the disk is full.
        """
        with self._mutex:
            try:
                self._connection.execute("BEGIN IMMEDIATE")
                with self._connection:
                    yield self._connection
            except sqlite3.OperationalError as error:
                raise _mapped(error) from error

    @contextmanager
    def reading(self) -> Iterator[sqlite3.Connection]:
        """Hold the connection for reading."""
        with self._mutex:
            yield self._connection

    def next_incarnation(self) -> int:
        """Count this start of the agent."""
        with self.writing() as connection:
            connection.execute(
                "INSERT INTO number VALUES ('incarnation', 1)"
                " ON CONFLICT(name) DO UPDATE SET value = value + 1"
            )
            row = connection.execute("SELECT value FROM number WHERE name = 'incarnation'")
            return int(row.fetchone()[0])

    def close(self) -> None:
        """Close the file and give up the lock. Idempotent."""
        with self._mutex:
            if self._closed:
                return
            self._closed = True
            self._connection.close()
            os.close(self._lock_file)


@contextmanager
def hold(root: Path) -> Iterator[None]:
    """Keep agents away from ``root``. Raises ConflictError while one works on it."""
    handle = _lock(root / LOCK_NAME)
    try:
        yield
    finally:
        os.close(handle)


def is_locked(root: Path) -> bool:
    """Return whether an agent works on ``root``."""
    path = root / LOCK_NAME
    if not path.exists():
        return False
    try:
        os.close(_lock(path))
    except ConflictError:
        return True
    return False


def _lock(path: Path, patience: float = 0.0) -> int:
    handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    deadline = time.monotonic() + patience
    while not _try_lock(handle):
        if time.monotonic() >= deadline:
            os.close(handle)
            raise ConflictError(
                f"another agent already works on {path.parent}",
                hint="Stop it first, or give this one another --root.",
            )
        time.sleep(0.02)
    return handle


def _try_lock(handle: int) -> bool:
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _mapped(error: sqlite3.OperationalError) -> Exception:
    if error.sqlite_errorcode in (sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR):
        return OutOfSpaceError(
            "the agent cannot write its state: the disk is full", hint="Free some space."
        )
    return error
