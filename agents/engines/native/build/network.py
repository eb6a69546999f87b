"""The network of builds' RUN steps: a bridge of their own.

With the host's network a Dockerfile could talk to whatever listens on the host's loopback.
"""

import secrets
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from agents.engines.native.network import Attachment, Networks, Request
from agents.engines.specs import EndpointSpec, NetworkSpec
from agents.errors import ConflictError

LABEL = "webpanel.build"
# Making one costs more than many a step; builds come in rows.
LINGER = 30.0


class BuildNetwork:
    """Made by the first step that wants it, removed when none has wanted it for a while."""

    def __init__(self, networks: Networks) -> None:
        self._networks = networks
        self._lock = threading.Lock()
        self._name = ""
        self._users = 0
        self._timer: threading.Timer | None = None

    @contextmanager
    def attached(self, name: str, namespace: Path) -> Iterator[Attachment]:
        """Wire up a namespace for this while. Raises KernelError, ConflictError (no subnet)."""
        with self._in_use() as network:
            request = Request(
                container_id=name,
                name=name,
                namespace=namespace,
                endpoints=(EndpointSpec(network=network),),
            )
            try:
                yield self._networks.attach(request)
            finally:
                self._networks.detach(name)

    @contextmanager
    def _in_use(self) -> Iterator[str]:
        with self._lock:
            self._cancel()
            self._make()
            self._users += 1
            network = self._name
        try:
            yield network
        finally:
            with self._lock:
                self._users -= 1
                if self._users == 0:
                    self._timer = threading.Timer(LINGER, self.close)
                    self._timer.daemon = True
                    self._timer.start()

    def _make(self) -> None:
        if not self._name:
            name = f"build-{secrets.token_hex(6)}"
            self._networks.create(NetworkSpec(name=name, labels={LABEL: "1"}))
            self._name = name

    def close(self) -> None:
        """Remove the network, unless a step uses it. Idempotent."""
        with self._lock:
            self._cancel()
            if self._name and self._users == 0:
                self._networks.remove(self._name)
                self._name = ""

    def _cancel(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None


def remove_left(networks: Networks) -> None:
    """Remove the networks of builds that were cut off; to be called when none goes on."""
    for network in networks.list({LABEL: "1"}):
        with suppress(ConflictError):
            networks.remove(network.name)
