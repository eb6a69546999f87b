"""Seccomp filters that the runtime has compiled once, so that it need not again.

Compiling takes crun some 10 ms, a fifth of a container's start. It leaves the program beside
its state, for ``crun exec``, and takes one from the annotation ``run.oci.seccomp_bpf_data``
(crun(1)). A runtime that does not know the annotation compiles as ever: the filter stays in
the configuration.
"""

import base64
import hashlib
import logging
import threading
from contextlib import suppress
from pathlib import Path

import msgspec

from agents.engines.native import runtime
from agents.engines.native.containers.disk import write_atomic
from agents.engines.native.oci.types import Config, Seccomp
from agents.errors import AgentError, OutOfSpaceError

logger = logging.getLogger(__name__)

ANNOTATION = "run.oci.seccomp_bpf_data"
_COMPILED = "seccomp.bpf"


class FilterCache:
    """Compiled filters below ``root``/filters, by the digest of what they were compiled from."""

    def __init__(self, root: Path) -> None:
        self._folder = root / "filters"
        self._known: dict[str, str] = {}
        self._lock = threading.Lock()

    def apply(self, config: Config) -> Config:
        """Return the configuration with its filter compiled, if that was done before."""
        if config.linux.seccomp is None or not _is_crun():
            return config
        program = self._find(_key(config.linux.seccomp))
        if not program:
            return config
        return msgspec.structs.replace(config, annotations={ANNOTATION: program})

    def learn(self, config: Config, state: Path) -> None:
        """Keep what the runtime has compiled for a container that was just created.

        ``state`` is the folder of the container in the runtime's own.
        """
        seccomp = config.linux.seccomp
        if seccomp is None or ANNOTATION in config.annotations or not _is_crun():
            return
        key = _key(seccomp)
        with suppress(FileNotFoundError):
            program = base64.b64encode((state / _COMPILED).read_bytes()).decode()
            with self._lock:
                self._known[key] = program
            self._write(key, program)

    def _find(self, key: str) -> str:
        with self._lock:
            if key not in self._known:
                self._known[key] = _read(self._folder / key)
            return self._known[key]

    def _write(self, key: str, program: str) -> None:
        try:
            self._folder.mkdir(exist_ok=True, mode=0o700)
            write_atomic(self._folder / key, program.encode(), sync=False)
        except (OSError, OutOfSpaceError, AgentError) as exc:
            # It is compiled again after the next start of the agent.
            logger.warning("a seccomp filter is not kept: %s", exc)


def _read(path: Path) -> str:
    """Return a program; "" for none, and for one that a power cut spoilt."""
    try:
        text = path.read_text()
        is_whole = len(base64.b64decode(text, validate=True)) % 8 == 0
    except (OSError, ValueError):
        return ""
    return text if is_whole else ""


def _key(seccomp: Seccomp) -> str:
    """Name a filter by its source and by the very runtime that compiles it."""
    program = runtime.runtime_path().stat()
    mark = f"{program.st_size} {program.st_mtime_ns}".encode()
    return hashlib.sha256(msgspec.json.encode(seccomp) + mark).hexdigest()


def _is_crun() -> bool:
    return runtime.runtime_path().name == "crun"
