"""What the program of an exec starts with: the container's own, changed as the spec says."""

from dataclasses import dataclass
from pathlib import Path

import msgspec

from agents.engines.native.containers.container import Container
from agents.engines.native.containers.disk import encoded
from agents.engines.native.containers.users import find_account
from agents.engines.native.oci import capabilities
from agents.engines.native.oci.defaults import TERM
from agents.engines.native.oci.types import Capabilities, OciStruct, Process
from agents.engines.specs import ExecSpec, TerminalSize
from agents.errors import InvalidInputError
from agents.linux.failures import kernel_errors


class ConsoleSize(OciStruct, frozen=True, kw_only=True):
    """Characters of a terminal."""

    height: int
    width: int


class _Bundle(OciStruct, frozen=True, kw_only=True):
    """The part of ``config.json`` that an exec goes by."""

    process: Process


@dataclass(frozen=True, kw_only=True)
class ExecPlan:
    """The process as the runtime takes it, and the terminal's first size."""

    process: Process
    size: TerminalSize | None

    def encode(self) -> bytes:
        """Return the JSON of the process."""
        if self.size is None:
            return encoded(self.process)
        size = ConsoleSize(height=self.size.rows, width=self.size.columns)
        fields: dict[str, object] = msgspec.to_builtins(self.process)
        return encoded({**fields, "consoleSize": msgspec.to_builtins(size)})


def make_plan(container: Container, spec: ExecSpec, root: Path) -> ExecPlan:
    """Return what to run in a container whose files are seen at ``root``.

    Raises:
        InvalidInputError: the command is empty, or the user is not in the container.
        KernelError: the container's bundle is gone.
    """
    if not spec.command:
        raise InvalidInputError("there is no command to run", field="command")
    with kernel_errors("read", container.paths.config):
        text = container.paths.config.read_bytes()
    own = msgspec.json.decode(text, type=_Bundle).process
    changed = msgspec.structs.replace(
        own,
        args=spec.command,
        env=_environment(own, container, spec, root),
        cwd=spec.working_dir or own.cwd,
        terminal=spec.tty and not spec.detach,
    )
    if spec.user:
        changed = msgspec.structs.replace(changed, user=find_account(root, spec.user).user)
    if spec.privileged:
        changed = msgspec.structs.replace(changed, capabilities=_all_capabilities())
    return ExecPlan(process=changed, size=spec.size if spec.tty else None)


def _environment(own: Process, container: Container, spec: ExecSpec, root: Path) -> tuple[str, ...]:
    merged = dict(line.split("=", 1) for line in own.env if "=" in line)
    if spec.user and "HOME" not in container.manifest.spec.environment:
        merged["HOME"] = find_account(root, spec.user).home
    if spec.tty:
        merged.setdefault("TERM", TERM)
    merged.update(spec.environment)
    return tuple(f"{name}={value}" for name, value in merged.items())


def _all_capabilities() -> Capabilities:
    every = capabilities.choose(privileged=True)
    return Capabilities(bounding=every, effective=every, permitted=every)
