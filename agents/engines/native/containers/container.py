"""One container in memory, in step with its records on disk."""

import logging
import threading
from collections.abc import Callable
from time import monotonic

import msgspec

from agents.engines.base import ContainerEvent
from agents.engines.native.containers.disk import encoded_for_good, write_atomic
from agents.engines.native.containers.log_files import LogFiles
from agents.engines.native.containers.paths import ContainerPaths
from agents.engines.native.containers.records import Manifest, Status, to_record
from agents.errors import NotFoundError, OutOfSpaceError, TimedOutError
from agents.protocol.records import ContainerRecord

logger = logging.getLogger(__name__)

Publish = Callable[[ContainerEvent], None]
ENDED = ("exited", "dead")
ALIVE = ("running", "stopping", "paused")


class Container:
    """A container and its lock.

    Whoever changes it, or acts on its processes, holds ``lock``; ``manifest`` and
    ``status`` are frozen and may be read at any time. ``run`` counts its starts, so that
    news of an earlier one is told apart. ``failures`` counts quick ends in a row, ``ends`` all,
    and ``last_code`` is the exit code of the last. ``turning`` is true while a person's restart
    waits for its end.
    """

    def __init__(
        self, manifest: Manifest, status: Status, paths: ContainerPaths, publish: Publish
    ) -> None:
        self.manifest = manifest
        self.status = status
        self.paths = paths
        self.log = LogFiles(paths.log)
        self.lock = threading.RLock()
        self.run = 0
        self.failures = 0
        self.ends = 0
        self.last_code = 0
        self.turning = False
        self.removed = False
        self._publish = publish
        self._changed = threading.Condition(self.lock)

    @property
    def id(self) -> str:
        """Return its id."""
        return self.manifest.id

    @property
    def record(self) -> ContainerRecord:
        """Return it as the world sees it."""
        return to_record(self.manifest, self.status)

    def is_alive(self) -> bool:
        """Return whether its first process should be there."""
        return self.status.state in ALIVE

    def save_manifest(self, manifest: Manifest) -> None:
        """Take another manifest and write it, outliving a power cut. Raises InvalidInputError."""
        with self.lock:
            write_atomic(self.paths.manifest, encoded_for_good(manifest), sync=True)
            self.manifest = manifest

    def update(self, status: Status) -> None:
        """Take another status with the next sequence number, write it, tell everybody.

        Written without sync: after a power cut nothing runs, and that is what recovery sees.
        A full disk keeps it from being written, not from being so.
        """
        with self.lock:
            status = msgspec.structs.replace(status, sequence=self.status.sequence + 1)
            try:
                write_atomic(self.paths.status, msgspec.json.encode(status), sync=False)
            except OutOfSpaceError as exc:
                logger.warning("the state %s of %s is not on disk: %s", status.state, self.id, exc)
            self.status = status
            self._tell(self.record)

    def mark_removed(self) -> None:
        """Tell everybody that it is gone; whoever waits for it is woken."""
        with self.lock:
            self.removed = True
            self.status = msgspec.structs.replace(self.status, sequence=self.status.sequence + 1)
            self._tell(None)

    def wait_until(self, reached: Callable[[Status], bool], timeout: float | None) -> Status:
        """Block until the status is as ``reached`` wants it, and return it.

        Raises:
            TimedOutError: it was not within ``timeout`` seconds.
            NotFoundError: the container was removed.
        """
        deadline = None if timeout is None else monotonic() + timeout
        with self.lock:
            while not reached(self.status):
                if self.removed:
                    raise NotFoundError(f"the container {self.manifest.name} was removed")
                left = None if deadline is None else deadline - monotonic()
                if left is not None and left <= 0:
                    name, state = self.manifest.name, self.status.state
                    raise TimedOutError(f"the container {name} is still {state}")
                self._changed.wait(left)
            return self.status

    def _tell(self, record: ContainerRecord | None) -> None:
        self._changed.notify_all()
        self._publish(
            ContainerEvent(container_id=self.id, sequence=self.status.sequence, container=record)
        )
