"""Events: what an agent tells the panel, signed by the host, on its event stream.

Delivered at least once and in the order of the host; a handler must take a second
delivery of the same event without harm.
"""

from typing import Literal

import msgspec

from agents.protocol.records import (
    AppliedProject,
    ContainerRecord,
    HostFacts,
    ImageRecord,
    NetworkRecord,
    VolumeRecord,
)


class ErrorInfo(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """An error as people see it: what happened, where, and what to do."""

    code: str
    message: str
    hint: str = ""
    file: str = ""
    line: int | None = None
    column: int | None = None
    field: str = ""


class Event(msgspec.Struct, frozen=True, kw_only=True, tag=True, omit_defaults=True):
    """Base of all events; ``operation_id`` is "" where no operation is the cause."""

    operation_id: str = ""
    at: float


class OperationStarted(Event, frozen=True, kw_only=True):
    """The agent took the command and works on it."""


class OperationProgress(Event, frozen=True, kw_only=True):
    """How far the operation is: ``done`` of ``total`` steps, and the step in words."""

    done: int
    total: int
    message: str


class OutputLine(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One line of an operation's own output; ``seq`` counts from 1 within the operation.

    ``step`` lines are the agent's own words; the others come from a program that it ran.
    """

    seq: int
    at: float
    text: str
    stream: Literal["step", "stdout", "stderr"] = "step"
    service: str = ""


class OperationOutput(Event, frozen=True, kw_only=True):
    """New lines of output."""

    lines: tuple[OutputLine, ...]


class OperationFinished(Event, frozen=True, kw_only=True):
    """The operation has ended; nothing more comes for it.

    ``errors`` holds all that was found, the first being the cause.
    """

    state: Literal["succeeded", "failed", "cancelled"]
    errors: tuple[ErrorInfo, ...] = ()
    summary: str = ""


class Heartbeat(Event, frozen=True, kw_only=True):
    """The agent lives; sent every 5 seconds. Renews the lease of ``active_operations``."""

    load: float
    memory_used: int
    disk_used: int
    active_operations: tuple[str, ...] = ()


class HostReport(Event, frozen=True, kw_only=True):
    """What the host is; sent at start and when it changes."""

    facts: HostFacts


class Inventory(Event, frozen=True, kw_only=True):
    """Everything the host's engines hold; replaces what the panel observed before."""

    containers: tuple[ContainerRecord, ...] = ()
    images: tuple[ImageRecord, ...] = ()
    networks: tuple[NetworkRecord, ...] = ()
    volumes: tuple[VolumeRecord, ...] = ()
    projects: tuple[AppliedProject, ...] = ()


class ContainerChanged(Event, frozen=True, kw_only=True):
    """One container is new or changed."""

    container: ContainerRecord


class ContainerRemoved(Event, frozen=True, kw_only=True):
    """One container is gone."""

    container_id: str
    sequence: int


class ImagesChanged(Event, frozen=True, kw_only=True):
    """The host's images are these now."""

    images: tuple[ImageRecord, ...]


class NetworksChanged(Event, frozen=True, kw_only=True):
    """The host's networks are these now."""

    networks: tuple[NetworkRecord, ...]


class VolumesChanged(Event, frozen=True, kw_only=True):
    """The host's volumes are these now."""

    volumes: tuple[VolumeRecord, ...]


class ProjectApplied(Event, frozen=True, kw_only=True):
    """A project's files were applied; also sent when they were forgotten (``files`` empty)."""

    project: AppliedProject


class MessageRefused(Event, frozen=True, kw_only=True):
    """The agent refused a message: unsigned, altered, expired, replayed or misaddressed."""

    reason: str
    detail: str = ""


AnyEvent = (
    OperationStarted
    | OperationProgress
    | OperationOutput
    | OperationFinished
    | Heartbeat
    | HostReport
    | Inventory
    | ContainerChanged
    | ContainerRemoved
    | ImagesChanged
    | NetworksChanged
    | VolumesChanged
    | ProjectApplied
    | MessageRefused
)
