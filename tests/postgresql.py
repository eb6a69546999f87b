"""A real PostgreSQL for tests: a folder and a socket of its own, stopped by its process id.

with running_postgresql() as server:
    psycopg.connect(server.url)
"""

import os
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.waiting import wait_until

SECONDS = 30.0
USER = "panel"
# Nothing here has to survive a power cut.
FAST = ("-c", "fsync=off", "-c", "synchronous_commit=off", "-c", "full_page_writes=off")


class PostgreSQLServer:
    """One server without a TCP port; root runs it as nobody, as it refuses to be root."""

    def __init__(self, programs: Path, folder: Path) -> None:
        self._programs = programs
        self._folder = folder
        self._user = "nobody" if os.geteuid() == 0 else None
        self._process: subprocess.Popen[bytes] | None = None
        if self._user:
            shutil.chown(folder, self._user)

    @property
    def url(self) -> str:
        """The address of its database, for a user that may make more of them."""
        return f"postgresql://{USER}@/postgres?host={self._folder}"

    @property
    def log(self) -> str:
        """What it said."""
        return (self._folder / "log").read_text()

    def start(self) -> None:
        made = self._begin("initdb", "--no-sync", "--auth=trust", "--locale=C.UTF-8", "-U", USER)
        assert made.wait(SECONDS) == 0, self.log
        self._process = self._begin("postgres", "-k", str(self._folder), "-h", "", *FAST)
        wait_until(self._answers, "PostgreSQL", SECONDS)

    def stop(self) -> None:
        """End it at once, whoever is still connected; see pg_ctl(1), mode fast."""
        if self._process is not None:
            self._process.send_signal(signal.SIGINT)
            self._process.wait(SECONDS)
            self._process = None

    def _answers(self) -> bool:
        assert self._process is not None
        assert self._process.poll() is None, self.log
        asked = [str(self._programs / "pg_isready"), "--quiet", "-h", str(self._folder)]
        return subprocess.run(asked, check=False).returncode == 0

    def _begin(self, program: str, *words: str) -> subprocess.Popen[bytes]:
        with (self._folder / "log").open("ab") as log:
            return subprocess.Popen(
                [str(self._programs / program), "-D", str(self._folder / "data"), *words],
                user=self._user,
                cwd=self._folder,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )


def find_programs() -> Path | None:
    """Return the folder of the newest server's programs, which Debian keeps off the PATH."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=_version)
    other = shutil.which("initdb")
    return found[-1].parent if found else Path(other).resolve().parent if other else None


def _version(initdb: Path) -> int:
    return int(initdb.parts[-3]) if initdb.parts[-3].isdigit() else 0


@contextmanager
def running_postgresql() -> Iterator[PostgreSQLServer]:
    """Run a PostgreSQL of one's own; skips the test where there is none."""
    programs = find_programs()
    if programs is None:
        pytest.skip("PostgreSQL's server is not installed.")
    # A socket's path ends at 107 bytes, and pytest's own folders are closed to others.
    folder = Path(tempfile.mkdtemp(prefix="postgresql-"))
    server = PostgreSQLServer(programs, folder)
    try:
        server.start()
        yield server
    finally:
        server.stop()
        shutil.rmtree(folder)
